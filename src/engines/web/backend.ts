/** Loads plans into onnxruntime-web on the calling thread. */

import { EngineError } from '../../errors.ts';
import { buildFor } from '../kernels/builds.ts';
import type { KernelModule } from '../kernels/kernel.ts';
import { createExecutor, type Executor, type Runtime } from '../onnx/executor.ts';
import type { Backend } from '../onnx/plan-engine.ts';
import { createStore, runStored } from '../onnx/store.ts';
import { soloTeam, type ThreadedRunner, threadedRunner } from '../onnx/threaded.ts';

interface WebRuntime extends Runtime {
  readonly env: { readonly wasm: { numThreads?: number; wasmPaths?: unknown } };
}

export interface WebBackendOptions {
  readonly threads?: number;
  readonly kernels: KernelModule | undefined;
  readonly wasmPaths?: string;
}

export function webBackend(options: WebBackendOptions): Backend {
  const executors = new Set<Executor>();
  const store = createStore();
  const { kernels } = options;
  const code = kernels === undefined ? undefined : buildFor(kernels);
  let runtime: Promise<Runtime> | undefined;
  let threads: Promise<ThreadedRunner> | undefined;
  const startThreads = async (): Promise<ThreadedRunner> => {
    if (kernels === undefined || code === undefined) throw new EngineError('internal: there are no kernels');
    return threadedRunner(await soloTeam(code, kernels.reservedBytes));
  };
  return {
    name: 'web',
    load: async (plan) => {
      runtime ??= loadRuntime(options);
      const executor = await createExecutor(await runtime, plan, code, {
        session: { executionProviders: ['wasm'], graphOptimizationLevel: 'all', logSeverityLevel: 4 },
        fillsOutputs: false,
        threads: () => {
          threads ??= startThreads();
          return threads;
        },
        allocate: store.allocate,
      });
      executors.add(executor);
      return {
        run: (inputs, keep, donated) => runStored(executor, store, inputs, keep, donated),
        release: async () => {
          executors.delete(executor);
          await executor.release();
        },
      };
    },
    upload: async (value, data) => store.keep(value, data.slice()),
    download: async (value) => store.get(value).slice(),
    drop: async (value) => store.release(value),
    dispose: async () => {
      for (const executor of executors) await executor.release();
      executors.clear();
    },
  };
}

async function loadRuntime({ threads, wasmPaths }: WebBackendOptions): Promise<Runtime> {
  let runtime: WebRuntime;
  try {
    runtime = (await import('onnxruntime-web')) as unknown as WebRuntime;
  } catch (error) {
    throw new EngineError(`onnxruntime-web cannot be loaded: ${(error as Error).message}`);
  }
  if (threads !== undefined) runtime.env.wasm.numThreads = threads;
  if (wasmPaths !== undefined) runtime.env.wasm.wasmPaths = wasmPaths;
  return runtime;
}
