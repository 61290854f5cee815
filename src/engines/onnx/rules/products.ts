/** Matrix products, convolutions and pooling: what ONNX is there for. */

import { type Node, sameShape, type Tensor } from '../../../tensor/index.ts';
import { broadcastShapes } from '../../../tensor/primitives/common.ts';
import type { ConvolutionAttrs } from '../../../tensor/primitives/convolution.ts';
import type { Lowering, Rule, Rules, Value } from '../lowering.ts';
import { emitPad, emitReverse, emitSlice } from './movement.ts';

type Sides = ConvolutionAttrs['padding'];

/** Batch axes broadcast in ONNX as elementwise operands do; the two matrix axes do not. */
const matmul: Rule = (node, lowering) => {
  const operands = node.inputs.map((tensor) => withMatrix(tensor, lowering));
  const product = lowering.emit(
    'MatMul',
    operands.map(({ name }) => name),
  );
  const { shape } = node.outputs[0];
  const [a, b] = operands.map((operand) => operand.shape.slice(0, -2));
  return [sameShape(broadcastShapes(a, b), shape.slice(0, -2)) ? product : lowering.expand(product, shape)];
};

function withMatrix(tensor: Tensor, lowering: Lowering): Value {
  const core = lowering.unexpanded(tensor);
  const whole = core.shape.length >= 2 && sameShape(core.shape.slice(-2), tensor.shape.slice(-2));
  return whole ? core : { name: lowering.value(tensor), shape: tensor.shape };
}

function options(node: Node): ConvolutionAttrs {
  return node.attrs as unknown as ConvolutionAttrs;
}

/** ONNX's order: all beginnings, then all ends. */
function pads([[top, bottom], [left, right]]: Sides): number[] {
  return [top, left, bottom, right];
}

function mapSides(padding: Sides, f: (side: number) => number): Sides {
  const [[top, bottom], [left, right]] = padding;
  return [
    [f(top), f(bottom)],
    [f(left), f(right)],
  ];
}

/** Pads images explicitly: rows and columns only. */
function padImages(lowering: Lowering, x: string, padding: Sides, value = 0): string {
  const [top, left, bottom, right] = pads(padding);
  return emitPad(lowering, x, [0, 0, top, left], [0, 0, bottom, right], lowering.scalar('float32', value));
}

/** Negative padding cuts, which ONNX's Conv does not do. */
function emitConv(
  lowering: Lowering,
  image: string,
  weight: string,
  kernel: readonly number[],
  { stride, padding, dilation, groups }: ConvolutionAttrs,
): string {
  const cut = mapSides(padding, (side) => Math.min(0, side));
  return lowering.emit('Conv', [padImages(lowering, image, cut), weight], {
    kernel_shape: kernel,
    strides: stride,
    pads: pads(mapSides(padding, (side) => Math.max(0, side))),
    dilations: dilation,
    group: groups,
  });
}

const conv2d: Rule = (node, lowering) => {
  const [x, w] = node.inputs;
  return [emitConv(lowering, lowering.value(x), lowering.value(w), w.shape.slice(2), options(node))];
};

/** Pixels from which a plain convolution with the turned weight beats ConvTranspose of stride 1: measured 1.1 to 1.7
 * times as fast at 32 x 32 and above, slower below, where turning the weight counts. */
const PLAIN_FROM_PIXELS = 1024;

/** `extra` rows are ones that end padding would have cropped; beyond the image they are zeros. */
const conv2dTranspose: Rule = (node, lowering) => {
  const { stride, padding, dilation, groups } = options(node);
  const extra = node.attrs.extra as readonly number[];
  const [x, w] = node.inputs;
  const crop: Sides = [
    [padding[0][0], padding[0][1] - extra[0]],
    [padding[1][0], padding[1][1] - extra[1]],
  ];
  if (stride[0] === 1 && stride[1] === 1 && x.shape[2] * x.shape[3] >= PLAIN_FROM_PIXELS) {
    const reach = (axis: 0 | 1): number => dilation[axis] * (w.shape[2 + axis] - 1);
    const around: Sides = [
      [reach(0) - crop[0][0], reach(0) - crop[0][1]],
      [reach(1) - crop[1][0], reach(1) - crop[1][1]],
    ];
    const attrs = { stride, padding: around, dilation, groups };
    return [
      emitConv(lowering, lowering.value(x), turnedWeight(w, groups, lowering), w.shape.slice(2), attrs),
    ];
  }
  const image = lowering.emit('ConvTranspose', [lowering.value(x), lowering.value(w)], {
    kernel_shape: w.shape.slice(2),
    strides: stride,
    pads: pads(mapSides(crop, (side) => Math.max(0, side))),
    dilations: dilation,
    group: groups,
  });
  return [
    padImages(
      lowering,
      image,
      mapSides(crop, (side) => Math.max(0, -side)),
    ),
  ];
};

