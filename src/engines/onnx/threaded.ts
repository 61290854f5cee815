/**
 * Running threaded kernels: one memory for all threads and programs, filled and emptied around each call.
 *
 * Laid out as: the module's own bytes, the job counter, the kept input, then this call's operands, the memory that
 * threads share and each thread's scratch memory. One kept input at a time: a camera that moves round one portrait is the case that
 * counts.
 */

import { EngineError } from '../../errors.ts';
import type { KeptInput, KernelArg } from '../kernels/kernel.ts';
import type { Data } from '../shared-engine.ts';
import { aligned } from './memory.ts';
import type { ThreadedStep } from './plan.ts';

const PAGE = 65536;
const LARGEST_PAGES = 65536;
/** Vectors may be read past the end of an array. */
const MARGIN = 64;

/** Threads over one memory. */
export interface Team {
  readonly threads: number;
  readonly memory: WebAssembly.Memory;
  /** First byte that is neither the module's nor the team's own. */
  readonly firstFree: number;
  /** Runs an entry on every thread, with that thread's arguments, and returns when all are done. */
  run(entry: string, args: readonly (readonly number[])[]): void;
}

export interface ThreadedRunner {
  /** Runs a step.
   *
   * @param inputs by number.
   * @param outputs filled.
   * @param key stands for the kept input's contents; without one it is laid out anew.
   */
  run(step: ThreadedStep, inputs: readonly Data[], outputs: readonly Data[], key?: number): void;
}

/** A team of one: the calling thread, in memory of its own. */
export async function soloTeam(wasm: BufferSource, reservedBytes: number): Promise<Team> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: LARGEST_PAGES });
  const { instance } = await WebAssembly.instantiate(wasm, { env: { memory } });
  return {
    threads: 1,
    memory,
    firstFree: aligned(reservedBytes),
    run: (entry, [args]) => {
      (instance.exports[entry] as (...args: number[]) => void)(...args);
    },
  };
}

export function threadedRunner(team: Team): ThreadedRunner {
  const counter = team.firstFree;
  const base = aligned(counter + 4);
  let held: { readonly layout: string; readonly key: number; readonly bytes: number } | undefined;

  const reserve = (label: string, end: number): void => {
    const pages = Math.ceil((end + MARGIN) / PAGE);
    const missing = pages - team.memory.buffer.byteLength / PAGE;
    if (missing <= 0) return;
    try {
      if (pages > LARGEST_PAGES) throw new RangeError('beyond 32-bit addresses');
      team.memory.grow(missing);
    } catch {
      const needed = Math.ceil(end / 2 ** 20);
      throw new EngineError(
        `${label}: ${needed} MB for its threads cannot be had: use a smaller batch or picture`,
      );
    }
  };
  const bytesAt = (offset: number, length: number) => new Uint8Array(team.memory.buffer, offset, length);
  const share = (entry: string, args: readonly KernelArg[], place: Places): void => {
    new Int32Array(team.memory.buffer, counter, 1)[0] = 0;
    team.run(
      entry,
      Array.from({ length: team.threads }, (_, thread) =>
        args.map((arg) => {
          if (typeof arg === 'number') return arg;
          if (arg === 'counter') return counter;
          if (arg === 'kept') return base;
          if (arg === 'shared') return place.shared;
          if (arg === 'scratch') return place.scratch + thread * place.scratchBytes;
          return 'input' in arg ? place.inputs[arg.input] : place.outputs[arg.output];
        }),
      ),
    );
  };
  const layOut = (label: string, kept: KeptInput, array: Data, keptEnd: number): void => {
    reserve(label, keptEnd + array.byteLength);
    bytesAt(keptEnd, array.byteLength).set(bytesOf(array));
    const inputs = [];
    inputs[kept.input] = keptEnd;
    share(kept.entry, kept.args, { inputs, outputs: [], shared: 0, scratch: 0, scratchBytes: 0 });
  };

  const holds = (step: ThreadedStep, key: number): boolean =>
    held !== undefined && held.key === key && held.layout === JSON.stringify(step.kept);

  return {
    run(step, inputs, outputs, key) {
      const { label, kept, args } = step;
      const start = aligned(base + (kept?.bytes ?? held?.bytes ?? 0));
      if (kept !== undefined && (key === undefined || !holds(step, key))) {
        held = undefined;
        layOut(label, kept, inputs[kept.input], start);
        if (key !== undefined) held = { layout: JSON.stringify(kept), key, bytes: kept.bytes };
      }
      let end = start;
      const take = (bytes: number): number => {
        const at = end;
        end = aligned(end + bytes + MARGIN);
        return at;
      };
      const place: Places = {
        inputs: inputs.map((array, i) => (i === kept?.input ? 0 : take(array.byteLength))),
        outputs: outputs.map((array) => take(array.byteLength)),
        shared: take(step.sharedBytes),
        scratchBytes: aligned(step.scratchBytes),
        scratch: take(aligned(step.scratchBytes) * team.threads),
      };
      reserve(label, end);
      inputs.forEach((array, i) => {
        if (i !== kept?.input) {
          bytesAt(place.inputs[i], array.byteLength).set(bytesOf(array));
        }
      });
      share(step.entry, args, place);
      if (step.finish !== undefined) share(step.finish.entry, step.finish.args, place);
      outputs.forEach((array, i) => {
        bytesOf(array).set(bytesAt(place.outputs[i], array.byteLength));
      });
    },
  };
}

interface Places {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly shared: number;
  /** Of the first thread; the others' follow. */
  readonly scratch: number;
  readonly scratchBytes: number;
}

function bytesOf({ buffer, byteOffset, byteLength }: Data): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
