/** Fused operations that ONNX has as one operator of its own, under `fused:` and their name. */

import type { ConvolutionAttrs } from '../../../tensor/primitives/convolution.ts';
import type { Rule, Rules } from '../lowering.ts';

/** ONNX Runtime's direct convolution; blocked images have the shapes of what they stand for. */
const blockedConv: Rule = (node, lowering) => {
  const [x, w] = node.inputs;
  const { stride, padding, dilation } = node.attrs.options as unknown as ConvolutionAttrs;
  const [[top, bottom], [left, right]] = padding;
  return [
    lowering.emit('nchwc:Conv', [lowering.value(x), lowering.value(w)], {
      kernel_shape: w.shape.slice(2),
      strides: stride,
      pads: [top, left, bottom, right],
      dilations: dilation,
      group: 1,
    }),
  ];
};

export const fusedRules: Rules = { 'fused:blockedConv': blockedConv };
