/**
 * How fast the renderer's own WGSL is: rays with and without a posed body, their gradients, points and faces, each at
 * 128 x 128 and 64 x 64 rays of 48 + 48 samples in planes of 3 x 3 x 256 x 256 x 32. JSON lines: one a kernel, with the
 * milliseconds of each of its dispatches (median of several runs) and of a whole run in a row of many.
 *
 *     npx esbuild bench/webgpu/render-kernels.ts --bundle --platform=node --format=esm --external:webgpu --outfile=FILE.mjs
 *     node FILE.mjs --body models/body.bin
 *
 * `--check` compares small scenes with the definitions in float64 first; `--small` is for software adapters. Planes and
 * decoder are random: fog everywhere, so no sample is spared. Rays, samples and body are those of a real picture.
 */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  carryByMaps,
  carryPoints,
  faceMaps,
  findFaces,
  poseBody,
  readCompactBody,
} from '../../src/body/index.ts';
import type { Dispatch, KernelCall, Operand, Planning } from '../../src/engines/webgpu/kernel.ts';
import { shaderOf } from '../../src/engines/webgpu/kernel.ts';
import { renderKernels } from '../../src/engines/webgpu/render/index.ts';
import { cameraLabel, viewCamera } from '../../src/portrait/camera.ts';
import { decoderWeights, density, field } from '../../src/portrait/decoder.ts';
import { parametersOf } from '../../src/portrait/parameters.ts';
import { poseBodies, posingOf } from '../../src/portrait/posing.ts';
import { type ByMesh, type RenderingOptions, render } from '../../src/portrait/renderer.ts';
import { evaluate } from '../../src/tensor/evaluate.ts';
import { fromHalfBits, toHalfBits } from '../../src/tensor/half.ts';
import { hostArrayOf } from '../../src/tensor/host.ts';
import * as t from '../../src/tensor/index.ts';
import { randomState } from '../../src/weights/random-state.ts';

const { values: options } = parseArgs({
  options: {
    small: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    /** Planes, colours and what is kept a sample in half precision. */
    half: { type: 'boolean', default: false },
    /** Only cases whose name matches. */
    only: { type: 'string', default: '' },
    body: { type: 'string', default: 'models/body.bin' },
    runs: { type: 'string', default: '10' },
    backend: { type: 'string', default: 'vulkan' },
    /** Switches of Dawn. */
    enable: { type: 'string', default: 'allow_unsafe_apis,vulkan_enable_f16_on_nvidia' },
    disable: {
      type: 'string',
      default: 'timestamp_quantization,use_vulkan_zero_initialize_workgroup_memory_extension',
    },
  },
});

const STORAGE = 128 | 4 | 8;
const print = (line: object): void => console.log(JSON.stringify(line));

interface Sizes {
  readonly n: number;
  readonly samples: number;
  readonly side: number;
}

interface Case {
  readonly name: string;
  readonly node: t.Node;
  readonly inputs: readonly t.NdArray[];
}

const body = readCompactBody(readFileSync(options.body));
const posing = posingOf(body, 1, 0.25);
const pose = t.ndarray([1, 6], [0.1, -0.2, 0.05, 0.2, 0.3, -0.1]);
const { mesh } = poseBodies(posing, pose);

