/**
 * `portraitgan/engines/cpu`: the engine for Node. ONNX Runtime's native kernels for dense arithmetic,
 * WebAssembly for the rest, both on one worker thread, so that the thread that asks stays free.
 */

import { availableParallelism } from 'node:os';
import type { Engine } from '../../tensor/engine.ts';
import { kernelModule } from '../kernels/index.ts';
import type { KernelCode, KernelModule } from '../kernels/kernel.ts';
import { planEngine } from '../onnx/plan-engine.ts';
import { workerBackend } from './client.ts';

/** Kernels gain little from more: each thread has its own stack, code and tile. */
const MOST_THREADS = 16;

export interface CpuEngineOptions {
  /** Threads of ONNX Runtime and of the kernels; all cores when left out. */
  readonly threads?: number;
  /** WebAssembly implementations of fused operations: all of this package's when left out; with 'none' the
   * definitions run. */
  readonly kernels?: KernelModule | 'none';
  /** An existing folder: what each operation took is written there when a program is disposed, in the format of
   * Chrome's traces (`ort_*.json` by ONNX Runtime, `kernels_*.json` by us). Slower; for benchmarks. */
  readonly profile?: string;
}

/** Makes the engine. Nothing starts before the first program is compiled; `dispose()` ends its thread. */
export function cpuEngine(options: CpuEngineOptions = {}): Engine {
  const { threads = 0, profile } = options;
  const kernels = options.kernels === 'none' ? undefined : (options.kernels ?? kernelModule());
  const backend = workerBackend({
    kernels: kernels === undefined ? undefined : codeOf(kernels),
    profile,
    threads: Math.min(threads === 0 ? availableParallelism() : threads, MOST_THREADS),
    session: {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      // Six convolutions of 33 MB: without the arena 350 ms (with: 300); memory patterns gain nothing measurable
      // and cost 100 MB at the peak (468 against 367).
      enableCpuMemArena: true,
      enableMemPattern: false,
      // Failures come back as errors; printing them too would be noise.
      logSeverityLevel: 4,
      // Spinning threads would take the second core from everybody else, and not spinning cost nothing.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    },
  });
  return planEngine(backend, kernels);
}

/** What of a module can be sent to another thread. */
function codeOf({ wasm, relaxed, reservedBytes }: KernelModule): KernelCode {
  return relaxed === undefined ? { wasm, reservedBytes } : { wasm, relaxed, reservedBytes };
}

/** Tells whether onnxruntime-node is installed and loads here. */
export async function isCpuEngineAvailable(): Promise<boolean> {
  try {
    await import('onnxruntime-node');
    return true;
  } catch {
    return false;
  }
}
