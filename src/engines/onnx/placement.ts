/** Where in the kernels' memory their operands lie, and what that makes of a kernel's arguments. */

import { bytesOf, type Node, sizeOf, type Tensor } from '../../tensor/index.ts';
import type { KernelCall } from '../kernels/kernel.ts';
import { nodeLabel } from '../node-label.ts';
import { aligned, type Lifetime, placeLifetimes } from './memory.ts';
import type { KernelStep, SegmentStep, ThreadedStep } from './plan.ts';
import { kernelOperands } from './segments.ts';
import type { Slots } from './slots.ts';
import { rootOf, type Stages } from './stages.ts';

/** A kernel's call before its operands have places. */
export interface DraftCall {
  readonly kind: 'call';
  readonly node: Node;
  readonly call: KernelCall;
}

export type DraftStep = SegmentStep | DraftCall;

export interface Placement {
  /** By slot; -1 for values that no kernel touches. */
  readonly offsets: readonly number[];
  /** Values that stay from the first run to the last. */
  readonly permanent: ReadonlySet<number>;
  resolve(step: DraftCall): KernelStep | ThreadedStep;
  readonly bytes: number;
}

function kernelResults(node: Node): readonly Tensor[] {
  return node.outputs.filter((tensor) => sizeOf(tensor.shape) > 0);
}

/** Slots that a step reads and writes. */
function slotsOf(step: DraftStep, slots: Slots): { reads: number[]; writes: number[] } {
  if (step.kind === 'segment') {
    return { reads: step.inputs.map(({ slot }) => slot), writes: step.outputs.map(({ slot }) => slot) };
  }
  return {
    reads: kernelOperands(step.node).map(slots.of),
    writes: kernelResults(step.node).map(slots.of),
  };
}

type Lives = Map<number, { bytes: number; from: number; until: number }>;

/** Lets outputs take the place of inputs that die there; whose place, by slot. Their own lives are taken out. */
function inheritPlaces(
  steps: readonly DraftStep[],
  slots: Slots,
  lives: Lives,
): [slot: number, owner: number][] {
  const owners = new Map<number, number>();
  steps.forEach((step, i) => {
    if (step.kind !== 'call' || step.call.inPlace === undefined) return;
    const { input, output } = step.call.inPlace;
    const given = slots.of(rootOf(step.node.inputs[input]));
    const owner = owners.get(given) ?? given;
    const result = slots.of(rootOf(step.node.outputs[output]));
    const [life, next] = [lives.get(owner), lives.get(result)];
    if (life === undefined || next === undefined || life.until !== i || next.from !== i) return;
    if (life.bytes !== next.bytes) return;
    life.until = next.until;
    lives.delete(result);
    owners.set(result, owner);
  });
  return [...owners];
}

/** Places every value that a kernel reads or writes.
 *
 * @param programOutputs slots that are read after the last step.
 * @param reserved bytes at the start that are the kernels' own.
 */
export function placeOperands(
  prologue: readonly DraftStep[],
  steps: readonly DraftStep[],
  stages: Stages,
  slots: Slots,
  programOutputs: ReadonlySet<number>,
  reserved: number,
): Placement {
  const calls = [...prologue, ...steps].filter((step) => step.kind === 'call');
  const all = new Set(calls.flatMap((step) => Object.values(slotsOf(step, slots)).flat()));
  const tensors = slots.list();
  // Threads have a memory of their own; what only weights determine waits for them here.
  const direct = new Set(
    calls
      .filter(({ call }) => call.threaded === undefined)
      .flatMap((step) => Object.values(slotsOf(step, slots)).flat()),
  );
  const touched = new Set(
    [...all].filter((slot) => direct.has(slot) || stages.fixed.has(tensors[slot].node)),
  );
  const offsets = new Array<number>(tensors.length).fill(-1);
  const permanent = new Set<number>();
  let start = aligned(reserved);
  for (const slot of touched) {
    if (!stages.fixed.has(tensors[slot].node)) continue;
    permanent.add(slot);
    offsets[slot] = start;
    start = aligned(start + bytesOf(tensors[slot]));
  }
  const lives: Lives = new Map();
  const touch = (slot: number, from: number, until: number): void => {
    if (!touched.has(slot) || permanent.has(slot)) return;
    const life = lives.get(slot);
    if (life === undefined) lives.set(slot, { bytes: bytesOf(tensors[slot]), from, until });
    else life.until = Math.max(life.until, until);
  };
  steps.forEach((step, i) => {
    const { reads, writes } = slotsOf(step, slots);
    // What nothing has written before its first reader is an input of the program.
    for (const slot of reads) touch(slot, -1, i);
    for (const slot of writes) touch(slot, i, i);
  });
  for (const slot of programOutputs) touch(slot, -1, steps.length);
  const heirs = inheritPlaces(steps, slots, lives);
  const scratch = steps.flatMap((step, i): [DraftCall, Lifetime][] =>
    step.kind === 'call' && step.call.threaded === undefined && step.call.scratchBytes
      ? [[step, { bytes: step.call.scratchBytes, from: i, until: i }]]
      : [],
  );
  const placed = placeLifetimes([...lives.values(), ...scratch.map(([, life]) => life)], start);
  [...lives.keys()].forEach((slot, i) => {
    offsets[slot] = placed.offsets[i];
  });
  for (const [slot, owner] of heirs) offsets[slot] = offsets[owner];
  const scratchAt = new Map(scratch.map(([step], i) => [step.node, placed.offsets[lives.size + i]]));
  const prologueScratch = Math.max(
    0,
    ...prologue.map((step) =>
      step.kind === 'call' && step.call.threaded === undefined ? (step.call.scratchBytes ?? 0) : 0,
    ),
  );
  const placeOf = (tensor: Tensor): number =>
    sizeOf(tensor.shape) === 0 ? 0 : offsets[slots.of(rootOf(tensor))];
  return {
    offsets,
    permanent,
    bytes: touched.size === 0 ? 0 : Math.max(placed.end, start + prologueScratch),
    resolve: ({ node, call }) =>
      call.threaded !== undefined
        ? threadedStep(node, call, slots)
        : {
            kind: 'kernel',
            entry: call.entry,
            label: nodeLabel(node),
            args: call.args.map((arg) => {
              if (typeof arg === 'number') return arg;
              if (typeof arg === 'string') return scratchAt.get(node) ?? start;
              return placeOf('input' in arg ? node.inputs[arg.input] : node.outputs[arg.output]);
            }),
          },
  };
}

function threadedStep(node: Node, call: KernelCall, slots: Slots): ThreadedStep {
  const bind = (tensors: readonly Tensor[]) =>
    tensors.map((tensor, i) => ({ name: String(i), slot: slots.of(rootOf(tensor)) }));
  return {
    kind: 'threaded',
    entry: call.entry,
    args: call.args,
    scratchBytes: call.scratchBytes ?? 0,
    kept: call.threaded?.kept,
    sharedBytes: call.threaded?.sharedBytes ?? 0,
    finish: call.threaded?.finish,
    inputs: bind(node.inputs),
    outputs: bind(node.outputs),
    label: nodeLabel(node),
  };
}
