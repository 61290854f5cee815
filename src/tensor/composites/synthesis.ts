/**
 * The layers of a synthesis network, arranged so that what lies between two convolutions is one pass.
 *
 * A convolution is dense arithmetic; what follows it (FIR, demodulation, noise, bias, activation, the next
 * layer's style) is one walk over memory when done at once and six when done apart. These passes are the
 * fused operations `layerEpilogue`, `foldUp` and `skipUp`; engines may carry kernels of those names.
 */

import { fused } from '../fused.ts';
import type { Tensor } from '../graph.ts';
import { add } from '../primitives/add.ts';
import { broadcastTo } from '../primitives/broadcast.ts';
import { concat } from '../primitives/concat.ts';
import { constant } from '../primitives/constant.ts';
import { conv2d } from '../primitives/conv2d.ts';
import { conv2dTranspose } from '../primitives/conv2d-transpose.ts';
import { conv2dWeightGrad } from '../primitives/conv2d-weight-grad.ts';
import { matmul } from '../primitives/matmul.ts';
import { mul } from '../primitives/mul.ts';
import { pad } from '../primitives/pad.ts';
import { reduceSum } from '../primitives/reduce-sum.ts';
import { reshape } from '../primitives/reshape.ts';
import { reverse } from '../primitives/reverse.ts';
import { slice, sliceAxis } from '../primitives/slice.ts';
import { type Bend, biasAct, biasActGrad, LRELU_SLOPE } from './activation.ts';
import { DEFAULT_TAPS, upfirdn2d, upsample2d } from './fir.ts';
import { demodulation, perChannel } from './modulated-conv.ts';

export interface LayerOptions {
  /** Bound after activation and gain; undefined for none. */
  readonly clamp?: number | undefined;
  readonly gain?: number;
  /** False when only the result times `next` is wanted. */
  readonly keep?: boolean;
}

/** What a layer adds to its convolution. */
export interface LayerTensors {
  /** [O, C, 3, 3] */
  readonly weight: Tensor;
  /** [O] */
  readonly bias: Tensor;
  /** [N, C]: the affine output that scales the input's channels. */
  readonly styles: Tensor;
  /** [1 or N, H, W], strength included; undefined for none */
  readonly noise?: Tensor | undefined;
  /** [N, O]: styles of the layer that reads the result next. */
  readonly next?: Tensor | undefined;
}

/** A layer's result: as it is, and with the next layer's styles on its channels. */
export interface LayerResult {
  readonly value: Tensor | undefined;
  readonly scaled: Tensor | undefined;
}

/** Scales the channels of [N, C, H, W] by styles [N, C]. */
export function modulate(x: Tensor, styles: Tensor): Tensor {
  return mul(x, perChannel(styles));
}

/** Demodulated 3x3 convolution, noise, bias, leaky ReLU, gain, clamp, and the next layer's styles.
 *
 * @param x [N, C, H, W] with this layer's styles on its channels (`modulate`, or a predecessor's `scaled`).
 */
export function synthesisLayer(x: Tensor, layer: LayerTensors, options: LayerOptions = {}): LayerResult {
  const y = conv2d(x, layer.weight, { padding: 1 });
  return finishLayer('layerEpilogue', { y }, layer, options, {
    prepare: (given) => given.y,
    prepared: (given) => given.y,
    adjoint: (dy) => ({ y: dy }),
  });
}

/** The same with two-fold up-sampling in front: transposed convolution and FIR.
 *
 * A transposed 3x3 convolution of stride 2 is four plain convolutions, one for each parity of output rows
 * and columns, with 2x2, 2x1, 1x2 and 1x1 of the nine taps. They have constant weights, write four numbers
 * where nine tap images would write nine, and `foldUp` interleaves them while it filters.
 *
 * @param x [N, C, H, W] with this layer's styles on its channels
 */
export function synthesisUpLayer(x: Tensor, layer: LayerTensors, options: LayerOptions = {}): LayerResult {
  const phases = spreadConv(x, layer.weight);
  return finishLayer('foldUp', phases, layer, options, {
    prepare: foldedUp,
    prepared: (given) => {
      const [batch, channels] = given.oo.shape;
      const plain = { slope: 1, gain: 1, clamp: 0, noise: false, next: false, keep: true };
      const demod = broadcastTo(constant(1), [batch, channels]);
      const inputs = { ...given, demod, bias: broadcastTo(constant(0), [channels]) };
      return fused('foldUp', plain, inputs, (now) => ({ value: foldedUp(now) }))[0];
    },
    adjoint: (g) => {
      const [ee, eo, oe, oo] = fused('unfoldUp', {}, { g }, (now) => {
        const spread = upfirdn2d(now.g, DEFAULT_TAPS, { padding: 2, gain: 4 });
        const part = (row: number, column: number): Tensor => {
          const rows = sliceAxis(spread, 2, row, spread.shape[2], 2);
          return sliceAxis(rows, 3, column, spread.shape[3], 2);
        };
        return { ee: part(0, 0), eo: part(0, 1), oe: part(1, 0), oo: part(1, 1) };
      });
      return { ee, eo, oe, oo };
    },
  });
}

