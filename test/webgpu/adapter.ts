/** The GPU that tests run on, if there is one: a software adapter in CI (`vitest.config.ts` says which). */

import { openNodeDevice } from '../../src/engines/webgpu/node.ts';

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
