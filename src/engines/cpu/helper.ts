/** A helper thread: runs its part of threaded kernels in the memory that it shares with the cpu engine's worker. */

import { parentPort, workerData } from 'node:worker_threads';
import type { HelperCall, HelperOptions } from './protocol.ts';

const port = parentPort!;
const { module, memory, control } = workerData as HelperOptions;
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
const counts = new Int32Array(memory.buffer, control, 2);

port.on('message', ({ entry, args }: HelperCall) => {
  try {
    (exports[entry] as (...args: number[]) => void)(...args);
  } catch {
    Atomics.add(counts, 1, 1);
  }
  Atomics.add(counts, 0, 1);
  Atomics.notify(counts, 0);
});
port.postMessage('ready');
