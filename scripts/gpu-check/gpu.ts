/** The device under a check: its engines, the memory that they take, and how runs are timed. */

import { timed } from '../../bench/webgpu/device.ts';
import { defaultBody } from '../../src/default-body.ts';
import { type WebgpuEngine, type WebgpuEngineOptions, webgpuEngine } from '../../src/engines/webgpu/index.ts';
import { openNodeDevice } from '../../src/engines/webgpu/node.ts';
import { poseBodies, posingOf } from '../../src/portrait/posing.ts';
import type { Preset } from '../../src/portrait/presets.ts';
import { type Engine, ndarray, type Program, type Values } from '../../src/tensor/index.ts';
import { type Fields, round } from './record.ts';

/** Runs that are submitted without waiting take about this long. */
const SUBMITTED_MS = 50;

export type Precision = 'f32' | 'half';

export interface CheckOptions {
  /** Flags for Dawn in place of the engine's own; none for those. */
  readonly dawnFlags: readonly string[];
  /** Sizes for a software adapter: shows that everything runs, not how fast. */
  readonly small: boolean;
  /** Folder of what `prepare.ts` made. */
  readonly data: string;
}

export interface Gpu extends CheckOptions {
  readonly device: GPUDevice;
  /** Half precision only where shaders may say it. */
  readonly precisions: readonly Precision[];
  readonly memory: Memory;
  engine(precision: Precision, hooks?: Omit<WebgpuEngineOptions, 'device' | 'half'>): WebgpuEngine;
  /** Waits for all that was submitted. */
  settle(): Promise<unknown>;
}

/** Bytes of the device's buffers. */
export interface Memory {
  live(): number;
  peak(): number;
  /** Begins a new peak. */
  reset(): void;
}

/** Opens the device.
 *
 * @param errors takes what is reported outside of error scopes
 */
export async function openGpu(options: CheckOptions, errors: string[]): Promise<Gpu> {
  const { dawnFlags } = options;
  const device = await openNodeDevice(dawnFlags.length > 0 ? { dawnFlags: [...dawnFlags] } : {});
  device.addEventListener('uncapturederror', ({ error }) => errors.push(error.message.slice(0, 500)));
  void device.lost.then(({ message }) => errors.push(`the device was lost: ${message}`));
  return {
    ...options,
    device,
    precisions: device.features.has('shader-f16') ? ['f32', 'half'] : ['f32'],
    memory: countBuffers(device),
    engine: (precision, hooks) => webgpuEngine({ device, half: precision === 'half', ...hooks }),
    settle: () => device.queue.onSubmittedWorkDone(),
  };
}

/** Counts what is created and destroyed from now on. */
function countBuffers(device: GPUDevice): Memory {
  let [live, peak] = [0, 0];
  const create = device.createBuffer;
  device.createBuffer = (descriptor) => {
    const buffer = create.call(device, descriptor);
    const { destroy, size } = buffer;
    live += size;
    peak = Math.max(peak, live);
    let there = true;
    buffer.destroy = () => {
      if (there) live -= size;
      there = false;
      return destroy.call(buffer);
    };
    return buffer;
  };
  return {
    live: () => live,
    peak: () => peak,
    reset: () => {
      peak = live;
    },
  };
}

/** Milliseconds of runs. */
export interface RunTimes extends Fields {
  /** The first. */
  readonly firstMs: number;
  /** One among many in a row. */
  readonly ms: number;
  /** What the CPU needs to submit one: where it is nearly `ms`, the device waits for it. */
  readonly submitMs: number;
}

/** Times a program; results stay on the device and are released. */
export async function timedProgram(
  gpu: Gpu,
  engine: Engine,
  program: Program,
  inputs: Values,
): Promise<RunTimes> {
  return timedRuns(gpu, async () => {
    const made = await program.runResident(inputs);
    for (const value of Object.values(made)) await engine.release(value);
  });
}

export async function timedRuns(gpu: Gpu, run: () => Promise<void>): Promise<RunTimes> {
  const [firstMs, ms] = await timed(run, gpu.settle, gpu.small);
  const count = Math.max(1, Math.min(20, Math.ceil(SUBMITTED_MS / ms)));
  const start = performance.now();
  for (let i = 0; i < count; i++) await run();
  const submitMs = (performance.now() - start) / count;
  await gpu.settle();
  return { firstMs: round(firstMs), ms: round(ms), submitMs: round(submitMs) };
}

/** Milliseconds of something that is done once. */
export async function once<T>(work: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now();
  const result = await work();
  return [result, round(performance.now() - start)];
}

/** The body that ships, turned and nodding, for a preset's box. */
export function posedBody(preset: Preset) {
  const posing = posingOf(defaultBody(), preset.boxWarp, preset.thickness);
  const pose = ndarray([1, 6], [0.1, -0.2, 0.05, 0.2, 0.3, -0.1]);
  return { posing, pose, mesh: poseBodies(posing, pose).mesh };
}