/** The weight [O, C / groups, kh, kw] as [C, O / groups, kh, kw], its taps in reverse. */
function turnedWeight(w: Tensor, groups: number, lowering: Lowering): string {
  const [out, perGroup, rows, columns] = w.shape;
  const reshaped = (name: string, shape: readonly number[]): string =>
    lowering.emit('Reshape', [name, lowering.ints(shape)]);
  const split = reshaped(lowering.value(w), [groups, out / groups, perGroup, rows * columns]);
  const swapped = lowering.emit('Transpose', [split], { perm: [0, 2, 1, 3] });
  const reversed = emitReverse(lowering, swapped, [3]);
  return reshaped(reversed, [groups * perGroup, out / groups, rows, columns]);
}

/**
 * For each tap of the kernel, a batched product of the gradient and the shifted image; summed over the batch.
 *
 * Keeping the batch as an axis of the product measured best of four ways (notes on engines, section 2).
 */
const conv2dWeightGrad: Rule = (node, lowering) => {
  const { stride, padding, dilation, groups } = options(node);
  const [rows, columns] = node.attrs.kernel as readonly [number, number];
  const [x, dy] = node.inputs;
  const [batch, outChannels, height, width] = dy.shape;
  const channels = x.shape[1];
  const pixels = height * width;
  const image = padImages(lowering, lowering.value(x), padding);
  const gradient = lowering.emit('Reshape', [
    lowering.value(dy),
    lowering.ints([batch, groups, outChannels / groups, pixels]),
  ]);
  const taps: string[] = [];
  for (let a = 0; a < rows; a++) {
    for (let b = 0; b < columns; b++) {
      const [i, j] = [a * dilation[0], b * dilation[1]];
      const window = emitSlice(
        lowering,
        image,
        [0, 0, i, j],
        [batch, channels, i + (height - 1) * stride[0] + 1, j + (width - 1) * stride[1] + 1],
        [1, 1, ...stride],
      );
      const lines = lowering.emit('Reshape', [
        window,
        lowering.ints([batch, groups, channels / groups, pixels]),
      ]);
      const turned = lowering.emit('Transpose', [lines], { perm: [0, 1, 3, 2] });
      taps.push(lowering.emit('MatMul', [gradient, turned]));
    }
  }
  const stacked = summedOverBatch(taps, batch, node, lowering);
  const moved = lowering.emit('Transpose', [stacked], { perm: [1, 2, 3, 0] });
  return [lowering.emit('Reshape', [moved, lowering.ints(node.outputs[0].shape)])];
};

/** Products [N, groups, O / groups, C / groups] of each tap to [taps, groups, ...]: one sum for all of them. */
function summedOverBatch(taps: readonly string[], batch: number, node: Node, lowering: Lowering): string {
  const stacked = taps.length === 1 ? taps[0] : lowering.emit('Concat', taps, { axis: 0 });
  if (batch === 1) return stacked;
  const groups = node.attrs.groups as number;
  const [out, perGroup] = node.outputs[0].shape;
  const shape = [taps.length, batch, groups, out / groups, perGroup];
  const split = lowering.emit('Reshape', [stacked, lowering.ints(shape)]);
  return lowering.emit('ReduceSum', [split, lowering.ints([1])], { keepdims: 0 });
}

/** onnxruntime wants less padding than kernel: more of it is written out as minus infinity. */
const maxPool: Rule = (node, lowering) => {
  const { stride, padding } = options(node);
  const kernel = node.attrs.kernel as readonly number[];
  const within = padding.every((sides, axis) => sides.every((side) => side >= 0 && side < kernel[axis]));
  const none: Sides = mapSides(padding, () => 0);
  const x = lowering.value(node.inputs[0]);
  return [
    lowering.emit('MaxPool', [within ? x : padImages(lowering, x, padding, Number.NEGATIVE_INFINITY)], {
      kernel_shape: kernel,
      strides: stride,
      pads: pads(within ? padding : none),
    }),
  ];
};

export const productRules: Rules = { matmul, conv2d, conv2dTranspose, conv2dWeightGrad, maxPool };