const stock = Float32Array.from(randomState(0).randn(65_537));
let drawn = 0;
function normals(shape: t.Shape, scale = 1): t.NdArray {
  const data = new Float32Array(t.sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = scale * stock[drawn++ % stock.length];
  return { dtype: 'float32', shape, data };
}

const shapes = new Map<string, t.Aval>([
  ['net.0.weight', t.f32(64, 32)],
  ['net.0.bias', t.f32(64)],
  ['net.2.weight', t.f32(33, 64)],
  ['net.2.bias', t.f32(33)],
]);

/** The fused node of a program, with arrays for its inputs: what is computed from the camera is, all else is random. */
function caseOf(
  name: string,
  fused: string,
  graph: t.Graph,
  known: Readonly<Record<string, t.NdArray>>,
): Case {
  const node = graph.nodes.find(({ op, attrs }) => op.name === 'fused' && attrs.name === fused);
  if (node === undefined) throw new Error(`no ${fused} in ${graph.name}`);
  const names = (node.attrs.body as t.Graph).inputs.map((input) => input.name);
  const computed = names.flatMap((input, i) =>
    ['origins', 'directions', 'coarse', 'quantiles', 'maps'].includes(input)
      ? [{ name: input, tensor: node.inputs[i] }]
      : [],
  );
  const values = evaluate(t.expandFused({ ...graph, outputs: computed }), (input) =>
    hostArrayOf(known[input]),
  );
  const inputs = names.map((input, i) => {
    const at = computed.findIndex((other) => other.name === input);
    if (at >= 0) return { ...values[at], data: Float32Array.from(values[at].data) };
    const { shape } = node.inputs[i];
    return known[input] ?? normals(shape, input === 'points' ? 0.2 : 1);
  });
  return { name, node, inputs };
}

function rayCases({ n, samples, side }: Sizes): Case[] {
  const settings: RenderingOptions = {
    ...{ samples, importanceSamples: samples, rayStart: 2.25, rayEnd: 3.3, disparity: false },
    ...{ whiteBack: false, cropMargin: 0.1, depth: 3, boxWarp: 1, activation: 'none', lrMultiplier: 1 },
  };
  const known = {
    planes: normals([1, 288, side, side]),
    c: t.ndarray([1, 25], cameraLabel(viewCamera(20, 5))),
    mesh,
    posed: t.ndarray([1, body.canonical.length / 3, 3], poseBody(body, pose.data as Float32Array)),
  };
  const canonical = t.constant(t.ndarray([body.canonical.length / 3, 3], body.canonical));
  const graphOf = (how: 'plain' | 'posed' | 'following', back: boolean): t.Graph =>
    t.trace('rays', known as Readonly<Record<keyof typeof known, t.Aval>>, (given) => {
      const p = parametersOf(shapes);
      const carry: ByMesh['carry'] = (block, points, maps) =>
        maps === undefined ? carryPoints(block, points) : carryByMaps(block, points, maps);
      const maps = how === 'following' ? { maps: faceMaps(given.posed, canonical, posing.faces) } : {};
      const deform = how === 'plain' ? undefined : { mesh: given.mesh, carry, ...maps };
      const made = render(p, given.planes, given.c, n, settings, {}, deform);
      if (!back) return { ...made };
      const value = t.add(t.reduceSum(made.features), t.reduceSum(made.opacity));
      const wanted = [given.planes, ...[...shapes.keys()].map((name) => p.get(name))];
      if (how === 'following') wanted.push(given.posed);
      return Object.fromEntries(t.grad(value, wanted).map((tensor, i) => [`${i}`, tensor!]));
    });
  const made: Case[] = [];
  for (const how of ['plain', 'posed', 'following'] as const) {
    const label = `${n} x ${n} x ${2 * samples}, ${how}`;
    if (how !== 'following') made.push(caseOf(`forward ${label}`, 'renderRays', graphOf(how, false), known));
    made.push(caseOf(`backward ${label}`, 'renderRaysGrad', graphOf(how, true), known));
  }
  return made;
}

function pointCases({ n, samples, side }: Sizes): Case[] {
  const count = n * n * samples;
  const settings = { depth: 3, boxWarp: 1, activation: 'none', lrMultiplier: 1 } as const;
  const a = Math.round(Math.cbrt(count));
  const points = normals([1, count, 3]);
  // A regular grid, as surfaces are sought in.
  points.data.forEach((_, i) => {
    const at = Math.floor(i / 3);
    points.data[i] = ([at % a, Math.floor(at / a) % a, Math.floor(at / a / a) % a][i % 3] + 0.5) / a - 0.5;
  });
  const known = { planes: normals([1, 288, side, side]), points, mesh };
  const graphOf = (
    make: (given: Record<keyof typeof known, t.Tensor>) => Record<string, t.Tensor>,
  ): t.Graph => t.trace('points', known as Readonly<Record<keyof typeof known, t.Aval>>, make);
  const weights = () => decoderWeights(parametersOf(shapes));
  const decoded = graphOf((given) => ({ ...field(weights(), given.planes, given.points, settings) }));
  const dense = graphOf((given) => ({ d: density(weights(), given.planes, given.points, settings) }));
  const back = graphOf((given) => {
    const { sigma, rgb } = field(weights(), given.planes, given.points, settings);
    const [of] = t.grad(t.add(t.reduceSum(sigma), t.reduceSum(rgb)), [given.planes]);
    return { of: of! };
  });
  const found = graphOf((given) => ({
    ...findFaces(given.mesh, given.points),
    moved: carryPoints(given.mesh, given.points),
  }));
  return [
    caseOf(`points ${count}`, 'decodePoints', decoded, known),
    caseOf(`densities ${count}`, 'decodeDensity', dense, known),
    caseOf(`points backward ${count}`, 'decodePointsGrad', back, known),
    caseOf(`faces ${count}`, 'nearestFaces', found, known),
    caseOf(`moved ${count}`, 'deformPoints', found, known),
  ];
}

interface Gpu {
  readonly device: GPUDevice;
  readonly planning: Planning;
}

async function open(): Promise<Gpu> {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const instance = create([
    `backend=${options.backend}`,
    `enable-dawn-features=${options.enable}`,
    `disable-dawn-features=${options.disable}`,
  ]);
  // A device whose instance was collected crashes.
  Object.assign(globalThis, { instance });
  const adapter = await instance.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw new Error('no WebGPU adapter: is there a Vulkan driver (VK_DRIVER_FILES)?');
  const requiredLimits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const limit = adapter.limits[name as keyof GPUSupportedLimits];
    if (typeof limit === 'number') requiredLimits[name] = limit;
  }
  const features = ['shader-f16', 'timestamp-query'] as const;
  const requiredFeatures = features.filter((name) => adapter.features.has(name));
  const device = await adapter.requestDevice({ requiredLimits, requiredFeatures });
  device.addEventListener('uncapturederror', ({ error }) => {
    print({ error: error.message });
  });
  const half = options.half && requiredFeatures.includes('shader-f16');
  print({ adapter: adapter.info.description, vendor: adapter.info.vendor, features: requiredFeatures, half });
  const big = (tensor: t.Tensor): boolean => tensor.shape.length > 2 && t.sizeOf(tensor.shape) > 2 ** 16;
  const types = { float32: 'f32', float16: 'f16', int32: 'i32', bool: 'u32' } as const;
  const planning: Planning = {
    abilities: {
      ...{ limits: device.limits, half: requiredFeatures.includes('shader-f16'), matrixUnits: [] },
      software: options.small,
    },
    half,
    storageOf: (tensor) => (half && tensor.dtype === 'float32' && big(tensor) ? 'f16' : types[tensor.dtype]),
    faultOf: () => 0,
  };
  return { device, planning };
}

