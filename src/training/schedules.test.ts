import { expect, test } from 'vitest';
import {
  blurSigmaAt,
  densityNoiseAt,
  emaBetaAt,
  lazyAdam,
  neuralResolutionAt,
  poseRegScaleAt,
  swapProbabilityAt,
} from './schedules.ts';

test('the blur fades linearly from its width to nothing', () => {
  const options = { blurInitSigma: 10, blurFadeKimg: 200 };
  expect([0, 50_000, 200_000, 1e6].map((n) => blurSigmaAt(n, options))).toEqual([10, 7.5, 0, 0]);
  expect(blurSigmaAt(0, { blurInitSigma: 10, blurFadeKimg: 0 })).toBe(0);
});

test('noise on densities fades alike', () => {
  expect([0, 150_000, 300_000].map((n) => densityNoiseAt(n, { densityNoiseFadeKimg: 200 }))).toEqual([
    1, 0.25, 0,
  ]);
  expect(densityNoiseAt(0, { densityNoiseFadeKimg: 0 })).toBe(0);
});

test('the swap probability goes from 1 to its final value', () => {
  const options = { gpcRegProb: 0.7, gpcRegFadeKimg: 1000 };
  expect(swapProbabilityAt(0, options)).toBe(1);
  expect(swapProbabilityAt(15_000, options)).toBeCloseTo(0.9955, 12);
  expect(swapProbabilityAt(3e6, options)).toBeCloseTo(0.7, 12);
  expect(swapProbabilityAt(0, { gpcRegProb: 0.7, gpcRegFadeKimg: 0 })).toBeCloseTo(0.7, 12);
  expect(swapProbabilityAt(0, { gpcRegProb: undefined, gpcRegFadeKimg: 0 })).toBeUndefined();
});

test('the raw resolution grows from where the run began, halves to the even side', () => {
  const fade = (neuralRenderingResolutionFadeKimg: number, final: number | undefined = 128) => ({
    neuralRenderingResolutionInitial: 64,
    neuralRenderingResolutionFinal: final,
    neuralRenderingResolutionFadeKimg,
  });
  expect(neuralResolutionAt(10_000_000, 10_000_000, fade(1000))).toBe(64);
  expect(neuralResolutionAt(10_500_000, 10_000_000, fade(1000))).toBe(96);
  expect(neuralResolutionAt(99_000_000, 10_000_000, fade(1000))).toBe(128);
  expect(neuralResolutionAt(1_000_000, 0, { ...fade(128), neuralRenderingResolutionFinal: 65 })).toBe(65);
  expect(neuralResolutionAt(64_000, 0, { ...fade(128), neuralRenderingResolutionFinal: 65 })).toBe(64); // 64.5
  expect(neuralResolutionAt(64_000, 0, { ...fade(128), neuralRenderingResolutionFinal: 67 })).toBe(66); // 65.5
  expect(neuralResolutionAt(0, 0, fade(0))).toBe(128);
  expect(neuralResolutionAt(1e9, 0, { ...fade(1000), neuralRenderingResolutionFinal: undefined })).toBe(64);
});

test('the pose regulariser holds, fades over 200,000 images and is dropped', () => {
  const held = (kimg: number, fade = 200) => ({
    inputPoseParamsRegLossKimg: kimg,
    inputPoseParamsRegLossFadeKimg: fade,
  });
  const scale = (n: number) => poseRegScaleAt(n, held(200));
  expect([0, 199_999, 200_000, 250_000, 350_000].map(scale)).toEqual([1, 1, 1, 0.75, 0.25]);
  expect(scale(400_000)).toBeUndefined();
  expect(poseRegScaleAt(100_000, held(0))).toBe(0.5);
  expect(poseRegScaleAt(3000, held(2, 4))).toBe(0.75);
  expect(poseRegScaleAt(2000, held(2, 0))).toBeUndefined();
});

test('Adam of a lazily regularised network', () => {
  const { lr, betas } = lazyAdam({ lr: 0.002, betas: [0, 0.99], eps: 1e-8 }, 16);
  expect(lr).toBeCloseTo(0.0018823529411764706, 15);
  expect(betas[0]).toBe(0);
  expect(betas[1]).toBeCloseTo(0.9905854573074332, 15);
});

test('averages copy at first, then forget half in their half-life', () => {
  expect(emaBetaAt(0, 32)).toBe(0);
  expect(emaBetaAt(1e6, 32)).toBeCloseTo(0.5 ** 0.0032, 12);
  expect(emaBetaAt(100_000, 32)).toBeCloseTo(0.5 ** (32 / 5000), 12);
  expect(emaBetaAt(0, 32, { rampup: 'none' })).toBeCloseTo(0.5 ** 0.0032, 12);
});
