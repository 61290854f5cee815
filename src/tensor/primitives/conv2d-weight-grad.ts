import { ShapeError } from '../../errors.ts';
import { apply, type Primitive, type Tensor } from '../graph.ts';
import { type Aval, showAval } from '../types.ts';
import { hostZeros } from './common.ts';
import {
  type ConvolutionAttrs,
  type ConvolutionGeometry,
  type ConvolutionOptions,
  convolutionAttrs,
  convolutionFlops,
  convolvedSize,
  forEachTap,
  requireImages,
} from './convolution.ts';

type WeightGradAttrs = ConvolutionAttrs & { readonly kernel: readonly [number, number] };

function geometry([x, y]: readonly Aval[], attrs: WeightGradAttrs): ConvolutionGeometry {
  requireImages(x, 'input');
  requireImages(y, 'output gradient');
  const [batch, inChannels, height, width] = x.shape;
  const [yBatch, outChannels, rows, columns] = y.shape;
  const output = convolvedSize([height, width], attrs.kernel, attrs);
  if (batch !== yBatch || rows !== output[0] || columns !== output[1]) {
    throw new ShapeError(
      `output gradient ${showAval(y)} does not fit input ${showAval(x)}: ${output.join(' x ')} pixels expected`,
    );
  }
  if (inChannels % attrs.groups !== 0 || outChannels % attrs.groups !== 0) {
    throw new ShapeError(
      `${inChannels} and ${outChannels} channels cannot be divided into ${attrs.groups} groups`,
    );
  }
  return { batch, inChannels, outChannels, input: [height, width], kernel: attrs.kernel, output, attrs };
}

export const conv2dWeightGradPrimitive: Primitive<WeightGradAttrs> = {
  name: 'conv2dWeightGrad',
  infer: (inputs, attrs) => {
    const g = geometry(inputs, attrs);
    return [{ dtype: 'float32', shape: [g.outChannels, g.inChannels / attrs.groups, ...g.kernel] }];
  },
  reference: (inputs, attrs, [result]) => {
    const out = hostZeros(result);
    const [image, gradient] = [inputs[0].data, inputs[1].data];
    forEachTap(geometry(inputs, attrs), (x, w, y, step, length) => {
      let total = 0;
      for (let k = 0; k < length; k++) total += gradient[y + k] * image[x + k * step];
      out[w] += total;
    });
    return [out];
  },
  flops: (inputs, _outputs, attrs) => convolutionFlops(geometry(inputs, attrs)),
};

/** Gradient of `conv2d(x, w)` in its weight, given the gradient of its output.
 *
 * @param x      [N, C, H, W]
 * @param dy     [N, O, P, Q]
 * @param kernel rows and columns of the weight: a strided convolution does not tell them.
 * @returns      [O, C / groups, kh, kw]
 */
export function conv2dWeightGrad(
  x: Tensor,
  dy: Tensor,
  kernel: readonly [number, number],
  options: ConvolutionOptions = {},
): Tensor {
  return apply(conv2dWeightGradPrimitive, [x, dy], { ...convolutionAttrs(options), kernel }).outputs[0];
}
