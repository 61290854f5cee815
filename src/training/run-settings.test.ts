import { expect, test } from 'vitest';
import { defaultBody } from '../default-body.ts';
import { discriminatorPlan, presetOf } from '../portrait/presets.ts';
import { frozenLayers, lrScaleOf } from './parameter-groups.ts';
import { runCost, secondsOfKimg } from './run-cost.ts';
import { runNetworks } from './run-networks.ts';
import { adamOptionsOf, emaBetaOf, lossOptionsOf, phasesOfRun, taughtAdamAt } from './run-settings.ts';
import { teachConfig, trainConfig } from './train-defaults.ts';

const data = 'people.zip';

test('phases and their Adam are the published ones', () => {
  const config = trainConfig({ data, densityReg: 0.25 });
  expect(phasesOfRun(config)).toEqual([
    { phase: 'Gmain', network: 'G', interval: 1 },
    { phase: 'Greg', network: 'G', interval: 4 },
    { phase: 'Dmain', network: 'D', interval: 1 },
    { phase: 'Dreg', network: 'D', interval: 16 },
  ]);
  const [g, d] = [adamOptionsOf(config, 'G'), adamOptionsOf(config, 'D')];
  expect(g.lr).toBeCloseTo(0.002, 12);
  expect(g.betas[1]).toBeCloseTo(0.991992, 6);
  expect(d.lr).toBeCloseTo(0.00188235, 8);
  expect(d.betas[1]).toBeCloseTo(0.990585, 6);
  const plain = trainConfig({ data, dRegEvery: null });
  expect(phasesOfRun(plain).map(({ phase }) => phase)).toEqual(['Gboth', 'Dboth']);
  expect(adamOptionsOf(plain, 'G')).toEqual({ lr: 0.0025, betas: [0, 0.99], eps: 1e-8 });
});

test('null is undefined to the losses', () => {
  const loss = lossOptionsOf(trainConfig({ data, gpcRegProb: null }));
  expect(loss).toMatchObject({
    gpcRegProb: undefined,
    neuralRenderingResolutionFinal: undefined,
    bcgRegProb: 0.2,
  });
  expect(loss).not.toHaveProperty('data');
});

test('the taught rate is flat, then falls by a cosine to its end', () => {
  const config = teachConfig({ data, kimg: 110, startKimg: 10, lr: 0.01, lrEnd: 0.002, decayStart: 0.5 });
  const rates = [10, 60, 85, 110, 120].map((kimg) => taughtAdamAt(1000 * kimg, config).lr);
  expect(rates[0]).toBe(0.01);
  expect(rates[1]).toBe(0.01);
  expect(rates[2]).toBeCloseTo(0.006, 12);
  expect(rates[3]).toBeCloseTo(0.002, 12);
  expect(rates[4]).toBeCloseTo(0.002, 12);
  expect(taughtAdamAt(1e9, { ...config, decayStart: 1 }).lr).toBe(0.01);
});

test('averages: the default half-life of both kinds, and its bound in a new run', () => {
  expect(emaBetaOf(1e9, trainConfig({ data, preset: '512-64' }))).toBeCloseTo(0.997784, 6);
  expect(emaBetaOf(0, trainConfig({ data }))).toBe(0);
  expect(emaBetaOf(0, trainConfig({ data, init: 'a' }))).toBeCloseTo(0.997784, 6);
  expect(emaBetaOf(1e9, teachConfig({ data }))).toBeCloseTo(0.999, 5);
});

test('the longest beginning of a name decides on its rate', () => {
  const scales = { 'pose_branch.': 2, 'G/pose_branch.': 3, 'backbone.mapping.': 100 };
  expect(lrScaleOf(scales, 'D', 'pose_branch.net.0.weight')).toBe(2);
  expect(lrScaleOf(scales, 'G', 'pose_branch.net.0.weight')).toBe(3);
  expect(lrScaleOf(scales, 'G', 'backbone.mapping.fc0.bias')).toBe(100);
  expect(lrScaleOf(scales, 'G', 'torgb.bias')).toBe(1);
});