const BOTH: readonly [number, number] = [1, 1];
const NONE: readonly [number, number] = [0, 0];
/** Padding of the four convolutions. */
const SIDES = {
  ee: [BOTH, BOTH],
  eo: [BOTH, NONE],
  oe: [NONE, BOTH],
  oo: [NONE, NONE],
} as const;

type Phase = keyof typeof SIDES;

const PHASES = Object.keys(SIDES) as readonly Phase[];

/** The taps of a 3x3 weight that a phase hears. */
function tapsOf(weight: Tensor, phase: Phase): Tensor {
  const rows = phase[0] === 'e' ? evenTaps(weight, 2) : oddTap(weight, 2);
  return phase[1] === 'e' ? evenTaps(rows, 3) : oddTap(rows, 3);
}

/** A transposed 3x3 convolution of stride 2, its result by parity of rows and columns. */
function spreadConv(x: Tensor, weight: Tensor): Phases {
  const define = (given: { x: Tensor; weight: Tensor }): Phases => {
    const of = (phase: Phase): Tensor =>
      conv2d(given.x, tapsOf(given.weight, phase), { padding: SIDES[phase] });
    return { ee: of('ee'), eo: of('eo'), oe: of('oe'), oo: of('oo') };
  };
  // The definition's own gradient would put zeros between taps and add up; here taps are put side by side.
  const results = fused('spreadConv', {}, { x, weight }, define, ({ inputs, outputs, cotangents }) => {
    const given = (phase: Phase): Tensor =>
      cotangents[phase] ?? broadcastTo(constant(0), outputs[phase].shape);
    const image = PHASES.map((phase) =>
      conv2dTranspose(given(phase), tapsOf(inputs.weight, phase), { padding: SIDES[phase] }),
    ).reduce((sum, part) => add(sum, part));
    const taps = (phase: Phase, kernel: readonly [number, number]): Tensor =>
      conv2dWeightGrad(inputs.x, given(phase), kernel, { padding: SIDES[phase] });
    const even = joinTaps(taps('ee', [2, 2]), taps('eo', [2, 1]), 3);
    const odd = joinTaps(taps('oe', [1, 2]), taps('oo', [1, 1]), 3);
    return { x: image, weight: joinTaps(even, odd, 2) };
  });
  const [ee, eo, oe, oo] = results;
  return { ee, eo, oe, oo };
}

/** Even output rows 2i hear taps 2 (of input row i - 1) and 0 (of row i); odd ones tap 1 alone. */
function evenTaps(w: Tensor, axis: number): Tensor {
  return sliceAxis(reverse(w, [axis]), axis, 0, 3, 2);
}

function oddTap(w: Tensor, axis: number): Tensor {
  return sliceAxis(w, axis, 1, 2);
}

/** Three taps from `evenTaps` and `oddTap`. */
function joinTaps(even: Tensor, odd: Tensor, axis: number): Tensor {
  return concat([sliceAxis(even, axis, 1, 2), odd, sliceAxis(even, axis, 0, 1)], axis);
}

/** The parities of a transposed image put together, and filtered. */
function foldedUp({ ee, eo, oe, oo }: Phases): Tensor {
  const spread = interleave(interleave(ee, eo, 3), interleave(oe, oo, 3), 2);
  return upfirdn2d(spread, DEFAULT_TAPS, { padding: 1, gain: 4 });
}

type Phases = Readonly<Record<Phase, Tensor>>;

/** even[0], odd[0], even[1], ..., even[n]: one more even than odd slices along the axis. */
function interleave(even: Tensor, odd: Tensor, axis: number): Tensor {
  const count = even.shape[axis];
  const at = (extent: number): number[] => even.shape.map((_, i) => (i === axis ? extent : 0));
  const padded = pad(odd, at(0), at(1));
  const withPair = (x: Tensor): Tensor =>
    reshape(x, [...x.shape.slice(0, axis + 1), 1, ...x.shape.slice(axis + 1)]);
  const paired = concat([withPair(even), withPair(padded)], axis + 1);
  const shape = even.shape.map((extent, i) => (i === axis ? 2 * count : extent));
  const limits = shape.map((extent, i) => (i === axis ? 2 * count - 1 : extent));
  return slice(reshape(paired, shape), at(0), limits);
}

/** What a layer's epilogue does first to what was convolved. */
interface Preparation<K extends string> {
  /** As primitives, for definitions. */
  prepare(given: Readonly<Record<K, Tensor>>): Tensor;
  /** As an operation of its own. */
  prepared(given: Readonly<Record<K, Tensor>>): Tensor;
  adjoint(cotangent: Tensor): Readonly<Record<K, Tensor>>;
}

