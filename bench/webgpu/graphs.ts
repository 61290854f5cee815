/**
 * Whole stages of the generator on ONNX Runtime's WebGPU execution provider, with random weights: time as a plain
 * session and with captured commands, and the error beside the WebAssembly execution provider.
 *
 * Rendering is expanded into primitives here: there is no fused kernel for the GPU.
 */

import type { Tensor as OrtTensor } from 'onnxruntime-common';
import type { Plan } from '../../src/engines/onnx/plan.ts';
import { planProgram } from '../../src/engines/onnx/planner.ts';
import { presetOf } from '../../src/portrait/presets.ts';
import {
  type Arrays,
  costOf,
  expandFused,
  type Graph,
  type NdArray,
  ndarray,
  sizeOf,
} from '../../src/tensor/index.ts';
import { parametersFor, stagedGenerator } from '../stages.ts';
import { createSession, deviceOf, normals, type Runtime, timedSession, upload } from './device.ts';
import { cellText, ms, type Report, rate } from './report.ts';

/** The one segment of a plan without kernels, with the program's names for what it reads and gives. */
export function segmentOf(plan: Plan): {
  bytes: Uint8Array;
  names: Map<string, string>;
  outputs: Map<string, string>;
} {
  const [step, ...others] = plan.steps;
  if (step?.kind !== 'segment' || others.length > 0) throw new Error('internal: one segment expected');
  const names = new Map<string, string>();
  for (const { name, slot } of plan.inputs) {
    const binding = step.inputs.find((entry) => entry.slot === slot);
    if (binding !== undefined) names.set(name, binding.name);
  }
  const outputs = new Map<string, string>();
  for (const { name, slot } of plan.outputs) {
    const binding = step.outputs.find((entry) => entry.slot === slot);
    if (binding !== undefined) outputs.set(name, binding.name);
  }
  return { bytes: step.model, names, outputs };
}

interface StageResult {
  readonly cells: readonly string[];
  readonly outputs: Record<string, NdArray>;
}

/** One stage on the GPU: time as a plain session and with captured commands, and its results. */
async function timedStage(
  runtime: Runtime,
  graph: Graph,
  values: ReadonlyMap<string, NdArray>,
  inputs: Arrays,
  check: boolean,
): Promise<StageResult> {
  const parameters = parametersFor(graph, values);
  const { bytes, names, outputs } = segmentOf(planProgram(expandFused(graph), undefined, parameters));
  const start = performance.now();
  let onCpu = '';
  const session = await createSession(runtime, bytes).catch((error: Error) => {
    onCpu = ` (part on the CPU: ${cellText(error.message, 120)})`;
    return createSession(runtime, bytes, { allowCpu: true });
  });
  const created = performance.now() - start;
  const device = await deviceOf(runtime);
  const feeds: Record<string, OrtTensor> = {};
  for (const [name, binding] of names) feeds[binding] = upload(runtime, device, inputs[name]);
  const [first, each] = await timedSession(runtime, session, feeds);
  const results = await session.run(feeds);
  const host: Record<string, NdArray> = {};
  for (const { name, tensor } of graph.outputs) {
    const result = results[outputs.get(name)!];
    if (host[name] !== undefined || result === undefined) continue;
    host[name] = { dtype: 'float32', shape: tensor.shape, data: (await result.getData()) as Float32Array };
  }
  for (const result of Object.values(results)) result.dispose();
  const fetches = (await session.run(feeds)) as Record<string, OrtTensor>;
  const captured = await timedCapture(runtime, bytes, feeds, fetches, outputs, host).catch(
    (error: Error) => `failed: ${cellText(error.message, 300)}`,
  );
  for (const result of Object.values(fetches)) result.dispose();
  await session.release();
  for (const tensor of Object.values(feeds)) (tensor.gpuBuffer as unknown as GPUBuffer).destroy();
  const { flops } = costOf(graph);
  const error = check ? await errorBesideCpu(runtime, bytes, names, outputs, inputs, host) : '';
  const cells = [
    ...[`${created.toFixed(0)}${onCpu}`, first.toFixed(0), ms(each), captured],
    ...[(flops / 1e9).toFixed(2), rate(flops, 'FLOP', each), error],
  ];
  return { cells, outputs: host };
}

