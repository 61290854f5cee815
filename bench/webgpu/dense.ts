/**
 * Which tiles suit which dense operation on a device: measures candidates and prints a JSON line for each, and one for
 * the best of each shape and mode.
 *
 *     npx tsx bench/webgpu/dense.ts --seconds 60
 *     npx tsx bench/webgpu/dense.ts --modes units --only 'conv 3x3' --seconds 20
 *
 * or as one file, where there is nothing but Node and the npm package `webgpu`:
 *
 *     npx esbuild bench/webgpu/dense.ts --bundle --platform=node --format=esm --outfile=dense.mjs
 *
 * A time is that of one of many runs in a row, all dispatches of the operation counted, in one submission that is
 * waited for. `error` is the largest difference from the same operation in single precision with tiles of 16 x 16, by
 * the largest value. On a software adapter, `--small` shows that everything runs.
 */

import { parseArgs } from 'node:util';
import type { Cut, DenseChoice, ProductShape } from '../../src/engines/webgpu/dense/index.ts';
import {
  fits,
  plainTile,
  splitsFor,
  type Tile,
  tilesOf,
  timeOf,
} from '../../src/engines/webgpu/dense/tile.ts';
import { abilitiesOf, nameOf } from '../../src/engines/webgpu/device.ts';
import {
  type Abilities,
  type KernelCall,
  type Operand,
  type Planning,
  shaderOf,
} from '../../src/engines/webgpu/kernel.ts';
import { openNodeDevice } from '../../src/engines/webgpu/node.ts';
import { fromHalfBits } from '../../src/tensor/half.ts';
import { sizeOf } from '../../src/tensor/index.ts';
import { CASES, type DenseCase, isHalf, type Mode, SMALL_CASES, tilesFor } from './dense-cases.ts';
import { bufferOf, drawn, USAGE } from './device.ts';

/** Runs in a row take about this long. */
const ENOUGH_MS = 12;
/** Processors that workgroups are spread over. */
const PROCESSORS = 132;

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    modes: { type: 'string', default: 'f32,units,half' },
    /** Only operations whose name matches. */
    only: { type: 'string', default: '' },
    /** Measures what the engine would choose, and nothing else. */
    chosen: { type: 'boolean', default: false },
    /** Features of Dawn. */
    dawn: { type: 'string', default: 'allow_unsafe_apis,vulkan_enable_f16_on_nvidia' },
    backend: { type: 'string', default: 'vulkan' },
    small: { type: 'boolean', default: false },
  },
});

interface Values {
  readonly inputs: readonly GPUBuffer[];
  readonly output: GPUBuffer;
}

interface Ready {
  readonly steps: readonly { pipeline: GPUComputePipeline; group: GPUBindGroup; groups: readonly number[] }[];
  readonly scratch: readonly GPUBuffer[];
}

function planningFor(abilities: Abilities, mode: Mode, { node }: DenseCase): Planning {
  return {
    abilities: mode === 'units' ? abilities : { ...abilities, matrixUnits: [] },
    half: mode !== 'f32',
    storageOf: (tensor) => {
      const at = node.inputs.indexOf(tensor);
      return isHalf(mode, nameOfInput(node.inputs[at]?.node.attrs.name), tensor.shape) ? 'f16' : 'f32';
    },
    faultOf: () => 0,
  };
}

function nameOfInput(name: unknown): string {
  return typeof name === 'string' ? name : '';
}

function valuesOf(device: GPUDevice, mode: Mode, { node }: DenseCase): Values {
  const half = (name: string, shape: readonly number[]): boolean => isHalf(mode, name, shape);
  const inputs = node.inputs.map(({ shape, node: { attrs } }) =>
    bufferOf(device, drawn(half(nameOfInput(attrs.name), shape) ? 'float16' : 'float32', sizeOf(shape), 0.5)),
  );
  const [{ shape }] = node.outputs;
  const size = Math.ceil((sizeOf(shape) * (half('', shape) ? 2 : 4)) / 16) * 16;
  return { inputs, output: device.createBuffer({ size, usage: USAGE.storage | USAGE.copySource }) };
}