test('stages, frozen layers and kinds of run decide what is trained', () => {
  expect(frozenLayers(discriminatorPlan(presetOf('64-32')), 5)).toEqual([
    'b64.fromrgb.',
    'b64.conv0.',
    'b64.conv1.',
    'b64.skip.',
    'b32.conv0.',
  ]);
  const body = defaultBody();
  const first = runNetworks(trainConfig({ data, freezeD: 1 }), body);
  const second = runNetworks(trainConfig({ data, stage: 2 }), body);
  const pose = 'pose_branch.net.0.weight';
  expect(first.generator.trainable).toContain(pose);
  expect(second.generator.trainable).not.toContain(pose);
  expect(second.generator.trainable).toContain('backbone.mapping.fc0.weight');
  expect(second.generator.trainable).not.toContain('backbone.mapping.w_avg');
  expect(second.discriminator.trainable).toContain(pose);
  expect(second.discriminator.trainable).toContain('b64.fromrgb.weight');
  expect(first.discriminator.trainable).not.toContain('b64.fromrgb.weight');
  expect(first.discriminator.trainable).toContain('b64.conv0.weight');
});

test('settings of the network reach it', () => {
  const config = trainConfig({
    ...{ data, preset: 'tiny', mappingLayers: 3, decoderActivation: 'lrelu', decoderLrMultiplier: 2 },
    ...{ rawFromRgbLayer: false, useBackground: false, conditionScale: 0.5, thickness: 0.1, channelMax: 8 },
    ...{ mbstdGroup: 2, conditionNoise: 0.1, clampBackbone: true, clampDiscriminator: false, samples: 5 },
    ...{ neuralRenderingResolutionInitial: 8, triplaneDepth: 2 },
  });
  const { generator, discriminator } = runNetworks(config, defaultBody());
  expect(generator.config).toMatchObject({
    ...{ mappingLayers: 3, rawFromRgbLayer: false, backgroundResolution: undefined, conditionScale: 0.5 },
    ...{ thickness: 0.1, clamp: 256, neuralResolution: 8 },
    rendering: { activation: 'lrelu', lrMultiplier: 2, samples: 5, depth: 2 },
  });
  expect(generator.posing.thickness).toBe(0.1);
  expect(generator.shapes.get('backbone.synthesis.b4.const')?.shape).toEqual([8, 4, 4]);
  expect(discriminator.config).toMatchObject({ groupSize: 2, conditionNoise: 0.1, clamp: undefined });
});

test('a run of such a network is traced and counted, every kind of phase', () => {
  const config = trainConfig({
    ...{ data, preset: 'tiny', densityReg: 0.25, densityRegType: 'monotonic-fixed', dRegEvery: null },
    ...{ styleMixingProb: 0.5, useBackground: false, rawFromRgbLayer: false, mappingLayers: 3, kimg: 1 },
    ...{ conditionNoise: 0.1, decoderActivation: 'sigmoid', stage: 2, batch: 8 },
  });
  const cost = runCost(config, runNetworks(config, defaultBody()));
  expect(cost.programs.map(({ label, interval }) => [label, interval])).toEqual([
    ['Gmain: pictures, posed, and their gradient', 1],
    ['Greg: densities, monotonic', 4],
    ['Greg: densities, variation', 4],
    ['Dboth: pictures, posed', 1],
    ['Dboth: fakes judged', 1],
    ['Dboth: reals judged, and gradient penalty', 1],
  ]);
  expect(cost.iterations).toBe(125);
  expect(cost.networks.G.parameters - cost.networks.G.trained).toBe(
    16 * 128 + 25 * 128 + 128 + 128 * 32 + 32 + 32 * 6 + 6,
  );
  expect(cost.programs[0].samples).toBe(4 * 16 * 16 * 16);
  for (const { flops, liveBytes } of cost.programs) expect(Math.min(flops, liveBytes)).toBeGreaterThan(0);
});

test('the estimate of time holds what bench:step measured on 64-32, within a tenth', () => {
  const config = trainConfig({ data, preset: '64-32' });
  const cost = runCost(config, runNetworks(config, defaultBody()));
  // docs/performance.md: 409.8 + 141.8 + 54.4 + 35.8 ms each iteration of 4, 58.7 ms each sixteenth, at 413 GFLOP/s.
  const measured = (409.8 + 141.8 + 54.4 + 35.8 + 58.7 / 16) / 4;
  expect(Math.abs(secondsOfKimg(cost, 413, config.channelMax) / measured - 1)).toBeLessThan(0.1);
  expect(cost.programs[0].flops / 1e9).toBeCloseTo(13.47, 2);
});
