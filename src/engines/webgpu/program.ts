/**
 * A compiled program on a device: its pipelines, its weights, and what a run hands over.
 *
 * Nothing is read back but what was asked for, and reading waits for the device without blocking the thread.
 */

import { EngineError } from '../../errors.ts';
import type { Aval, Graph, NdArray } from '../../tensor/index.ts';
import type { Data, LoadedProgram } from '../shared-engine.ts';
import { assignSlots, type Life } from './arena.ts';
import type { GpuProgram, Step } from './compile.ts';
import { arrayFrom, bytesIn, type Gpu, judged, type Pipeline } from './gpu.ts';
import { createProfile, type Profile, type StepTime } from './profile.ts';
import type { Value } from './values.ts';

/** Values that stay on the device, by number. */
export interface Held {
  readonly buffer: GPUBuffer;
}

/** Buffers of weights, shared by all programs that were given the same array. */
export interface Weights {
  /** The buffer of an array, until each who took it has dropped it. The array itself is not kept. */
  take(array: NdArray): { readonly buffer: GPUBuffer; drop(): void };
}

export interface ProgramHooks {
  /** Told how many of the program's shaders are compiled. */
  readonly onProgress?: (program: string, done: number, total: number) => void;
  /** Told what each dispatch of a run took on the device, milliseconds. */
  readonly onProfile?: (program: string, times: readonly StepTime[]) => void;
}

interface ReadyStep {
  readonly step: Step;
  readonly pipeline: Pipeline;
  /** By the identities of buffers that change from run to run; one entry where none does. */
  readonly groups: Map<string, GPUBindGroup>;
  /** Bindings whose buffers come with a run. */
  readonly changing: readonly number[];
}

/** The device begins with that many steps while the next are still written down; and no submission is so long that a
 * system takes the device for hung. */
const STEPS_A_SUBMISSION = 128;

/** More bind groups of a step than this are not kept. */
const MOST_GROUPS = 16;

