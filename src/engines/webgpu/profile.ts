/** What each dispatch of a run takes on the device, by timestamps. */

import type { Step } from './compile.ts';
import { type Gpu, USAGE } from './gpu.ts';

export interface StepTime {
  readonly label: string;
  /** Milliseconds; browsers round them. */
  readonly ms: number;
}

export interface Profile {
  descriptor(step: number): GPUComputePassDescriptor;
  resolve(encoder: GPUCommandEncoder): void;
}

/** Queries of one set are that many at most. */
const MOST_QUERIES = 4096;

/** Queries around each step of a run, or undefined where the device has none. */
export function createProfile(
  gpu: Gpu,
  name: string,
  steps: readonly Step[],
  report: (program: string, times: readonly StepTime[]) => void,
): Profile | undefined {
  const count = Math.min(steps.length, MOST_QUERIES / 2);
  if (!gpu.device.features.has('timestamp-query') || count === 0) return undefined;
  const querySet = gpu.device.createQuerySet({ type: 'timestamp', count: 2 * count });
  const resolved = gpu.device.createBuffer({
    size: 16 * count,
    usage: USAGE.queryResolve | USAGE.copySource,
  });
  const told = async (): Promise<void> => {
    try {
      const [bytes] = await gpu.read('a profile', [{ buffer: resolved, bytes: 16 * count }]);
      const times = new BigUint64Array(bytes.buffer, bytes.byteOffset, 2 * count);
      const stepTimes = steps.slice(0, count).map(({ label }, i) => ({
        label,
        ms: Number(times[2 * i + 1] - times[2 * i]) / 1e6,
      }));
      report(name, stepTimes);
    } finally {
      querySet.destroy();
      resolved.destroy();
    }
  };
  return {
    descriptor: (step) =>
      step < count
        ? {
            timestampWrites: {
              querySet,
              beginningOfPassWriteIndex: 2 * step,
              endOfPassWriteIndex: 2 * step + 1,
            },
          }
        : {},
    resolve: (encoder) => {
      encoder.resolveQuerySet(querySet, 0, 2 * count, resolved, 0);
      // Read in a submission of its own, which comes after this one.
      queueMicrotask(() => {
        void told().catch(gpu.fail);
      });
    },
  };
}
