/** The GPU that tests run on, if there is one: a software adapter in CI (`vitest.config.ts` says which). */

import { webgpuEngine } from '../../src/engines/webgpu/index.ts';
import { openNodeDevice } from '../../src/engines/webgpu/node.ts';

import type { Engine } from '../../src/tensor/index.ts';

export interface TestGpu {
  /** Undefined when there is none. */
  readonly device?: GPUDevice;
  /** Why tests are skipped, in brackets for their names; empty when they are not. */
  readonly missing: string;
}

/** Opens a device, or says why there is none. */
export async function testGpu(): Promise<TestGpu> {
  try {
    return { device: await openNodeDevice(), missing: '' };
  } catch (error) {
    const missing = error instanceof Error ? error.message : String(error);
    console.warn(`SKIPPED tests of the webgpu engine: ${missing}`);
    return { missing: ` (skipped: ${missing})` };
  }
}

/** What a command says of a software adapter and of shaders that it compiles. */
export const GPU_REMARKS = /^(portraitgan: webgpu: .* computes on the CPU|shaders of ).*\n/gm;

/** `webgpu` where there is an adapter, for tables of engine names, or nothing, and then a warning says why. */
export async function gpuEngineNames(): Promise<'webgpu'[]> {
  const { device } = await testGpu();
  device?.destroy();
  return device === undefined ? [] : ['webgpu'];
}

/** The webgpu engine for tables that all engines run, or none, and then a warning says why. */
export async function gpuEngines(): Promise<Engine[]> {
  const { device } = await testGpu();
  return device === undefined ? [] : [webgpuEngine({ device })];
}

/** How much further from the reference than the engines of the CPU a GPU may be: its division, roots and exponentials
 * are not rounded to the last bit. */
export function allowance({ name }: Engine): number {
  return name === 'webgpu' ? 4 : 1;
}