export async function loadProgram(
  gpu: Gpu,
  graph: Graph,
  program: GpuProgram,
  parameters: Readonly<Record<string, NdArray>>,
  weights: Weights,
  store: Map<number, Held>,
  hooks: ProgramHooks,
): Promise<LoadedProgram> {
  const { values, outputs } = program;
  gpu.refuseBroken();
  const ready = async (steps: readonly Step[]): Promise<ReadyStep[]> =>
    Promise.all(
      steps.map(async (step) => {
        const pipeline = await gpu.pipeline(
          step.shader,
          step.bound.map(({ write }) => write),
        );
        done++;
        hooks.onProgress?.(program.name, done, total);
        const changing = step.bound.flatMap(({ value }, i) =>
          values[value].kind === 'given' || values[value].kind === 'result' ? [i] : [],
        );
        return { step, pipeline, groups: new Map(), changing };
      }),
    );
  const total = program.prologue.length + program.steps.length;
  let done = 0;
  const [prologue, steps] = await Promise.all([ready(program.prologue), ready(program.steps)]);
  gpu.refuseBroken();

  const { slotOf, slotBytes } = slotsOf(program.steps, values);
  const { lasting, verdict, release } = settle(gpu, program, prologue, parameters, weights);
  const faults = values.findIndex(({ kind }) => kind === 'faults');
  const words = program.faults.length;
  const faultsSource = () => ({ buffer: lasting[faults] as GPUBuffer, bytes: 4 * words });
  try {
    await verdict;
    // The weights' own indices.
    if (words > 0 && program.prologue.length > 0) {
      refuseFaults(program, (await gpu.read(program.name, [faultsSource()]))[0]);
    }
    gpu.refuseBroken();
  } catch (error) {
    await release();
    throw error;
  }
  const avals = new Map(graph.outputs.map(({ name, tensor }) => [name, tensor]));
  let arenaVersion = -1;

  const run: LoadedProgram['run'] = async (inputs, keep, donated = []) => {
    gpu.refuseBroken();
    const borrowed: GPUBuffer[] = [];
    const results = new Map<string, GPUBuffer>();
    const { result: reader, verdict: said } = gpu.checked(program.name, () => {
      try {
        return record(inputs, keep, borrowed, results);
      } catch (error) {
        for (const buffer of [...borrowed, ...results.values()]) gpu.release(buffer);
        throw error;
      }
    });
    if (keep !== undefined) {
      for (const { name } of outputs) store.set(keep[name], { buffer: results.get(name) ?? gpu.acquire(16) });
      for (const buffer of borrowed) gpu.release(buffer);
      releaseDonated(donated);
      // What was wrong is found out while nobody waits: the next call tells.
      void judged(reader(), said)
        .then(([bytes]) => {
          if (words > 0) refuseFaults(program, bytes);
        })
        .catch(gpu.fail);
      return {};
    }
    const reading = reader();
    for (const buffer of [...borrowed, ...results.values()]) gpu.release(buffer);
    releaseDonated(donated);
    const bytes = await judged(reading, said);
    gpu.refuseBroken();
    if (words > 0) refuseFaults(program, bytes.pop() as Uint8Array);
    return Object.fromEntries(
      outputs.map(({ name, value }, i): [string, Data] => {
        const storage = value === undefined ? 'f32' : values[value].storage;
        return [name, arrayFrom(avals.get(name) as Aval, storage, bytes[i])];
      }),
    );
  };

  /** Writes a run down and hands it over; what it takes and makes goes to `borrowed` and `results`. */
  const record = (
    inputs: Parameters<LoadedProgram['run']>[0],
    keep: Parameters<LoadedProgram['run']>[1],
    borrowed: GPUBuffer[],
    results: Map<string, GPUBuffer>,
  ): (() => Promise<Uint8Array[]>) => {
    const buffers = [...lasting];
    for (const [i, value] of values.entries()) {
      if (value.kind === 'given') buffers[i] = givenBuffer(value, inputs[value.name as string], borrowed);
      else if (value.kind === 'result') {
        buffers[i] = gpu.acquire(value.bytes);
        results.set(value.name as string, buffers[i]);
      }
    }
    const { buffers: slots, version } = gpu.arena.reserve(slotBytes);
    if (version !== arenaVersion) for (const { groups } of steps) groups.clear();
    arenaVersion = version;
    const bufferOf = (value: number): GPUBuffer => buffers[value] ?? slots[slotOf[value]];
    const start = gpu.device.createCommandEncoder();
    if (faults >= 0) start.clearBuffer(bufferOf(faults));
    const profile = hooks.onProfile && createProfile(gpu, program.name, program.steps, hooks.onProfile);
    const commands = encode(gpu, start, steps, values, bufferOf, profile);
    for (const { name, value } of outputs) {
      if (value === undefined || results.has(name)) continue;
      // It lies elsewhere already: as an input, a weight, or another output.
      const copy = gpu.acquire(values[value].bytes);
      commands.copyBufferToBuffer(bufferOf(value), 0, copy, 0, values[value].bytes);
      results.set(name, copy);
    }
    profile?.resolve(commands);
    const read = keep === undefined ? outputs : [];
    const sources = read.map(({ name, value }) => ({
      buffer: results.get(name) as GPUBuffer,
      bytes: value === undefined ? 0 : bytesIn(avals.get(name) as Aval, values[value].storage),
    }));
    if (words > 0) sources.push(faultsSource());
    return gpu.submit(commands, sources);
  };
  const givenBuffer = (value: Value, given: Data | number, borrowed: GPUBuffer[]): GPUBuffer => {
    if (typeof given === 'number') return heldIn(store, given).buffer;
    const buffer = gpu.acquire(value.bytes);
    borrowed.push(buffer);
    const dtype = graph.inputs.find(({ name }) => name === value.name)!.tensor.dtype;
    gpu.write(buffer, { data: given, dtype }, value.storage);
    return buffer;
  };
  const releaseDonated = (donated: readonly number[]): void => {
    for (const id of donated) {
      const held = store.get(id);
      if (held === undefined) continue;
      store.delete(id);
      gpu.release(held.buffer);
    }
  };
  return { run, release };
}

/** @throws EngineError naming the operation that met an index out of range. */
function refuseFaults({ name, faults }: GpuProgram, bytes: Uint8Array): void {
  const at = new Uint32Array(bytes.buffer, bytes.byteOffset, faults.length).indexOf(1);
  if (at >= 0) throw new EngineError(`${name}: ${faults[at]}`);
}

/** Brings to the device what outlives a run, and computes what depends on weights alone. Apart from its caller, whose
 * closures would keep the arrays of the weights. */
