/** The worker and its helper threads, over shared WebAssembly memory. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { EngineError } from '../../errors.ts';
import { withSharedMemory } from '../kernels/builds.ts';
import { aligned } from '../onnx/memory.ts';
import type { Team } from '../onnx/threaded.ts';
import type { HelperCall, HelperOptions } from './protocol.ts';

/** Helpers take small jobs: when this thread finds none left, they are done in milliseconds. */
const PATIENCE_MS = 60_000;

/** Starts the helpers; this thread works too, and waits for them inside `run`.
 *
 * @throws EngineError when a helper cannot be started.
 */
export async function workerTeam(wasm: BufferSource, reservedBytes: number, threads: number): Promise<Team> {
  const bytes = wasm instanceof ArrayBuffer ? new Uint8Array(wasm) : (wasm as Uint8Array);
  const module = await WebAssembly.compile(withSharedMemory(bytes));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
  const control = aligned(reservedBytes);
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  const counts = new Int32Array(memory.buffer, control, 2);
  const workerData: HelperOptions = { module, memory, control };
  const helpers = Array.from(
    { length: threads - 1 },
    () => new Worker(new URL('./helper.js', import.meta.url), { workerData, execArgv: [] }),
  );
  try {
    await Promise.all(helpers.map((helper) => once(helper, 'message')));
  } catch (error) {
    throw new EngineError(`the cpu engine cannot start its threads: ${(error as Error).message}`);
  }
  for (const helper of helpers) helper.unref();
  let broken: EngineError | undefined;
  const wait = (entry: string): void => {
    for (let done = Atomics.load(counts, 0); done < helpers.length; done = Atomics.load(counts, 0)) {
      if (Atomics.wait(counts, 0, done, PATIENCE_MS) === 'timed-out') {
        broken = new EngineError(`a thread of the cpu engine does not answer (${entry})`);
        throw broken;
      }
    }
  };
  return {
    threads,
    memory,
    firstFree: control + 64,
    run: (entry, args) => {
      if (broken !== undefined) throw broken;
      Atomics.store(counts, 0, 0);
      Atomics.store(counts, 1, 0);
      helpers.forEach((helper, i) => {
        helper.postMessage({ entry, args: args[i + 1] } satisfies HelperCall);
      });
      try {
        (exports[entry] as (...args: number[]) => void)(...args[0]);
      } finally {
        // Even after a failure here: nobody may still write to the memory.
        wait(entry);
      }
      if (Atomics.load(counts, 1) > 0) throw new EngineError(`a thread of the cpu engine failed in ${entry}`);
    },
  };
}
