/** The discriminator of image, raw image and mask, which predicts the pose it judges by (spec page 4). */

import {
  add,
  biasAct,
  concat,
  conv2dResample,
  DEFAULT_TAPS,
  fullyConnected,
  mean,
  minibatchStd,
  mul,
  normalizeSecondMoment,
  reduceSum,
  reshape,
  resizeBilinear,
  reverse,
  sqrt,
  stopGradient,
  sub,
  type Tensor,
  where,
} from '../tensor/index.ts';
import type { Parameters } from './parameters.ts';
import { isLeft, mirrorPose } from './pose.ts';

export interface DiscriminatorConfig {
  readonly resolution: number;
  /** Samples a group of the minibatch statistic. */
  readonly groupSize: number;
  /** Bound on activations; undefined for none. */
  readonly clamp: number | undefined;
  readonly mappingLayers: number;
  readonly poseLayers: number;
  /** Strength of the noise on the label in training, relative to the label's deviation over the batch. */
  readonly conditionNoise?: number;
}

/** What is judged. */
export interface Judged {
  /** [N, 3, R, R] in [-1, 1] */
  readonly image: Tensor;
  /** [N, 3, r, r] in [-1, 1] */
  readonly raw: Tensor;
  /** [N, 1, r, r] in [0, 1] */
  readonly mask: Tensor;
}

interface ConvOptions {
  readonly down?: number;
  readonly gain?: number;
  readonly clamp?: number | undefined;
  readonly linear?: boolean;
}

/** Convolution with equalised rate, FIR down-sampling, bias, activation and clamp. */
function convLayer(p: Parameters, x: Tensor, options: ConvOptions): Tensor {
  const weight = p.get('weight');
  const [, channels, kernel] = weight.shape;
  const gain = options.gain ?? 1;
  const factor = 1 / Math.sqrt(channels * kernel * kernel);
  const isLinear = options.linear === true && !p.has('bias') && options.clamp === undefined;
  // Where nothing bends, the gain costs nothing on the weight.
  const scaled = mul(weight, isLinear ? factor * gain : factor);
  const y = conv2dResample(x, scaled, DEFAULT_TAPS, { down: options.down ?? 1, padding: kernel >> 1 });
  if (isLinear) return y;
  const activation = options.linear ? 'linear' : 'lrelu';
  const clamp = options.clamp === undefined ? undefined : options.clamp * gain;
  return biasAct(y, p.has('bias') ? p.get('bias') : undefined, {
    activation,
    gain: gain * (options.linear ? 1 : Math.SQRT2),
    clamp,
  });
}

/** One residual block: [N, C, r, r] to [N, C', r / 2, r / 2]. The top one takes the assembled input. */
export function discriminatorBlock(p: Parameters, x: Tensor, clamp: number | undefined): Tensor {
  const input = p.has('fromrgb.weight') ? convLayer(p.scope('fromrgb'), x, { clamp }) : x;
  const y = convLayer(p.scope('skip'), input, { down: 2, gain: Math.SQRT1_2, linear: true });
  const h = convLayer(p.scope('conv0'), input, { clamp });
  return add(y, convLayer(p.scope('conv1'), h, { down: 2, gain: Math.SQRT1_2, clamp }));
}

/** Image, raw image and mask side by side at the image's size: [N, 7, R, R]. */
export function assemble({ image, raw, mask }: Judged): Tensor {
  const size = image.shape[2];
  const toSize = (x: Tensor): Tensor => resizeBilinear(x, size, size, true);
  return concat([image, toSize(raw), sub(mul(toSize(mask), 2), 1)], 1);
}

/** First half of the epilogue: statistic channel, convolution, flat [N, 16 K]. */
export function flatten(
  p: Parameters,
  x: Tensor,
  config: Pick<DiscriminatorConfig, 'groupSize' | 'clamp'>,
): Tensor {
  const y = convLayer(p.scope('conv'), minibatchStd(x, config.groupSize), { clamp: config.clamp });
  return reshape(y, [y.shape[0], y.shape[1] * y.shape[2] * y.shape[3]]);
}

/** Second half: score [N, 1] by projection onto the condition. */
export function score(p: Parameters, flat: Tensor, cmap: Tensor): Tensor {
  const h = fullyConnected(flat, p.get('fc.weight'), p.get('fc.bias'), { activation: 'lrelu' });
  const out = fullyConnected(h, p.get('out.weight'), p.get('out.bias'));
  return mul(reduceSum(mul(out, cmap), [1], true), 1 / Math.sqrt(cmap.shape[1]));
}

/** Everything before the two heads. */
function trunk(p: Parameters, judged: Judged, config: DiscriminatorConfig): Tensor {
  let x = assemble(judged);
  for (let r = config.resolution; r >= 8; r /= 2) x = discriminatorBlock(p.scope(`b${r}`), x, config.clamp);
  return flatten(p.scope('b4'), x, config);
}

/** The condition that the score is projected on: [N, K]. */
function conditionMap(p: Parameters, label: Tensor, layers: number): Tensor {
  let x = normalizeSecondMoment(fullyConnected(label, p.get('embed.weight'), p.get('embed.bias')));
  for (let i = 0; i < layers; i++) {
    x = fullyConnected(x, p.get(`fc${i}.weight`), p.get(`fc${i}.bias`), {
      activation: 'lrelu',
      lrMultiplier: 0.01,
    });
  }
  return x;
}

/** Poses [N, 6] of what is seen. Pictures from the left are mirrored; the camera, as published, is not. */
export function predictPose(p: Parameters, judged: Judged, c: Tensor, config: DiscriminatorConfig): Tensor {
  const left = isLeft(c);
  const batch = c.shape[0];
  const side = reshape(left, [batch, 1, 1, 1]);
  const mirror = (x: Tensor): Tensor => where(side, reverse(x, [3]), x);
  const mirrored = { image: mirror(judged.image), raw: mirror(judged.raw), mask: mirror(judged.mask) };
  let x = concat([trunk(p, mirrored, config), c], 1);
  const branch = p.scope('pose_branch');
  for (let i = 0; i < config.poseLayers; i++) {
    const activation = i + 1 < config.poseLayers ? 'lrelu' : 'linear';
    x = fullyConnected(x, branch.get(`net.${i}.weight`), branch.get(`net.${i}.bias`), { activation });
  }
  return where(left, mirrorPose(x), x);
}

/** Unbiased standard deviation over the batch [1, K]. */
function deviation(x: Tensor): Tensor {
  const off = sub(x, mean(x, [0], true));
  return sqrt(mul(reduceSum(mul(off, off), [0], true), 1 / (x.shape[0] - 1)));
}

/** Judges pictures under cameras, conditioned on its own pose prediction: a given, as far as gradients go.
 *
 * @param c     [N, 25]
 * @param pose  [N, 6] to condition on instead of the prediction
 * @param noise [N, 31] standard normals for `conditionNoise`; left out: no noise
 */
export function discriminate(
  p: Parameters,
  judged: Judged,
  c: Tensor,
  config: DiscriminatorConfig,
  pose?: Tensor,
  noise?: Tensor,
): { logits: Tensor; pose: Tensor } {
  const predicted = predictPose(p, judged, c, config);
  const flat = trunk(p, judged, config);
  const plain = concat([c, pose ?? stopGradient(predicted)], 1);
  const strength = config.conditionNoise ?? 0;
  const label =
    noise === undefined || strength === 0 ? plain : add(plain, mul(mul(noise, deviation(plain)), strength));
  const cmap = conditionMap(p.scope('mapping'), label, config.mappingLayers);
  return { logits: score(p.scope('b4'), flat, cmap), pose: predicted };
}