interface Ready {
  readonly call: KernelCall;
  readonly steps: readonly { pipeline: GPUComputePipeline; group: GPUBindGroup; dispatch: Dispatch }[];
  readonly bufferOf: (at: Operand) => GPUBuffer;
  readonly dispose: () => void;
  readonly compileMs: number;
}

async function prepare({ device, planning }: Gpu, { node, inputs, name }: Case): Promise<Ready> {
  const call = renderKernels.find((kernel) => kernel.name === node.attrs.name)?.plan(node, planning);
  if (call === undefined) throw new Error(`${name}: no kernel`);
  const make = (bytes: number): GPUBuffer =>
    device.createBuffer({ size: Math.max(16, Math.ceil(bytes / 16) * 16), usage: STORAGE });
  const bytesOf = (tensor: t.Tensor): number =>
    t.sizeOf(tensor.shape) * (planning.storageOf(tensor) === 'f16' ? 2 : 4);
  const given = node.inputs.map((tensor, i) => {
    const buffer = make(bytesOf(tensor));
    const { data } = inputs[i];
    const written = planning.storageOf(tensor) === 'f16' ? Uint16Array.from(data, toHalfBits) : data;
    device.queue.writeBuffer(buffer, 0, written as BufferSource);
    return buffer;
  });
  const made = node.outputs.map((tensor) => make(bytesOf(tensor)));
  const scratch = (call.scratch ?? []).map(make);
  const bufferOf = (at: Operand): GPUBuffer => {
    if ('input' in at) return given[at.input];
    if ('output' in at) return made[at.output];
    if ('scratch' in at) return scratch[at.scratch];
    throw new Error(`internal: ${name} reports no index`);
  };
  const pipelines = new Map<string, GPUComputePipeline>();
  const start = performance.now();
  const steps = [];
  for (const dispatch of call.dispatches) {
    const code = shaderOf(dispatch.code, dispatch.bound);
    let pipeline = pipelines.get(code);
    if (pipeline === undefined) {
      const module = device.createShaderModule({ code });
      pipeline = await device.createComputePipelineAsync({
        layout: 'auto',
        compute: { module, entryPoint: 'main' },
      });
      pipelines.set(code, pipeline);
    }
    const entries = dispatch.bound.map(({ at }, binding) => ({
      binding,
      resource: { buffer: bufferOf(at) },
    }));
    const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    steps.push({ pipeline, group, dispatch });
  }
  const compileMs = performance.now() - start;
  const dispose = (): void => {
    for (const buffer of [...given, ...made, ...scratch]) buffer.destroy();
  };
  return { call, steps, bufferOf, dispose, compileMs };
}

