/**
 * `portraitgan/tensor`: programs. Functions of symbolic tensors are traced to immutable graphs with static
 * shapes, simplified, shown, counted, and handed to an engine.
 */

export {
  ACTIVATION_NAMES,
  type Activation,
  biasAct,
  clampAbs,
  defaultGain,
} from './composites/activation.ts';
export { conv2dResample } from './composites/conv2d-resample.ts';
export {
  DEFAULT_TAPS,
  downsample2d,
  filter2d,
  gaussianBlur,
  makeTaps,
  type Taps,
  upfirdn2d,
  upsample2d,
} from './composites/fir.ts';
export { fusedMultiplyAdd } from './composites/fma.ts';
export { fullyConnected } from './composites/fully-connected.ts';
export { minibatchStd } from './composites/minibatch-std.ts';
export { demodulation, type ModulationForm, modulatedConv2d } from './composites/modulated-conv.ts';
export { mean, normalizeSecondMoment } from './composites/normalize.ts';
export {
  type AdamSettings,
  type AdamState,
  adamStep,
  emaStep,
  LARGEST_GRADIENT,
} from './composites/optimiser.ts';
export { filteredResize, resizeBilinear, resizeMatrix } from './composites/resize.ts';
export { log1p, sigmoid, softplus, softplusExact } from './composites/softplus.ts';
export {
  type LayerResult,
  type LayerTensors,
  modulate,
  skipUp,
  synthesisLayer,
  synthesisUpLayer,
  toRgb,
} from './composites/synthesis.ts';
export { PLANE_AXES, sampleTrigrid } from './composites/trigrid.ts';
export { bytesOf, costOf, denseFlopsOf, type GraphCost, liveBytesOf, type NodeCost } from './cost.ts';
export type * from './engine.ts';
export { expandFused, type FusedAttrs, type FusedGradient, fused } from './fused.ts';
export { grad, valueAndGrad } from './gradient.ts';
export {
  type Attr,
  type Attrs,
  apply,
  type GradientRule,
  type Graph,
  input,
  type Named,
  type Node,
  type Primitive,
  parameter,
  type Tensor,
  trace,
} from './graph.ts';
export { liftParameters } from './lift.ts';
export { abs } from './primitives/abs.ts';
export { add } from './primitives/add.ts';
export { after } from './primitives/after.ts';
export { and } from './primitives/and.ts';
export { broadcastTo } from './primitives/broadcast.ts';
export { cast } from './primitives/cast.ts';
export { concat } from './primitives/concat.ts';
export { constant } from './primitives/constant.ts';
export { conv2d } from './primitives/conv2d.ts';
export { conv2dTranspose } from './primitives/conv2d-transpose.ts';
export { conv2dWeightGrad } from './primitives/conv2d-weight-grad.ts';
export type { ConvolutionOptions } from './primitives/convolution.ts';
export { cos } from './primitives/cos.ts';
export { cumsum } from './primitives/cumsum.ts';
export { div } from './primitives/div.ts';
export { equal } from './primitives/equal.ts';
export { exp } from './primitives/exp.ts';
export { floor } from './primitives/floor.ts';
export { gather } from './primitives/gather.ts';
export { iota } from './primitives/iota.ts';
export { less } from './primitives/less.ts';
export { lessEqual } from './primitives/less-equal.ts';
export type { Operand } from './primitives/lifting.ts';
export { log } from './primitives/log.ts';
export { matmul } from './primitives/matmul.ts';
export { maxPool } from './primitives/max-pool.ts';
export { maximum } from './primitives/maximum.ts';
export { minimum } from './primitives/minimum.ts';
export { mul } from './primitives/mul.ts';
export { neg } from './primitives/neg.ts';
export { not } from './primitives/not.ts';
export { or } from './primitives/or.ts';
export { pad } from './primitives/pad.ts';
export { pow } from './primitives/pow.ts';
export { reduceMax } from './primitives/reduce-max.ts';
export { reduceMin } from './primitives/reduce-min.ts';
export { reduceSum } from './primitives/reduce-sum.ts';
export { reshape } from './primitives/reshape.ts';
export { reverse } from './primitives/reverse.ts';
export { scatterAdd } from './primitives/scatter-add.ts';
export { sign } from './primitives/sign.ts';
export { sin } from './primitives/sin.ts';
export { slice, sliceAxis } from './primitives/slice.ts';
export { sort } from './primitives/sort.ts';
export { sqrt } from './primitives/sqrt.ts';
export { stopGradient } from './primitives/stop-gradient.ts';
export { sub } from './primitives/sub.ts';
export { tanh } from './primitives/tanh.ts';
export { transpose } from './primitives/transpose.ts';
export { where } from './primitives/where.ts';
export { rematerialise } from './rematerialise.ts';
export { simplify } from './simplify.ts';
export { keyOfGraph } from './structure.ts';
export { showGraph } from './text.ts';
export * from './types.ts';
