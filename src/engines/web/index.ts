/**
 * `portraitgan/engines/web`: the engine for pages, and for Node where onnxruntime-node is not installed.
 *
 * ONNX Runtime's WebAssembly build and the same kernels as the cpu engine, on the thread that calls: in a
 * page, use it from a Worker if the page must stay responsive. Several threads need a page that is
 * cross-origin isolated (COOP and COEP headers).
 */

import type { Engine } from '../../tensor/engine.ts';
import { kernelModule } from '../kernels/index.ts';
import type { KernelModule } from '../kernels/kernel.ts';
import { type Backend, planEngine } from '../onnx/plan-engine.ts';
import { webBackend } from './backend.ts';

export interface WebEngineOptions {
  /** Threads of ONNX Runtime; as many as it finds sensible when left out. Taken by the first engine made. */
  readonly threads?: number;
  /** WebAssembly implementations of fused operations: all of this package's when left out; with 'none' the
   * definitions run. */
  readonly kernels?: KernelModule | 'none';
  /** Folder or files of onnxruntime-web's WebAssembly, when a bundler does not place them. */
  readonly wasmPaths?: string;
}

/** Makes the engine; onnxruntime-web is loaded with the first program. */
export function webEngine(options: WebEngineOptions = {}): Engine {
  const { kernels: given, ...rest } = options;
  const kernels = given === 'none' ? undefined : (given ?? kernelModule());
  const backend: Backend = webBackend({ ...rest, kernels });
  return planEngine(backend, kernels);
}

/** Tells whether this place has WebAssembly with SIMD, which onnxruntime-web needs. */
export function isWebEngineAvailable(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(SIMD_PROBE);
}

/** A module whose one function makes a vector: `i32.const 0; i8x16.splat; drop`. */
const SIMD_PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0],
  ...[1, 4, 1, 96, 0, 0],
  ...[3, 2, 1, 0],
  ...[10, 9, 1, 7, 0, 65, 0, 253, 15, 26, 11],
);
