/**
 * Gradients of matrix products and convolutions.
 *
 * The three convolutions (of an image with a weight, its adjoint in the image, its adjoint in the weight) are each
 * bilinear, and each other's gradients: the set is closed, so every order of derivative stays inside of it.
 */

import { apply, type Node, type Tensor } from '../graph.ts';
import { conv2dPrimitive } from '../primitives/conv2d.ts';
import { conv2dTransposePrimitive } from '../primitives/conv2d-transpose.ts';
import { conv2dWeightGradPrimitive } from '../primitives/conv2d-weight-grad.ts';
import type { ConvolutionAttrs } from '../primitives/convolution.ts';
import { matmul } from '../primitives/matmul.ts';
import { transpose } from '../primitives/transpose.ts';
import { type Gradients, slopes } from './rule.ts';

function turned(x: Tensor): Tensor {
  const rank = x.shape.length;
  return transpose(
    x,
    x.shape.map((_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis)),
  );
}

function attrsOf(node: Node): ConvolutionAttrs {
  const { stride, padding, dilation, groups } = node.attrs as unknown as ConvolutionAttrs;
  return { stride, padding, dilation, groups };
}

/** The image [N, C, rows, columns] whose convolution with `w` is what `y` is paired with. */
function imageGradient(
  y: Tensor,
  w: Tensor,
  attrs: ConvolutionAttrs,
  [rows, columns]: readonly number[],
): Tensor {
  // Rows that no window reaches: the transposed convolution has to be told of them.
  const missing = (axis: 0 | 1, size: number): number =>
    size -
    (y.shape[2 + axis] - 1) * attrs.stride[axis] +
    attrs.padding[axis][0] +
    attrs.padding[axis][1] -
    attrs.dilation[axis] * (w.shape[2 + axis] - 1) -
    1;
  const extra = [missing(0, rows), missing(1, columns)] as const;
  return apply(conv2dTransposePrimitive, [y, w], { ...attrs, extra }).outputs[0];
}

function weightGradient(x: Tensor, y: Tensor, attrs: ConvolutionAttrs, w: Tensor): Tensor {
  const kernel = [w.shape[2], w.shape[3]] as const;
  return apply(conv2dWeightGradPrimitive, [x, y], { ...attrs, kernel }).outputs[0];
}

/** The convolution that a transposed one is the adjoint of: `extra` rows are end padding that is not there. */
function adjointAttrs(node: Node): ConvolutionAttrs {
  const attrs = attrsOf(node);
  const [[top, bottom], [left, right]] = attrs.padding;
  const [rows, columns] = node.attrs.extra as readonly [number, number];
  return {
    ...attrs,
    padding: [
      [top, bottom - rows],
      [left, right - columns],
    ],
  };
}

export const productGradients: Gradients = {
  matmul: slopes(
    (g, { inputs: [, b] }) => matmul(g, turned(b)),
    (g, { inputs: [a] }) => matmul(turned(a), g),
  ),
  conv2d: slopes(
    (g, node) => imageGradient(g, node.inputs[1], attrsOf(node), node.inputs[0].shape.slice(2)),
    (g, node) => weightGradient(node.inputs[0], g, attrsOf(node), node.inputs[1]),
  ),
  conv2dTranspose: slopes(
    (g, node) => apply(conv2dPrimitive, [g, node.inputs[1]], adjointAttrs(node)).outputs[0],
    (g, node) => weightGradient(g, node.inputs[0], adjointAttrs(node), node.inputs[1]),
  ),
  conv2dWeightGrad: slopes(
    (g, node) => imageGradient(node.inputs[1], g, attrsOf(node), node.inputs[0].shape.slice(2)),
    (g, node) => apply(conv2dPrimitive, [node.inputs[0], g], attrsOf(node)).outputs[0],
  ),
};