async function prepare(device: GPUDevice, call: KernelCall, { inputs, output }: Values): Promise<Ready> {
  const scratch = (call.scratch ?? []).map((bytes) =>
    device.createBuffer({ size: Math.max(16, Math.ceil(bytes / 16) * 16), usage: USAGE.storage }),
  );
  const bufferAt = (at: Operand): GPUBuffer =>
    'input' in at ? inputs[at.input] : 'scratch' in at ? scratch[at.scratch] : output;
  const steps = await Promise.all(
    call.dispatches.map(async ({ code, bound, groups }) => {
      const module = device.createShaderModule({ code: shaderOf(code, bound) });
      const compute = { module, entryPoint: 'main' };
      const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute });
      const entries = bound.map(({ at }, binding) => ({ binding, resource: { buffer: bufferAt(at) } }));
      return {
        pipeline,
        group: device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }),
        groups,
      };
    }),
  );
  return { steps, scratch };
}

async function run(device: GPUDevice, { steps }: Ready, times: number): Promise<number> {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (let i = 0; i < times; i++) {
    for (const { pipeline, group, groups } of steps) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(groups[0], groups[1], groups[2]);
    }
  }
  pass.end();
  const commands = encoder.finish();
  const start = performance.now();
  device.queue.submit([commands]);
  await device.queue.onSubmittedWorkDone();
  return (performance.now() - start) / times;
}

/** The first million results. */
async function read(device: GPUDevice, { output }: Values, half: boolean): Promise<Float32Array> {
  const size = Math.min(output.size, 1 << 22);
  const buffer = device.createBuffer({ size, usage: USAGE.mapRead | USAGE.copyTarget });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(output, 0, buffer, 0, size);
  device.queue.submit([encoder.finish()]);
  await buffer.mapAsync(1);
  const bytes = buffer.getMappedRange().slice(0);
  buffer.destroy();
  return half ? Float32Array.from(new Uint16Array(bytes), fromHalfBits) : new Float32Array(bytes);
}

function errorOf(found: Float32Array, expected: Float32Array, count: number): number {
  let largest = 0;
  let worst = 0;
  for (let i = 0; i < Math.min(count, found.length, expected.length); i++) {
    largest = Math.max(largest, Math.abs(expected[i]));
    // Not a number is the worst error of all.
    const error = Math.abs(found[i] - expected[i]);
    worst = Math.max(error, worst);
  }
  return worst / largest;
}

const nameOfTile = ({ rows, columns, depth, block, prefetch, unroll }: Tile): string =>
  `${rows}x${columns}x${depth} ${block.join('x')}${prefetch ? '' : ' plain'} u${unroll}`;

/** Candidates, those that should be fastest first; different splits where there are few tiles. */
function cutsFor(shape: ProductShape, mode: Mode, abilities: Abilities): Cut[] {
  const rate = ({ rows, columns }: Tile): number => Math.min(1, Math.sqrt(rows * columns) / 128);
  const cuts: (Cut & { readonly time: number })[] = [];
  for (const tile of tilesFor(mode, abilities)) {
    if (!fits(tile, abilities, mode !== 'f32')) continue;
    const few = tilesOf(shape, tile) < 4 * PROCESSORS;
    const all = splitsFor(shape).map((splits) => ({
      ...{ tile, splits, time: timeOf(shape, tile, splits, rate(tile)) },
    }));
    all.sort((a, b) => a.time - b.time);
    cuts.push(...all.slice(0, few ? 2 : 1));
  }
  return cuts.sort((a, b) => a.time - b.time).map(({ tile, splits }) => ({ tile, splits }));
}

/** What to try: first what the engine chooses, which may take no tiles at all. */
function choicesFor({ shape, threeByThree }: DenseCase, mode: Mode, abilities: Abilities): DenseChoice[] {
  if (shape === undefined || options.chosen) return [{}];
  const cuts = cutsFor(shape, mode, abilities).map((cut) => ({ cut }));
  if (!threeByThree) return [{}, ...cuts];
  const portions = mode === 'units' ? [] : [1 << 25, 1 << 27, 1 << 29];
  const winograd = portions.map((portionBytes) => ({ winograd: true, portionBytes }));
  const [best] = cuts;
  return [{}, ...winograd, best, { ...best, wide: false }, ...cuts.slice(1)];
}

