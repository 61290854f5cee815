/** Dense arithmetic in WGSL: matrix products, convolutions, their transposes and their weights' gradients. */

import type { Kernel } from '../kernel.ts';
import { conv2dKernel, conv2dTransposeKernel } from './convolutions.ts';
import { matmulKernel } from './matmul.ts';
import { conv2dWeightGradKernel } from './weight-gradient.ts';

export type { DenseChoice } from './call.ts';
export { planConv2d, planConv2dTranspose } from './convolutions.ts';
export { type ProductOperand, planMatmul } from './matmul.ts';
export type { Cut, ProductShape, Tile } from './tile.ts';
export { planConv2dWeightGrad } from './weight-gradient.ts';

export const denseKernels: readonly Kernel[] = [
  matmulKernel,
  conv2dKernel,
  conv2dTransposeKernel,
  conv2dWeightGradKernel,
];
