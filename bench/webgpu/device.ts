/**
 * The machine under `bench:webgpu`: Dawn's adapter and device in Node, ONNX Runtime on that device, values and
 * buffers, and the timing that all sections share.
 *
 * Node is no browser: the globals of WebGPU, `navigator.gpu` and writes from shared memory are put in place here.
 */

import type { InferenceSession, Tensor as OrtTensor, TensorConstructor } from 'onnxruntime-common';
import type { NdArray, Shape } from '../../src/tensor/index.ts';
import { randomState } from '../../src/weights/random-state.ts';
import type { Report } from './report.ts';

export type Float = 'float32' | 'float16';

/** Runs in a row take about this long. */
const ENOUGH_MS = 200;
/** A run that takes longer is not repeated. */
const TOO_SLOW_MS = 5000;

export interface Gpu {
  readonly adapter: GPUAdapter;
  readonly device: GPUDevice;
  /** Sizes and repetitions for a software adapter: shows that everything runs, not how fast. */
  readonly small: boolean;
}

export interface GpuOptions {
  readonly backend: string;
  readonly dawn: string;
  readonly build: string;
  readonly small: boolean;
}

/** Opens the adapter with all that it offers, and makes it the page-like `navigator.gpu`. */
export async function openGpu(options: GpuOptions, report: Report): Promise<Gpu> {
  const { create, globals } = await importWebgpu();
  Object.assign(globalThis, globals);
  copySharedWrites();
  const gpu = create([
    `backend=${options.backend}`,
    ...(options.dawn === '' ? [] : [`enable-dawn-features=${options.dawn}`]),
  ]);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'node' }, configurable: true });
  const request = async (): Promise<GPUAdapter> => {
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (adapter === null) throw new Error('no WebGPU adapter: is there a Vulkan driver (VK_DRIVER_FILES)?');
    return adapter;
  };
  const adapter = await request();
  const requiredLimits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const limit = adapter.limits[name as keyof GPUSupportedLimits];
    if (typeof limit === 'number') requiredLimits[name] = limit;
  }
  const wanted: GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query'];
  const requiredFeatures = wanted.filter((name) => adapter.features.has(name));
  const device = await adapter.requestDevice({ requiredFeatures, requiredLimits }).catch(async (error) => {
    report.print(`\nThe device is opened with default limits: ${error}`);
    return (await request()).requestDevice({ requiredFeatures });
  });
  device.addEventListener('uncapturederror', ({ error }) => {
    report.complain(error.message);
  });
  // An adapter gives one device: whoever opens another needs a fresh one.
  return { adapter: options.build === 'all' ? await request() : adapter, device, small: options.small };
}

interface WebgpuPackage {
  create(flags: readonly string[]): GPU;
  readonly globals: Record<string, unknown>;
}

async function importWebgpu(): Promise<WebgpuPackage> {
  const name = 'webgpu';
  try {
    return (await import(name)) as WebgpuPackage;
  } catch (error) {
    console.error(
      `The npm package "webgpu" (Dawn) is not here: npm install --no-save --ignore-scripts webgpu@0.6.2\n${error}`,
    );
    process.exit(1);
  }
}

/** Node cannot hand views of a SharedArrayBuffer to Dawn, and ONNX Runtime's memory is one. */
function copySharedWrites(): void {
  const { writeBuffer } = GPUQueue.prototype;
  GPUQueue.prototype.writeBuffer = function (buffer, offset, data, start = 0, size): undefined {
    const isView = ArrayBuffer.isView(data);
    const memory = isView ? data.buffer : data;
    const unit = isView && 'BYTES_PER_ELEMENT' in data ? (data.BYTES_PER_ELEMENT as number) : 1;
    const from = (isView ? data.byteOffset : 0) + start * unit;
    const length = size === undefined ? data.byteLength - start * unit : size * unit;
    const bytes = new Uint8Array(memory as ArrayBuffer, from, length);
    writeBuffer.call(this, buffer, offset, memory instanceof SharedArrayBuffer ? bytes.slice() : bytes);
  };
}

/** What the tables that follow were measured on. */
export function describe({ adapter, device }: Gpu): string[] {
  const { vendor, architecture, device: id, description } = adapter.info;
  const limits = [
    ...(['maxBufferSize', 'maxStorageBufferBindingSize', 'maxComputeWorkgroupStorageSize'] as const),
    ...(['maxComputeInvocationsPerWorkgroup', 'maxStorageBuffersPerShaderStage'] as const),
  ];
  return [
    `\nAdapter: ${[vendor, architecture, id, description].filter(Boolean).join(', ')}`,
    `Features of the adapter: ${[...adapter.features].sort().join(', ')}`,
    `Limits: ${limits.map((name) => `${name} ${device.limits[name]}`).join(', ')}`,
  ];
}

export function floatTypes(device: GPUDevice): Float[] {
  return device.features.has('shader-f16') ? ['float32', 'float16'] : ['float32'];
}

/** Time of the first run, and of one among many. */
export async function timed(
  run: () => Promise<void>,
  settle: () => Promise<unknown>,
  small: boolean,
): Promise<[number, number]> {
  const several = async (count: number): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < count; i++) await run();
    await settle();
    return (performance.now() - start) / count;
  };
  const first = await several(1);
  const second = await several(1);
  if (small || second > TOO_SLOW_MS) return [first, second];
  const estimate = await several(Math.max(1, Math.min(20, Math.ceil(ENOUGH_MS / 4 / second))));
  const count = Math.max(3, Math.min(1000, Math.ceil(ENOUGH_MS / estimate)));
  return [first, Math.min(await several(count), await several(count))];
}

