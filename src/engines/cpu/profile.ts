/** Where a program's time goes, as trace files that Chrome's viewer reads: ONNX Runtime's and the kernels'. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-common';
import type { Executor } from '../onnx/executor.ts';

export interface Profile {
  readonly session: InferenceSession.SessionOptions;
  readonly onKernel: (label: string, ms: number) => void;
  /** The same executor, which writes the kernels' trace when it is released. */
  closing(executor: Executor): Executor;
}

/** @param folder where `ort_PROGRAM_*.json` and `kernels_PROGRAM.json` go. */
export function profileOf(folder: string, program: number): Profile {
  const events: { name: string; cat: string; ph: string; dur: number; ts: number }[] = [];
  return {
    session: { enableProfiling: true, profileFilePrefix: join(folder, `ort_${program}`) },
    onKernel: (name, ms) => {
      events.push({ name, cat: 'Kernel', ph: 'X', dur: ms * 1000, ts: (performance.now() - ms) * 1000 });
    },
    closing: (executor) => ({
      ...executor,
      release: async () => {
        await executor.release();
        writeFileSync(join(folder, `kernels_${program}.json`), JSON.stringify(events));
      },
    }),
  };
}