function encode({ device }: Gpu, { steps, bufferOf }: Ready, queries?: GPUQuerySet): GPUCommandEncoder {
  const encoder = device.createCommandEncoder();
  let pass: GPUComputePassEncoder | undefined;
  steps.forEach(({ pipeline, group, dispatch }, i) => {
    if (dispatch.cleared !== undefined || queries !== undefined) {
      pass?.end();
      pass = undefined;
      for (const at of dispatch.cleared ?? []) encoder.clearBuffer(bufferOf(at));
    }
    pass ??= encoder.beginComputePass(
      queries === undefined
        ? {}
        : {
            timestampWrites: {
              querySet: queries,
              beginningOfPassWriteIndex: 2 * i,
              endOfPassWriteIndex: 2 * i + 1,
            },
          },
    );
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...dispatch.groups);
  });
  pass?.end();
  return encoder;
}

/** Milliseconds by label, of the dispatches of one run. */
async function stamped(gpu: Gpu, ready: Ready): Promise<Map<string, number>> {
  const { device } = gpu;
  const count = 2 * ready.steps.length;
  const queries = device.createQuerySet({ type: 'timestamp', count });
  const resolved = device.createBuffer({ size: 8 * count, usage: 0x200 | 4 });
  const read = device.createBuffer({ size: 8 * count, usage: 1 | 8 });
  const encoder = encode(gpu, ready, queries);
  encoder.resolveQuerySet(queries, 0, count, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, read, 0, 8 * count);
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(1);
  const times = new BigUint64Array(read.getMappedRange());
  const found = new Map<string, number>();
  ready.steps.forEach(({ dispatch: { label } }, i) => {
    found.set(label, (found.get(label) ?? 0) + Number(times[2 * i + 1] - times[2 * i]) / 1e6);
  });
  read.destroy();
  resolved.destroy();
  queries.destroy();
  return found;
}