function settle(
  gpu: Gpu,
  program: GpuProgram,
  prologue: readonly ReadyStep[],
  parameters: Readonly<Record<string, NdArray>>,
  weights: Weights,
) {
  const { values } = program;
  const lasting = new Array<GPUBuffer | undefined>(values.length);
  const drops: (() => void)[] = [];
  const { slotOf, slotBytes } = slotsOf(program.prologue, values);
  const { verdict } = gpu.checked(program.name, () => {
    values.forEach((value, i) => {
      if (value.kind === 'weight') {
        const { buffer, drop } = weights.take(parameters[value.name as string]);
        lasting[i] = buffer;
        drops.push(drop);
      } else if (value.kind === 'constant' || value.kind === 'fixed' || value.kind === 'faults') {
        const buffer = gpu.acquire(value.bytes);
        lasting[i] = buffer;
        drops.push(releaseLater(gpu, buffer));
        if (value.array !== undefined) gpu.write(buffer, value.array, value.storage);
      }
    });
    if (prologue.length === 0) return;
    const encoder = gpu.device.createCommandEncoder();
    const { buffers } = gpu.arena.reserve(slotBytes);
    const bufferOf = (value: number): GPUBuffer => lasting[value] ?? buffers[slotOf[value]];
    const faults = values.findIndex(({ kind }) => kind === 'faults');
    if (faults >= 0) encoder.clearBuffer(bufferOf(faults));
    gpu.device.queue.submit([encode(gpu, encoder, prologue, values, bufferOf, undefined).finish()]);
  });
  return { lasting, verdict, release: releaseOf(drops) };
}

function releaseLater(gpu: Gpu, buffer: GPUBuffer): () => void {
  return () => gpu.release(buffer);
}

function releaseOf(drops: (() => void)[]): () => Promise<void> {
  return async () => {
    for (const drop of drops.splice(0)) drop();
  };
}

/** @throws EngineError when there is no such value. */
export function heldIn(store: ReadonlyMap<number, Held>, id: number): Held {
  const held = store.get(id);
  if (held === undefined)
    throw new EngineError('a resident value was released, or belongs to another engine');
  return held;
}

/** Slots of transient values, which no two share while both are needed. */
function slotsOf(
  steps: readonly Step[],
  values: readonly Value[],
): { slotOf: number[]; slotBytes: number[] } {
  const lives = new Map<number, { bytes: number; from: number; until: number }>();
  steps.forEach(({ bound, cleared }, i) => {
    for (const value of [...bound.map((entry) => entry.value), ...cleared]) {
      if (values[value].kind !== 'transient') continue;
      const life = lives.get(value);
      if (life === undefined) lives.set(value, { bytes: values[value].bytes, from: i, until: i });
      else life.until = i;
    }
  });
  const { slots, bytes } = assignSlots([...lives.values()] satisfies Life[]);
  const slotOf: number[] = [];
  [...lives.keys()].forEach((value, i) => {
    slotOf[value] = slots[i];
  });
  return { slotOf, slotBytes: bytes };
}

/** Writes all steps down, hands all but the last of them over, and gives the encoder that holds the rest. */
function encode(
  gpu: Gpu,
  start: GPUCommandEncoder,
  steps: readonly ReadyStep[],
  values: readonly Value[],
  bufferOf: (value: number) => GPUBuffer,
  profile: Profile | undefined,
): GPUCommandEncoder {
  let encoder = start;
  let pass: GPUComputePassEncoder | undefined;
  steps.forEach(({ step, pipeline, groups, changing }, i) => {
    if (i > 0 && i % STEPS_A_SUBMISSION === 0) {
      pass?.end();
      pass = undefined;
      gpu.device.queue.submit([encoder.finish()]);
      encoder = gpu.device.createCommandEncoder();
    }
    if (step.cleared.length > 0) {
      pass?.end();
      pass = undefined;
      for (const value of step.cleared) encoder.clearBuffer(bufferOf(value), 0, values[value].bytes);
    }
    if (profile !== undefined) {
      pass?.end();
      pass = undefined;
    }
    pass ??= encoder.beginComputePass(profile?.descriptor(i));
    const key = changing.map((at) => identityOf(bufferOf(step.bound[at].value))).join();
    let group = groups.get(key);
    if (group === undefined) {
      group = gpu.device.createBindGroup({
        layout: pipeline.layout,
        entries: step.bound.map(({ value }, binding) => ({
          binding,
          resource: { buffer: bufferOf(value), size: values[value].bytes },
        })),
      });
      if (groups.size >= MOST_GROUPS) groups.clear();
      groups.set(key, group);
    }
    pass.setPipeline(pipeline.pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...step.groups);
  });
  pass?.end();
  return encoder;
}

const identities = new WeakMap<GPUBuffer, number>();
let nextIdentity = 0;

function identityOf(buffer: GPUBuffer): number {
  let identity = identities.get(buffer);
  if (identity === undefined) {
    identity = nextIdentity++;
    identities.set(buffer, identity);
  }
  return identity;
}
