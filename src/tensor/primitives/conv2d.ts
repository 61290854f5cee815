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

function geometry([x, w]: readonly Aval[], attrs: ConvolutionAttrs): ConvolutionGeometry {
  requireImages(x, 'input');
  requireImages(w, 'weight');
  const [batch, inChannels, height, width] = x.shape;
  const [outChannels, perGroup, kernelRows, kernelColumns] = w.shape;
  if (inChannels !== perGroup * attrs.groups) {
    throw new ShapeError(
      `input ${showAval(x)} has ${inChannels} channels but weight ${showAval(w)} expects ${perGroup * attrs.groups}`,
    );
  }
  if (outChannels % attrs.groups !== 0) {
    throw new ShapeError(`weight ${showAval(w)} cannot be divided into ${attrs.groups} groups`);
  }
  const kernel: [number, number] = [kernelRows, kernelColumns];
  const input: [number, number] = [height, width];
  return {
    batch,
    inChannels,
    outChannels,
    input,
    kernel,
    output: convolvedSize(input, kernel, attrs),
    attrs,
  };
}

export const conv2dPrimitive: Primitive<ConvolutionAttrs> = {
  name: 'conv2d',
  infer: (inputs, attrs) => {
    const g = geometry(inputs, attrs);
    return [{ dtype: 'float32', shape: [g.batch, g.outChannels, ...g.output] }];
  },
  reference: (inputs, attrs, [result]) => {
    const out = hostZeros(result);
    const [image, weight] = [inputs[0].data, inputs[1].data];
    forEachTap(geometry(inputs, attrs), (x, w, y, step, length) => {
      const tap = weight[w];
      for (let k = 0; k < length; k++) out[y + k] += tap * image[x + k * step];
    });
    return [out];
  },
  flops: (inputs, _outputs, attrs) => convolutionFlops(geometry(inputs, attrs)),
};

/** Two-dimensional correlation (no kernel flip).
 *
 * @param x [N, C, H, W]
 * @param w [O, C / groups, kh, kw]
 */
export function conv2d(x: Tensor, w: Tensor, options: ConvolutionOptions = {}): Tensor {
  return apply(conv2dPrimitive, [x, w], convolutionAttrs(options)).outputs[0];
}
