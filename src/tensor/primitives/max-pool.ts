import { apply, type Primitive, type Tensor } from '../graph.ts';
import { sizeOf } from '../types.ts';
import { hostZeros } from './common.ts';
import { type ConvolutionAttrs, convolutionAttrs, convolvedSize, requireImages } from './convolution.ts';

type MaxPoolAttrs = ConvolutionAttrs & { readonly kernel: readonly [number, number] };

export const maxPoolPrimitive: Primitive<MaxPoolAttrs> = {
  name: 'maxPool',
  infer: ([x], attrs) => {
    requireImages(x, 'input');
    return [
      {
        dtype: 'float32',
        shape: [x.shape[0], x.shape[1], ...convolvedSize(x.shape.slice(2), attrs.kernel, attrs)],
      },
    ];
  },
  reference: ([x], { kernel, stride, padding }, [output]) => {
    const out = hostZeros(output).fill(Number.NEGATIVE_INFINITY);
    const [height, width] = x.shape.slice(2);
    const [rows, columns] = output.shape.slice(2);
    for (let at = 0; at < out.length; at++) {
      const q = at % columns;
      const p = Math.floor(at / columns) % rows;
      const plane = Math.floor(at / (columns * rows)) * height;
      for (let a = 0; a < kernel[0]; a++) {
        const i = p * stride[0] + a - padding[0][0];
        if (i < 0 || i >= height) continue;
        for (let b = 0; b < kernel[1]; b++) {
          const j = q * stride[1] + b - padding[1][0];
          if (j >= 0 && j < width) out[at] = Math.max(out[at], x.data[(plane + i) * width + j]);
        }
      }
    }
    return [out];
  },
  flops: (_inputs, [output], { kernel }) => sizeOf(output.shape) * kernel[0] * kernel[1],
};

/** Largest value of each window of [N, C, H, W]; padding counts as minus infinity. */
export function maxPool(
  x: Tensor,
  kernel: readonly [number, number],
  options: { stride?: number; padding?: number | ConvolutionAttrs['padding'] } = {},
): Tensor {
  return apply(maxPoolPrimitive, [x], { ...convolutionAttrs({ stride: kernel[0], ...options }), kernel })
    .outputs[0];
}