function finishLayer<K extends string>(
  name: string,
  convolved: Readonly<Record<K, Tensor>>,
  layer: LayerTensors,
  options: LayerOptions,
  preparation: Preparation<K>,
): LayerResult {
  const gain = (options.gain ?? 1) * Math.SQRT2;
  const clamp = options.clamp === undefined ? 0 : options.clamp * (options.gain ?? 1);
  const keep = options.keep ?? true;
  const demod = demodulation(layer.weight, layer.styles);
  const inputs: Record<string, Tensor> = { ...convolved, demod, bias: layer.bias };
  if (layer.noise !== undefined) inputs.noise = layer.noise;
  if (layer.next !== undefined) inputs.next = layer.next;
  const has = { noise: layer.noise !== undefined, next: layer.next !== undefined, keep };
  const bend = { slope: LRELU_SLOPE, gain, clamp };
  const define = (given: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>> => {
    let y = modulate(preparation.prepare(given as Readonly<Record<K, Tensor>>), given.demod);
    if (given.noise !== undefined) {
      const [noises, height, width] = given.noise.shape;
      y = add(y, reshape(given.noise, [noises, 1, height, width]));
    }
    const bounds = clamp === 0 ? undefined : clamp;
    const value = biasAct(y, given.bias, { activation: 'lrelu', gain, clamp: bounds });
    return { value, ...(given.next === undefined ? {} : { scaled: modulate(value, given.next) }) };
  };
  const outputs = fused(
    name,
    { ...bend, ...has },
    inputs,
    (given) => {
      const { value, ...scaled } = define(given);
      return keep ? { value, ...scaled } : scaled;
    },
    ({ inputs: given, outputs: { value }, cotangents }) => {
      const { next: _, ...rest } = given;
      const again = (): Tensor => fused(name, { ...bend, ...has, next: false, keep: true }, rest, define)[0];
      const taken = Object.fromEntries(Object.keys(convolved).map((key) => [key, given[key]]));
      const z = preparation.prepared(taken as Record<K, Tensor>);
      const { z: dz, ...others } = epilogueGradient(bend, value ?? again(), z, given, cotangents);
      return { ...preparation.adjoint(dz), ...others };
    },
  );
  return { value: keep ? outputs[0] : undefined, scaled: has.next ? outputs[keep ? 1 : 0] : undefined };
}

/** Cotangents of an epilogue's inputs in one pass, `z` being what it began with. */
function epilogueGradient(
  bend: Omit<Bend, 'axis'>,
  value: Tensor,
  z: Tensor,
  { demod, next, noise }: Readonly<Record<string, Tensor | undefined>>,
  { value: gv, scaled: gs }: Readonly<Record<string, Tensor | undefined>>,
): Readonly<Record<'z' | 'bias' | 'demod', Tensor>> & { readonly next?: Tensor; readonly noise?: Tensor } {
  const given = { ...(gv && { gv }), ...(gs && { gs, next: next! }), value, z, demod: demod! };
  // Of the noise only the shape counts: one image for all samples, or one for each.
  const noises = noise === undefined ? 0 : noise.shape[0];
  const options = { ...bend, gv: gv !== undefined, gs: gs !== undefined, noises };
  const names = ['z', 'bias', 'demod', ...(gs ? ['next'] : []), ...(noise ? ['noise'] : [])];
  const results = fused('layerEpilogueGrad', options, given as Record<string, Tensor>, (now) => {
    const scaled = now.gs === undefined ? undefined : modulate(now.gs, now.next);
    const g = now.gv === undefined ? scaled! : scaled === undefined ? now.gv : add(now.gv, scaled);
    const { x: u, bias } = biasActGrad(g, now.value, { ...bend, axis: 1 } as Bend, true);
    return {
      z: modulate(u, now.demod),
      bias: bias!,
      demod: reduceSum(mul(u, now.z), [2, 3]),
      ...(now.gs && { next: reduceSum(mul(now.gs, now.value), [2, 3]) }),
      ...(noise && { noise: noises === 1 ? reduceSum(u, [0, 1]) : reduceSum(u, [1]) }),
    };
  });
  const found = Object.fromEntries(names.map((name, i) => [name, results[i]]));
  if (noise) found.noise = reshape(found.noise, noise.shape);
  return found as ReturnType<typeof epilogueGradient>;
}

/** A skip connection's image: the new contribution with its bias, on top of the previous image enlarged.
 *
 * @param previous [N, C, H, W]
 * @param y        [N, C, 2H, 2W]
 * @param bias     [C]
 */
export function skipUp(previous: Tensor, y: Tensor, bias: Tensor, clamp?: number): Tensor {
  const [result] = fused('skipUp', { clamp: clamp ?? 0 }, { previous, y, bias }, (given) => {
    const addition = biasAct(given.y, given.bias, { clamp });
    return { image: add(upsample2d(given.previous), addition) };
  });
  return result;
}

/** 1x1 modulated convolution without demodulation, as a matrix product; styles scale the small weight.
 *
 * @param x      [N, C, H, W]
 * @param weight [O, C, 1, 1]
 * @param styles [N, C], the fan-in gain included
 */
export function toRgb(x: Tensor, weight: Tensor, styles: Tensor): Tensor {
  const [batch, channels, height, width] = x.shape;
  const out = weight.shape[0];
  const modulated = mul(reshape(weight, [1, out, channels]), reshape(styles, [batch, 1, channels]));
  return reshape(matmul(modulated, reshape(x, [batch, channels, height * width])), [
    batch,
    out,
    height,
    width,
  ]);
}