/** Milliseconds a run, of as many in a row. */
async function inARow(gpu: Gpu, ready: Ready, count: number): Promise<number> {
  const { queue } = gpu.device;
  queue.submit([encode(gpu, ready).finish()]);
  await queue.onSubmittedWorkDone();
  const start = performance.now();
  for (let i = 0; i < count; i++) queue.submit([encode(gpu, ready).finish()]);
  await queue.onSubmittedWorkDone();
  return (performance.now() - start) / count;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

async function measure(gpu: Gpu, one: Case): Promise<void> {
  const ready = await prepare(gpu, one);
  const runs = options.small ? 1 : Number(options.runs);
  const rowMs = await inARow(gpu, ready, runs);
  const stamps: Map<string, number>[] = [];
  if (gpu.device.features.has('timestamp-query')) {
    for (let i = 0; i < runs; i++) stamps.push(await stamped(gpu, ready));
  }
  const round = (ms: number): number => Number(ms.toFixed(4));
  const labels = [...(stamps[0]?.keys() ?? [])];
  const dispatches = Object.fromEntries(
    labels.map((label) => [label, round(median(stamps.map((stamp) => stamp.get(label)!)))]),
  );
  const sumMs = round(Object.values(dispatches).reduce((a, b) => a + b, 0));
  const scratchMiB = Math.round((ready.call.scratch ?? []).reduce((a, b) => a + b, 0) / 2 ** 20);
  const { compileMs } = ready;
  print({ case: one.name, rowMs: round(rowMs), sumMs, dispatches, compileMs: round(compileMs), scratchMiB });
  ready.dispose();
}

/** Largest difference from the definition in float64, in units of its largest magnitude, by outputs. */
async function check(gpu: Gpu, one: Case): Promise<void> {
  const { device, planning } = gpu;
  const ready = await prepare(gpu, one);
  device.queue.submit([encode(gpu, ready).finish()]);
  const expanded = t.expandFused(one.node.attrs.body as t.Graph);
  const at = new Map(expanded.inputs.map(({ name }, i) => [name, i]));
  const expected = evaluate(expanded, (name) => hostArrayOf(one.inputs[at.get(name)!]));
  const gaps: number[] = [];
  for (const [output, tensor] of one.node.outputs.entries()) {
    const from = ready.bufferOf({ output });
    const read = device.createBuffer({ size: from.size, usage: 1 | 8 });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(from, 0, read, 0, from.size);
    device.queue.submit([encoder.finish()]);
    await read.mapAsync(1);
    const bytes = read.getMappedRange();
    const storage = planning.storageOf(tensor);
    const found =
      storage === 'f16'
        ? Float32Array.from(new Uint16Array(bytes), fromHalfBits)
        : storage === 'i32'
          ? new Int32Array(bytes)
          : new Float32Array(bytes);
    let [worst, scale] = [0, 1e-30];
    expected[output].data.forEach((value, i) => {
      if (value === found[i]) return;
      scale = Math.max(scale, Math.abs(value));
      worst = Math.max(worst, Math.abs(value - found[i]));
    });
    gaps.push(Number((worst / scale).toPrecision(3)));
  }
  print({ checked: one.name, gaps });
  ready.dispose();
}

const gpu = await open();
const only = new RegExp(options.only);
if (options.check) {
  const tiny = { n: 12, samples: 12, side: 24 };
  for (const one of [...rayCases(tiny), ...pointCases({ ...tiny, n: 6 })]) {
    if (only.test(one.name)) await check(gpu, one);
  }
}
const sizes: readonly Sizes[] = options.small
  ? [{ n: 16, samples: 8, side: 32 }]
  : [
      { n: 128, samples: 48, side: 256 },
      { n: 64, samples: 48, side: 256 },
    ];
for (const size of sizes) {
  for (const make of [rayCases, pointCases]) {
    for (const one of make(size)) if (only.test(one.name)) await measure(gpu, one);
  }
}
gpu.device.destroy();