function describe(choice: DenseChoice): Record<string, unknown> {
  const { cut, winograd, portionBytes, wide } = choice;
  if (winograd) return { tile: `Winograd ${(portionBytes ?? 0) >> 20} MB` };
  if (cut === undefined) return { tile: 'chosen' };
  return { tile: `${nameOfTile(cut.tile)}${wide === false ? ' scalar' : ''}`, splits: cut.splits };
}

async function measureCase(
  device: GPUDevice,
  abilities: Abilities,
  one: DenseCase,
  mode: Mode,
  deadline: number,
): Promise<void> {
  const { node, name, shape } = one;
  const planning = planningFor(abilities, mode, one);
  const flops = node.op.flops(node.inputs, node.outputs, node.attrs);
  const count = sizeOf(node.outputs[0].shape);
  const values = valuesOf(device, mode, one);
  const half = isHalf(mode, '', node.outputs[0].shape);
  const time = async (choice: DenseChoice): Promise<{ ms: number; result: Float32Array }> => {
    const ready = await prepare(device, one.plan(planning, choice), values);
    await run(device, ready, 1);
    const result = await read(device, values, half);
    const estimate = await run(device, ready, options.small ? 1 : 3);
    const times = Math.max(3, Math.min(500, Math.ceil(ENOUGH_MS / estimate)));
    const ms = options.small ? estimate : await run(device, ready, times);
    for (const buffer of ready.scratch) buffer.destroy();
    return { ms, result };
  };
  const reference = async (): Promise<Float32Array> => {
    const plain = planningFor(abilities, 'f32', one);
    const exact = { ...plain, half: false, storageOf: planning.storageOf };
    const cut = { tile: plainTile(16, 16, 8, [4, 4], true, 1), splits: 1 };
    const ready = await prepare(
      device,
      one.plan(exact, shape === undefined ? {} : { cut, winograd: false }),
      values,
    );
    await run(device, ready, 1);
    for (const buffer of ready.scratch) buffer.destroy();
    return read(device, values, half);
  };
  const expected = await reference();
  let best: Record<string, unknown> & { ms: number } = { ms: Number.POSITIVE_INFINITY };
  for (const choice of choicesFor(one, mode, planning.abilities)) {
    if (performance.now() > deadline && best.ms < Number.POSITIVE_INFINITY) break;
    const about = { name, mode, ...describe(choice) };
    try {
      const { ms, result } = await time(choice);
      const tflops = Number((flops / ms / 1e9).toFixed(2));
      const error = errorOf(result, expected, count).toExponential(1);
      const line = { ...about, ms: Number(ms.toFixed(4)), tflops, error };
      console.log(JSON.stringify(line));
      if (ms < best.ms) best = line;
    } catch (error) {
      console.log(JSON.stringify({ ...about, failed: String(error).split('\n')[0] }));
    }
  }
  console.log(JSON.stringify({ best }));
  for (const buffer of [...values.inputs, values.output]) buffer.destroy();
}

async function main(): Promise<void> {
  const dawnFlags = [`backend=${options.backend}`, `enable-dawn-features=${options.dawn}`];
  const device = await openNodeDevice({ dawnFlags });
  device.addEventListener('uncapturederror', ({ error }) =>
    console.log(JSON.stringify({ error: error.message })),
  );
  device.lost.then(({ message, reason }) => {
    if (reason === 'destroyed') return;
    console.log(JSON.stringify({ lost: message }));
    process.exit(1);
  });
  const abilities = abilitiesOf(device);
  const { half, matrixUnits, subgroups, software } = abilities;
  console.log(JSON.stringify({ device: nameOf(device.adapterInfo), half, matrixUnits, subgroups, software }));
  const modes = (options.modes.split(',') as Mode[]).filter((mode) => mode === 'f32' || half);
  const cases = (options.small ? SMALL_CASES : CASES).filter(({ name }) =>
    new RegExp(options.only).test(name),
  );
  const jobs = modes.flatMap((mode) => cases.map((one) => ({ one, mode })));
  const end = performance.now() + 1000 * Number(options.seconds);
  for (const [i, { one, mode }] of jobs.entries()) {
    const now = performance.now();
    if (now > end) break;
    if (mode === 'units' && tilesFor(mode, abilities).length === 0) continue;
    await measureCase(device, abilities, one, mode, now + (end - now) / (jobs.length - i));
  }
  device.destroy();
  // Dawn's threads would keep Node from ending.
  process.exit(0);
}

await main();
