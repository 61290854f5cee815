/**
 * Running a plan: one ONNX Runtime session a segment, one WebAssembly instance for all kernels.
 *
 * Values that kernels touch lie in the kernels' memory, and sessions read and write views of it; all other
 * values are arrays of their own and go as soon as the last step that reads them is done.
 */

import type { InferenceSession, Tensor as OrtTensor, TensorConstructor } from 'onnxruntime-common';
import { EngineError } from '../../errors.ts';
import { type Aval, zerosFor } from '../../tensor/index.ts';
import type { Data } from '../shared-engine.ts';
import { explainFailure } from './names.ts';
import type { Plan, SegmentStep, Slot, Step, ThreadedStep } from './plan.ts';
import type { ThreadedRunner } from './threaded.ts';

/** The parts of onnxruntime-node or onnxruntime-web that are used. */
export interface Runtime {
  readonly InferenceSession: {
    create(model: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: TensorConstructor;
}

export interface ExecutorOptions {
  readonly session: InferenceSession.SessionOptions;
  /** The runtime fills output tensors that it is given; otherwise results are copied to their place. */
  readonly fillsOutputs: boolean;
  /** Memory for results that leave the kernels' memory. */
  readonly allocate: (aval: Aval) => Data;
  /** The threads, started when a plan first needs them. */
  readonly threads?: () => Promise<ThreadedRunner>;
  /** Told what each kernel took, milliseconds. */
  readonly onKernel?: (label: string, ms: number) => void;
}

/** Numbers of inputs that never change under them, by name: what threads laid out for a number may be kept. */
export type Keys = Readonly<Record<string, number>>;

/** A program that is ready to run on the calling thread. */
export interface Executor {
  /** Runs once at a time; calls wait for each other. The result's arrays are the caller's.
   *
   * @param onRead called when all steps have read their inputs, before results are copied out.
   */
  run(
    inputs: Readonly<Record<string, Data>>,
    keys?: Keys,
    onRead?: () => void,
  ): Promise<Record<string, Data>>;
  release(): Promise<void>;
}

/** @param keys by slot. */
type Action = (values: (OrtTensor | undefined)[], keys: ReadonlyMap<number, number>) => Promise<void>;

/** Makes sessions and memory, and runs the prologue.
 *
 * @param kernels the WebAssembly module; needed if the plan calls any.
 * @throws EngineError with the operation's name and site when the runtime refuses a segment.
 */
export async function createExecutor(
  runtime: Runtime,
  plan: Plan,
  kernels: BufferSource | undefined,
  options: ExecutorOptions,
): Promise<Executor> {
  const { name, inputs, outputs, slots } = plan;
  const memory = await createMemory(plan, kernels);
  const places = slots.map((slot) =>
    slot.offset < 0 || memory === undefined ? undefined : viewOf(runtime, memory.buffer, slot),
  );
  const sessions: InferenceSession[] = [];
  const isThreaded = [...plan.prologue, ...plan.steps].some(({ kind }) => kind === 'threaded');
  const threads = isThreaded ? await options.threads?.() : undefined;
  let created = 0;
  const sessionOptions = (): InferenceSession.SessionOptions => {
    const { session } = options;
    if (!session.enableProfiling) return session;
    // The runtime's own names tell apart seconds, not sessions.
    return { ...session, profileFilePrefix: `${session.profileFilePrefix}_${created++}` };
  };
  const prepare = async (step: Step): Promise<Action> => {
    if (step.kind === 'kernel') return timed(step.label, kernelAction(name, step, memory!), options);
    if (step.kind === 'threaded') {
      const action = threadedAction(name, runtime, step, slots, places, threads, options);
      return timed(step.label, action, options);
    }
    const session = await explained(name, () =>
      runtime.InferenceSession.create(step.model, sessionOptions()),
    );
    sessions.push(session);
    const { kind, inputs: reads, outputs: writes } = step;
    return segmentAction(
      name,
      runtime,
      session,
      { kind, inputs: reads, outputs: writes },
      slots,
      places,
      options,
    );
  };
  const release = async (): Promise<void> => {
    for (const session of sessions.splice(0)) {
      if (options.session.enableProfiling) session.endProfiling();
      await session.release();
    }
  };
  const actions: Action[] = [];
  try {
    const values = [...places];
    for (const step of plan.prologue) await (await prepare(step))(values, new Map());
    await release();
    for (const step of plan.steps) actions.push(await prepare(step));
  } catch (error) {
    await release();
    throw error;
  }
  const frees = lastReads(plan);
  const copyOf = (data: Data, aval: Aval): Data => {
    const copy = options.allocate(aval);
    copy.set(data as never);
    return copy;
  };
  const layOuts = keptTwice(plan);
  let turn: Promise<unknown> = Promise.resolve();

  const run = async (
    given: Readonly<Record<string, Data>>,
    keys: Keys,
    onRead: (() => void) | undefined,
  ): Promise<Record<string, Data>> => {
    const values = [...places];
    const keyOfSlot = new Map(
      inputs.flatMap(({ name: input, slot }) => (keys[input] === undefined ? [] : [[slot, keys[input]]])),
    );
    // What nobody numbered is another value in each run, but one value throughout it.
    for (const slot of layOuts) if (!keyOfSlot.has(slot)) keyOfSlot.set(slot, nextOwnKey--);
    for (const { name: input, slot } of inputs) {
      const place = places[slot];
      if (place === undefined) values[slot] = tensorOf(runtime, slots[slot], given[input]);
      else (place.data as Data).set(given[input] as never);
    }
    for (let i = 0; i < actions.length; i++) {
      await actions[i](values, keyOfSlot);
      for (const slot of frees[i]) values[slot] = undefined;
    }
    // Only arrays that are handed through are still read.
    const passed = outputs.some(({ slot }) => inputs.some((input) => input.slot === slot));
    if (!passed) onRead?.();
    // An output that is an input, lies in the memory or was given out already must be a copy.
    const taken = new Set(inputs.map(({ slot }) => slot));
    const results: Record<string, Data> = {};
    for (const output of outputs) {
      if (output.slot < 0) results[output.name] = zerosFor(output).data;
      else {
        const data = dataOf(values[output.slot]!, output);
        const shared = places[output.slot] !== undefined || taken.has(output.slot);
        results[output.name] = shared ? copyOf(data, output) : data;
        taken.add(output.slot);
      }
    }
    if (passed) onRead?.();
    return results;
  };
  return {
    run: (given, keys = {}, onRead) => {
      const result = turn.then(() => run(given, keys, onRead));
      turn = result.catch(() => undefined);
      return result;
    },
    release: async () => {
      await turn;
      await release();
    },
  };
}

interface KernelMemory {
  readonly buffer: ArrayBuffer;
  readonly entries: WebAssembly.Exports;
}

const PAGE = 65536;

async function createMemory(plan: Plan, code: BufferSource | undefined): Promise<KernelMemory | undefined> {
  if (plan.memoryBytes === 0) return undefined;
  if (code === undefined) throw new EngineError(`internal: ${plan.name} calls kernels but has none`);
  const pages = Math.ceil(plan.memoryBytes / PAGE);
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch {
    throw new EngineError(
      `${plan.name}: ${Math.ceil(plan.memoryBytes / 2 ** 20)} MB for its kernels cannot be allocated: use a smaller batch or picture`,
    );
  }
  const { instance } = await WebAssembly.instantiate(code, { env: { memory } });
  const buffer = memory.buffer as ArrayBuffer;
  for (const { offset, data } of plan.resident) new Uint8Array(buffer, offset, data.length).set(data);
  return { buffer, entries: instance.exports };
}

function kernelAction(
  programName: string,
  step: Extract<Step, { kind: 'kernel' }>,
  memory: KernelMemory,
): Action {
  const entry = memory.entries[step.entry];
  if (typeof entry !== 'function') {
    throw new EngineError(`internal: the kernels have no entry "${step.entry}" for ${step.label}`);
  }
  return async () => {
    try {
      entry(...step.args);
    } catch (error) {
      throw new EngineError(`${programName}: ${step.label}: kernel ${step.entry} failed: ${error}`);
    }
  };
}

function threadedAction(
  programName: string,
  runtime: Runtime,
  step: ThreadedStep,
  slots: readonly Slot[],
  places: readonly (OrtTensor | undefined)[],
  threads: ThreadedRunner | undefined,
  options: ExecutorOptions,
): Action {
  if (threads === undefined) throw new EngineError(`internal: there are no threads for ${step.label}`);
  return async (values, keys) => {
    const reads = step.inputs.map(({ slot }) => values[slot]!.data as Data);
    const writes = step.outputs.map(
      ({ slot }) => (places[slot]?.data as Data) ?? options.allocate(slots[slot]),
    );
    const key = step.kept === undefined ? undefined : keys.get(step.inputs[step.kept.input].slot);
    try {
      threads.run(step, reads, writes, key);
    } catch (error) {
      if (error instanceof EngineError) throw error;
      throw new EngineError(`${programName}: ${step.label}: kernel ${step.entry} failed: ${error}`);
    }
    step.outputs.forEach(({ slot }, i) => {
      values[slot] ??= tensorOf(runtime, slots[slot], writes[i]);
    });
  };
}

function timed(label: string, action: Action, { onKernel }: ExecutorOptions): Action {
  if (onKernel === undefined) return action;
  return async (values, keys) => {
    const start = performance.now();
    await action(values, keys);
    onKernel(label, performance.now() - start);
  };
}

function segmentAction(
  programName: string,
  runtime: Runtime,
  session: InferenceSession,
  { inputs, outputs }: Omit<SegmentStep, 'model'>,
  slots: readonly Slot[],
  places: readonly (OrtTensor | undefined)[],
  options: ExecutorOptions,
): Action {
  return async (values) => {
    const feeds: Record<string, OrtTensor> = {};
    for (const { name, slot } of inputs) feeds[name] = values[slot]!;
    const fetches: Record<string, OrtTensor | null> = {};
    for (const { name, slot } of outputs) {
      const fresh = () => tensorOf(runtime, slots[slot], options.allocate(slots[slot]));
      fetches[name] = options.fillsOutputs ? (places[slot] ?? fresh()) : null;
    }
    const results = await explained(programName, () => session.run(feeds, fetches, { logSeverityLevel: 4 }));
    for (const { name, slot } of outputs) {
      const place = places[slot];
      if (place === undefined) values[slot] = results[name];
      else if (!options.fillsOutputs) (place.data as Data).set(dataOf(results[name], slots[slot]) as never);
    }
  };
}

/** Numbers for values of single runs: below those of resident values. */
let nextOwnKey = -1;

/** Slots that more than one step keeps a layout of. */
function keptTwice({ steps }: Plan): number[] {
  const kept = steps.flatMap((step) =>
    step.kind === 'threaded' && step.kept !== undefined ? [step.inputs[step.kept.input].slot] : [],
  );
  return [...new Set(kept.filter((slot, i) => kept.indexOf(slot) !== i))];
}

/** Slots without a place that no step after the given one reads, and no output either. */
function lastReads(plan: Plan): number[][] {
  const last = new Map<number, number>();
  plan.steps.forEach((step, i) => {
    if (step.kind === 'kernel') return;
    for (const { slot } of [...step.inputs, ...step.outputs]) last.set(slot, i);
  });
  for (const { slot } of plan.outputs) last.delete(slot);
  const frees = plan.steps.map((): number[] => []);
  for (const [slot, i] of last) if (plan.slots[slot].offset < 0) frees[i].push(slot);
  return frees;
}

function viewOf(runtime: Runtime, buffer: ArrayBuffer, slot: Slot): OrtTensor {
  const { data } = zerosFor({ dtype: slot.dtype, shape: [0] });
  const View = data.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => Data;
  const size = slot.shape.reduce((total, extent) => total * extent, 1);
  return tensorOf(runtime, slot, new View(buffer, slot.offset, size));
}

function tensorOf(runtime: Runtime, { dtype, shape }: Aval, data: Data): OrtTensor {
  return new runtime.Tensor(dtype, data as never, shape);
}

/** A tensor's values in our storage: newer JavaScript engines give Float16Array where we hold its bits. */
function dataOf(tensor: OrtTensor, { dtype }: Pick<Aval, 'dtype'>): Data {
  const data = tensor.data as Data;
  if (dtype !== 'float16' || data instanceof Uint16Array) return data;
  const { buffer, byteOffset, length } = data as Data;
  return new Uint16Array(buffer, byteOffset, length);
}

async function explained<T>(programName: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw new EngineError(
      explainFailure(programName, error instanceof Error ? error.message : String(error)),
    );
  }
}
