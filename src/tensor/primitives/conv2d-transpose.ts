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
  forEachTap,
  requireImages,
} from './convolution.ts';

type TransposeAttrs = ConvolutionAttrs & { readonly extra: readonly [number, number] };

/** The convolution that this one is the adjoint of: its output is our input. */
function geometry([y, w]: readonly Aval[], attrs: TransposeAttrs): ConvolutionGeometry {
  requireImages(y, 'input');
  requireImages(w, 'weight');
  const [batch, outChannels, rows, columns] = y.shape;
  const [weightOut, perGroup, ...kernel] = w.shape;
  if (outChannels !== weightOut || outChannels % attrs.groups !== 0) {
    throw new ShapeError(
      `input ${showAval(y)} has ${outChannels} channels but weight ${showAval(w)} expects ${weightOut}`,
    );
  }
  const side = (axis: 0 | 1, size: number): number =>
    (size - 1) * attrs.stride[axis] -
    attrs.padding[axis][0] -
    attrs.padding[axis][1] +
    attrs.dilation[axis] * (kernel[axis] - 1) +
    1 +
    attrs.extra[axis];
  return {
    batch,
    inChannels: perGroup * attrs.groups,
    outChannels,
    input: [side(0, rows), side(1, columns)],
    kernel: [kernel[0], kernel[1]],
    output: [rows, columns],
    attrs,
  };
}

export const conv2dTransposePrimitive: Primitive<TransposeAttrs> = {
  name: 'conv2dTranspose',
  infer: (inputs, attrs) => {
    const g = geometry(inputs, attrs);
    if (!(g.input[0] >= 0 && g.input[1] >= 0))
      throw new ShapeError(`padding leaves ${g.input.join(' x ')} pixels`);
    return [{ dtype: 'float32', shape: [g.batch, g.inChannels, ...g.input] }];
  },
  reference: (inputs, attrs, [result]) => {
    const out = hostZeros(result);
    const [image, weight] = [inputs[0].data, inputs[1].data];
    forEachTap(geometry(inputs, attrs), (x, w, y, step, length) => {
      const tap = weight[w];
      for (let k = 0; k < length; k++) out[x + k * step] += tap * image[y + k];
    });
    return [out];
  },
  flops: (inputs, _outputs, attrs) => convolutionFlops(geometry(inputs, attrs)),
};

/** Transposed convolution: the adjoint of `conv2d` in its input.
 *
 * @param x [N, O, P, Q]
 * @param w [O, C / groups, kh, kw], the weight of the convolution from C to O channels.
 * @param options `padding` is cropped; `extra` rows and columns are added at the end.
 */
export function conv2dTranspose(
  x: Tensor,
  w: Tensor,
  options: ConvolutionOptions & { extra?: readonly [number, number] } = {},
): Tensor {
  const { extra = [0, 0], ...rest } = options;
  return apply(conv2dTransposePrimitive, [x, w], { ...convolutionAttrs(rest), extra }).outputs[0];
}