/** The same with the commands of one run recorded; inputs and outputs are fixed buffers then.
 *
 * The outputs are ones that ONNX Runtime made: it forgets buffers of ours between runs, gives them another
 * address at the next, and then no longer finds the recorded one (1.30, seen as "Cannot set properties of
 * undefined").
 */
async function timedCapture(
  runtime: Runtime,
  bytes: Uint8Array,
  feeds: Record<string, OrtTensor>,
  fetches: Record<string, OrtTensor>,
  outputs: ReadonlyMap<string, string>,
  expected: Readonly<Record<string, NdArray>>,
): Promise<string> {
  const session = await createSession(runtime, bytes, { capture: true });
  const device = await deviceOf(runtime);
  try {
    const [, each] = await timedSession(runtime, session, feeds, fetches);
    const encoder = device.createCommandEncoder();
    for (const tensor of Object.values(fetches))
      encoder.clearBuffer(tensor.gpuBuffer as unknown as GPUBuffer);
    device.queue.submit([encoder.finish()]);
    await session.run(feeds, fetches);
    const wrong: string[] = [];
    for (const [name, { data }] of Object.entries(expected)) {
      const found = (await fetches[outputs.get(name)!].getData()) as Float32Array;
      const error = relativeError(found, data);
      if (!(error < 1e-5)) wrong.push(`${name} ${error.toExponential(1)}`);
    }
    return wrong.length === 0 ? ms(each) : `${ms(each)} (wrong: ${wrong.join(', ')})`;
  } finally {
    await session.release();
  }
}

/** Largest difference, relative to the largest value; infinite if any is NaN. */
function relativeError(found: ArrayLike<number>, truth: ArrayLike<number>): number {
  let [worst, largest] = [0, 0];
  for (let i = 0; i < truth.length; i++) {
    const difference = Math.abs(truth[i] - found[i]);
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
    largest = Math.max(largest, Math.abs(truth[i]));
  }
  return worst === 0 ? 0 : worst / largest;
}

/** Largest difference from the WebAssembly execution provider, relative to the largest value. */
async function errorBesideCpu(
  runtime: Runtime,
  bytes: Uint8Array,
  names: ReadonlyMap<string, string>,
  outputs: ReadonlyMap<string, string>,
  inputs: Arrays,
  found: Readonly<Record<string, NdArray>>,
): Promise<string> {
  const session = await runtime.InferenceSession.create(bytes, {
    executionProviders: ['wasm'],
    logSeverityLevel: 4,
  });
  const feeds: Record<string, OrtTensor> = {};
  for (const [name, binding] of names) {
    const { dtype, shape, data } = inputs[name];
    feeds[binding] = new runtime.Tensor(dtype, data as never, shape);
  }
  const results = await session.run(feeds);
  const errors = Object.entries(found).map(([name, { data }]) => {
    const truth = results[outputs.get(name)!].data as Float32Array;
    return `${name} ${relativeError(data, truth).toExponential(1)}`;
  });
  await session.release();
  return errors.join(', ');
}

/** A table for each preset; the first one's results are compared with the CPU's. */
export async function graphsSection(
  runtime: Runtime,
  report: Report,
  presets: readonly string[],
): Promise<void> {
  for (const name of presets) await presetGraphs(runtime, report, name, name === presets[0]);
}

async function presetGraphs(runtime: Runtime, report: Report, name: string, check: boolean): Promise<void> {
  const { stages, values, inputs } = stagedGenerator(presetOf(name), (count) => normals(count));
  report.header(`Preset ${name}, random weights, batch 1, onnxruntime-web/${runtime.build}`, [
    ...['stage', 'session ms', 'first ms', 'ms', 'captured ms', 'GFLOP', 'rate', 'error beside the CPU'],
  ]);
  const known: Record<string, NdArray> = { ...inputs };
  for (const { name: label, graph } of stages) {
    await report.row(label === 'rendering' ? 'rendering, as primitives' : label, async () => {
      for (const { name: input, tensor } of graph.inputs) {
        // What an earlier stage failed to give.
        known[input] ??= ndarray(tensor.shape, normals(sizeOf(tensor.shape)));
      }
      const { cells, outputs } = await timedStage(runtime, graph, values, known, check);
      Object.assign(known, outputs);
      return cells;
    });
  }
}