const stock = Float32Array.from(randomState(1).randn(65_537));

/** Standard normals times a scale, repeating themselves. */
export function normals(size: number, scale = 1): Float32Array {
  const scaled = stock.map((value) => value * scale);
  const values = new Float32Array(size);
  for (let at = 0; at < size; at += scaled.length) values.set(scaled.subarray(0, size - at), at);
  return values;
}

function halves(values: Float32Array): Uint16Array {
  const floats = new Float32Array(1);
  const bits = new Uint32Array(floats.buffer);
  // Values of benchmarks: normal numbers, rounded towards zero.
  return Uint16Array.from(values, (value) => {
    floats[0] = value;
    const exponent = ((bits[0] >>> 23) & 255) - 112;
    if (exponent <= 0) return 0;
    return ((bits[0] >>> 16) & 0x8000) | (Math.min(exponent, 30) << 10) | ((bits[0] >>> 13) & 1023);
  });
}

export function drawn(type: Float, size: number, scale = 1): Float32Array | Uint16Array {
  const values = normals(size, scale);
  return type === 'float16' ? halves(values) : values;
}

/** WebGPU's numbers of buffer usages. */
export const USAGE = { mapRead: 1, copySource: 4, copyTarget: 8, storage: 128 } as const;

export function bufferOf(
  device: GPUDevice,
  data: Uint8Array | Float32Array | Uint16Array | Int32Array,
): GPUBuffer {
  const usage = USAGE.storage | USAGE.copySource | USAGE.copyTarget;
  const buffer = device.createBuffer({ size: Math.max(16, Math.ceil(data.byteLength / 16) * 16), usage });
  const odd = data.byteLength % 4 !== 0;
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  const padded = odd ? new Uint8Array(Math.ceil(data.byteLength / 4) * 4) : bytes;
  if (odd) padded.set(bytes);
  device.queue.writeBuffer(buffer, 0, padded);
  return buffer;
}

/** One build of onnxruntime-web, with the device that it was given. */
export interface Runtime {
  readonly gpu: Gpu;
  readonly build: string;
  readonly InferenceSession: {
    create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: TensorConstructor & {
    fromGpuBuffer(buffer: GPUBuffer, options: { dataType: string; dims: Shape }): OrtTensor;
  };
  readonly env: {
    logLevel: string;
    readonly wasm: { numThreads: number; wasmPaths: unknown };
    readonly webgpu: { device: unknown; adapter: unknown };
  };
}

/** Loads one of the two builds with a WebGPU execution provider: `webgpu` is the native one compiled to
 * WebAssembly, `all` the older one in JavaScript (JSEP). */
export async function loadRuntime(gpu: Gpu, build: string, wasm: string | undefined): Promise<Runtime> {
  const name = `onnxruntime-web/${build}`;
  const { InferenceSession, Tensor, env } = (await import(name)) as Omit<Runtime, 'gpu' | 'build'>;
  env.logLevel = 'error';
  env.wasm.numThreads = 1;
  env.wasm.wasmPaths = wasm;
  if (build === 'all') env.webgpu.adapter = gpu.adapter;
  else env.webgpu.device = gpu.device;
  return { gpu, build, InferenceSession, Tensor, env };
}

export type Layout = 'NCHW' | 'NHWC';

interface SessionChoice {
  readonly layout?: Layout;
  /** Records the commands of a run and replays them: nothing is decided on the CPU any more. */
  readonly capture?: boolean;
  readonly allowCpu?: boolean;
}

export function createSession(
  runtime: Runtime,
  model: Uint8Array,
  { layout, capture = false, allowCpu = false }: SessionChoice = {},
): Promise<InferenceSession> {
  const provider = {
    name: 'webgpu' as const,
    ...(layout === undefined ? {} : { preferredLayout: layout }),
    ...(runtime.build === 'webgpu' ? { device: runtime.env.webgpu.device } : {}),
  };
  return runtime.InferenceSession.create(model, {
    executionProviders: [provider],
    preferredOutputLocation: 'gpu-buffer',
    enableGraphCapture: capture,
    logSeverityLevel: 4,
    ...(allowCpu ? {} : { extra: { session: { disable_cpu_ep_fallback: '1' } } }),
  });
}

export function upload(runtime: Runtime, device: GPUDevice, { dtype, shape, data }: NdArray): OrtTensor {
  return runtime.Tensor.fromGpuBuffer(bufferOf(device, data), { dataType: dtype, dims: shape });
}

/** The device that sessions compute on: ours, or the one that JSEP opened. */
export async function deviceOf(runtime: Runtime): Promise<GPUDevice> {
  return (await runtime.env.webgpu.device) as GPUDevice;
}

export async function timedSession(
  runtime: Runtime,
  session: InferenceSession,
  feeds: Record<string, OrtTensor>,
  fetches?: Record<string, OrtTensor>,
): Promise<[number, number]> {
  const { queue } = await deviceOf(runtime);
  const run = async (): Promise<void> => {
    if (fetches !== undefined) {
      await session.run(feeds, fetches);
      return;
    }
    const results = await session.run(feeds);
    for (const tensor of Object.values(results)) tensor.dispose();
  };
  return timed(run, () => queue.onSubmittedWorkDone(), runtime.gpu.small);
}
