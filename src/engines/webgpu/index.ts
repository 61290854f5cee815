/**
 * `portraitgan/engines/webgpu`: the engine on a GPU, in a page and in Node alike.
 *
 * The device is handed in: a page's own, or Dawn's (npm package `webgpu`, through `openNodeDevice`). Everything runs as
 * WGSL of our own, and only what is asked for comes back.
 */

import type { Engine } from '../../tensor/engine.ts';
import type { NdArray } from '../../tensor/index.ts';
import { engineOf } from '../shared-engine.ts';
import { compileProgram } from './compile.ts';
import { denseKernels } from './dense/index.ts';
import { arrayFrom, bytesIn, createGpu } from './gpu.ts';
import { GpuError } from './gpu-error.ts';
import type { Kernel } from './kernel.ts';
import { primitiveKernels } from './primitives.ts';
import { type Held, heldIn, loadProgram, type ProgramHooks, type Weights } from './program.ts';
import { renderKernels } from './render/index.ts';

export { type DeviceDescription, type DeviceOptions, describeDevice, openDevice } from './device.ts';
export { GpuError, type GpuTrouble } from './gpu-error.ts';

export interface WebgpuEngineOptions extends ProgramHooks {
  readonly device: GPUDevice;
  /** Stores large intermediate values in half precision and rounds the operands of convolutions and products to it; sums
   * stay in single precision. Needs the feature `shader-f16`. */
  readonly half?: boolean;
  /** WGSL implementations of operations: all of this package's when left out. */
  readonly kernels?: readonly Kernel[];
}

export interface WebgpuEngine extends Engine {
  readonly device: GPUDevice;
  /** Bytes in the engine's buffers: of transient values, of weights and values, and kept for reuse. */
  memory(): { readonly arena: number; readonly held: number; readonly pooled: number };
}

/** Makes an engine on a device. The device stays the caller's: `dispose` frees buffers, not the device.
 *
 * When the device is lost every call throws a `GpuError` with `trouble: 'lost'`; a new engine on a new device goes on.
 *
 * @throws GpuError `feature` for `half` on a device without `shader-f16`.
 */
export function webgpuEngine(options: WebgpuEngineOptions): WebgpuEngine {
  const { device, half = false, kernels = allKernels } = options;
  const gpu = createGpu(device);
  if (half && !gpu.abilities.half) {
    throw new GpuError(
      'feature',
      'webgpu: half precision needs the feature "shader-f16", which this device lacks',
    );
  }
  const store = new Map<number, Held>();
  const weights = sharedWeights(
    (array) => {
      const buffer = gpu.acquire(Math.max(16, bytesIn(array, storageOf(array))));
      gpu.write(buffer, array, storageOf(array));
      return buffer;
    },
    (buffer) => gpu.release(buffer),
  );
  const storageOf = ({ dtype }: Pick<NdArray, 'dtype'>) => {
    if (dtype === 'float16') return gpu.abilities.half ? 'f16' : 'f32';
    return ({ float32: 'f32', int32: 'i32', bool: 'u32' } as const)[dtype];
  };
  const settings = { abilities: gpu.abilities, kernels, half };
  const engine = engineOf({
    name: 'webgpu',
    load: async (graph, parameters) => {
      gpu.refuseBroken();
      return loadProgram(gpu, graph, compileProgram(graph, settings), parameters, weights, store, options);
    },
    upload: async (value, array) => {
      gpu.refuseBroken();
      const { result: buffer, verdict } = gpu.checked('an upload', () => {
        const made = gpu.acquire(Math.max(16, bytesIn(array, storageOf(array))));
        gpu.write(made, array, storageOf(array));
        return made;
      });
      await verdict.catch((error) => {
        gpu.release(buffer);
        throw error;
      });
      store.set(value, { buffer });
    },
    download: async (value, aval) => {
      gpu.refuseBroken();
      const { buffer } = heldIn(store, value);
      const storage = storageOf(aval);
      const [bytes] = await gpu.read('a download', [{ buffer, bytes: bytesIn(aval, storage) }]);
      gpu.refuseBroken();
      return arrayFrom(aval, storage, bytes);
    },
    drop: async (value) => {
      const held = store.get(value);
      if (held === undefined) return;
      store.delete(value);
      gpu.release(held.buffer);
    },
    dispose: async () => {
      store.clear();
      gpu.dispose();
    },
  });
  return { ...engine, device, memory: gpu.memory };
}

const allKernels: readonly Kernel[] = [...primitiveKernels, ...denseKernels, ...renderKernels];

function sharedWeights(make: (array: NdArray) => GPUBuffer, free: (buffer: GPUBuffer) => void): Weights {
  const known = new WeakMap<NdArray['data'], { readonly buffer: GPUBuffer; users: number }>();
  return {
    take: (array) => {
      let entry = known.get(array.data);
      if (entry === undefined || entry.users === 0) {
        entry = { buffer: make(array), users: 0 };
        known.set(array.data, entry);
      }
      entry.users++;
      return { buffer: entry.buffer, drop: dropOf(entry, free) };
    },
  };
}

/** Apart from its caller, so that it does not keep the array. */
function dropOf(
  entry: { readonly buffer: GPUBuffer; users: number },
  free: (buffer: GPUBuffer) => void,
): () => void {
  return () => {
    if (--entry.users === 0) free(entry.buffer);
  };
}
