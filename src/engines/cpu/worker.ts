/**
 * The thread that computes: it owns the sessions of onnxruntime-node and the kernels' memory.
 *
 * `run()` of onnxruntime-node computes on the thread that calls it, so that thread must not be the main one.
 */

import { setFlagsFromString } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { EngineError } from '../../errors.ts';
import { buildFor } from '../kernels/builds.ts';
import { blockSizeOf } from '../onnx/block-size.ts';
import { createExecutor, type Executor, type Runtime } from '../onnx/executor.ts';
import { createStore, runStored } from '../onnx/store.ts';
import { soloTeam, type ThreadedRunner, threadedRunner } from '../onnx/threaded.ts';
import { profileOf } from './profile.ts';
import type { Reply, Request, WorkerOptions } from './protocol.ts';
import { workerTeam } from './team.ts';

const port = parentPort!;
const options = workerData as WorkerOptions;
const programs = new Map<number, Executor>();
const store = createStore();
const kernels = options.kernels;
let runtime: Promise<Runtime> | undefined;
let threads: Promise<ThreadedRunner> | undefined;

// Node 20 has relaxed SIMD but hides it.
if (kernels?.relaxed !== undefined && !WebAssembly.validate(kernels.relaxed)) {
  setFlagsFromString('--experimental-wasm-relaxed-simd');
}
const code = kernels === undefined ? undefined : buildFor(kernels);

async function startThreads(): Promise<ThreadedRunner> {
  if (kernels === undefined || code === undefined) throw new EngineError('internal: there are no kernels');
  const count = options.threads ?? 1;
  const { reservedBytes } = kernels;
  return threadedRunner(
    await (count > 1 ? workerTeam(code, reservedBytes, count) : soloTeam(code, reservedBytes)),
  );
}

async function loadRuntime(): Promise<Runtime> {
  try {
    return (await import('onnxruntime-node')) as unknown as Runtime;
  } catch (error) {
    throw new EngineError(
      [
        `onnxruntime-node, which the cpu engine computes with, cannot be loaded: ${(error as Error).message}`,
        'install it without its download, in one of three ways:',
        '  ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node',
        '  onnxruntime-node-install=skip in .npmrc, then npm install onnxruntime-node',
        '  npm install --ignore-scripts onnxruntime-node',
        'or use the web engine, which needs nothing more and is several times slower',
      ].join('\n'),
    );
  }
}

async function answer(request: Request): Promise<Reply> {
  const { id } = request;
  switch (request.kind) {
    case 'load': {
      runtime ??= loadRuntime();
      const profile = options.profile === undefined ? undefined : profileOf(options.profile, request.program);
      const executor = await createExecutor(await runtime, request.plan, code, {
        session: { ...options.session, ...profile?.session },
        ...(profile === undefined ? {} : { onKernel: profile.onKernel }),
        fillsOutputs: true,
        threads: () => {
          threads ??= startThreads();
          return threads;
        },
        allocate: store.allocate,
      });
      programs.set(request.program, profile === undefined ? executor : profile.closing(executor));
      return { id, outputs: {} };
    }
    case 'run': {
      const executor = programs.get(request.program);
      if (executor === undefined) throw new EngineError(`internal: there is no program ${request.program}`);
      return { id, outputs: await runStored(executor, store, request.inputs, request.keep, request.donated) };
    }
    case 'release': {
      await programs.get(request.program)?.release();
      programs.delete(request.program);
      return { id, outputs: {} };
    }
    case 'probe': {
      runtime ??= loadRuntime();
      return { id, outputs: { block: Int32Array.of(await blockSizeOf(await runtime, options.session)) } };
    }
    case 'upload': {
      store.keep(request.value, request.data);
      return { id, outputs: {} };
    }
    case 'download':
      return { id, outputs: { value: store.get(request.value).slice() } };
    case 'drop': {
      store.release(request.value);
      return { id, outputs: {} };
    }
  }
}

let turn: Promise<void> = Promise.resolve();

port.on('message', (request: Request) => {
  turn = turn.then(async () => {
    try {
      const reply = await answer(request);
      const arrays = 'outputs' in reply ? Object.values(reply.outputs) : [];
      port.postMessage(reply, [...new Set(arrays.map((array) => array.buffer as ArrayBuffer))]);
    } catch (error) {
      const failure =
        error instanceof EngineError ? error.message : `internal: cpu engine: ${(error as Error).stack}`;
      port.postMessage({ id: request.id, failure } satisfies Reply);
    }
  });
});
