/** The fused operations of rendering and of the body's search in WGSL. */

import type { Kernel } from '../kernel.ts';
import { decodeDensityKernel, decodePointsKernel } from './decode.ts';
import { renderRaysKernel } from './render.ts';
import { decodePointsGradKernel, renderRaysGradKernel } from './render-grad.ts';
import { deformPointsKernel, nearestFacesKernel } from './search.ts';

export const renderKernels: readonly Kernel[] = [
  renderRaysGradKernel,
  decodePointsGradKernel,
  decodePointsKernel,
  decodeDensityKernel,
  renderRaysKernel,
  nearestFacesKernel,
  deformPointsKernel,
];
