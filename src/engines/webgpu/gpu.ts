/**
 * One device as an engine uses it: buffers used again, pipelines made once, and every way in which a device fails as an
 * error of ours.
 */

import { PortraitganError } from '../../errors.ts';
import { fromHalves, toHalves } from '../../tensor/half.ts';
import { type Aval, type NdArray, sizeOf, zerosFor } from '../../tensor/index.ts';
import { type Arena, createArena } from './arena.ts';
import { abilitiesOf, nameOf } from './device.ts';
import { GpuError } from './gpu-error.ts';
import type { Abilities, Storage } from './kernel.ts';

/** Numbers of WebGPU's buffer usages, which are globals only where it is. */
export const USAGE = { mapRead: 1, copySource: 4, copyTarget: 8, storage: 128, queryResolve: 512 } as const;

const STORAGE = USAGE.storage | USAGE.copySource | USAGE.copyTarget;

/** What a lost device may take to say so. */
const LOSS_MS = 200;

/** Released memory beyond this is given back. */
const LARGEST_POOL_BYTES = 2 ** 30;

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** The first bytes of a buffer, to be copied out. */
export interface Copied {
  readonly buffer: GPUBuffer;
  readonly bytes: number;
}

export interface Gpu {
  readonly device: GPUDevice;
  readonly abilities: Abilities;
  readonly arena: Arena;
  /** A buffer of at least that size, its contents arbitrary. */
  acquire(bytes: number): GPUBuffer;
  /** Keeps a buffer for the next that asks; work that was handed over still sees its contents. */
  release(buffer: GPUBuffer): void;
  write(buffer: GPUBuffer, array: Pick<NdArray, 'data' | 'dtype'>, storage: Storage): void;
  /** Hands commands over, copies of buffers behind them, and gives what waits for the copies; must be waited for. To be
   * called within `checked`. */
  submit(encoder: GPUCommandEncoder, sources: readonly Copied[]): () => Promise<Uint8Array[]>;
  /** Copies buffers out, once all work before is done. */
  read(what: string, sources: readonly Copied[]): Promise<Uint8Array[]>;
  /** The pipeline of a shader; the same code gives the same pipeline. */
  pipeline(shader: string, writes: readonly boolean[]): Promise<Pipeline>;
  /** Runs `act` and gives back what the device says of it, once it knows. */
  checked<T>(what: string, act: () => T): { readonly result: T; readonly verdict: Promise<void> };
  /** @throws GpuError if the device is lost, or something went wrong that nobody waited for. */
  refuseBroken(): void;
  /** Keeps what went wrong after its call returned, for the next call to throw. */
  fail(error: unknown): void;
  /** Bytes in buffers: transient, of values and weights, and kept for reuse. */
  memory(): { readonly arena: number; readonly held: number; readonly pooled: number };
  dispose(): void;
}

export function createGpu(device: GPUDevice): Gpu {
  const pool = new Map<number, GPUBuffer[]>();
  const pipelines = new Map<string, Promise<Pipeline>>();
  const layouts = new Map<string, GPUBindGroupLayout>();
  const abilities = abilitiesOf(device);
  let pooled = 0;
  let held = 0;
  let isDisposed = false;
  let broken: PortraitganError | undefined;
  void device.lost.then(({ reason, message }) => {
    if (isDisposed) return;
    broken = new GpuError(
      'lost',
      `webgpu: the device ${nameOf(device.adapterInfo)} was lost (${reason === 'destroyed' ? 'destroyed' : 'it stopped'}${message ? `: ${message}` : ''}): open another and make a new engine on it`,
    );
  });
  const isLost = (): boolean => broken instanceof GpuError && broken.trouble === 'lost';

  // All that is not destroyed yet.
  const live = new Set<GPUBuffer>();
  const create = (bytes: number): GPUBuffer => {
    const buffer = device.createBuffer({ size: bytes, usage: STORAGE });
    live.add(buffer);
    return buffer;
  };
  const destroy = (buffer: GPUBuffer): void => {
    live.delete(buffer);
    buffer.destroy();
  };
  /** Buffers that could not be had look like others: none of those at hand is used again. */
  const forget = (): void => {
    arena.clear();
    for (const list of pool.values()) for (const buffer of list) destroy(buffer);
    pool.clear();
    pooled = 0;
  };
  const refuseBroken = (): void => {
    if (broken === undefined) return;
    const error = broken;
    if (!isLost()) broken = undefined;
    throw error;
  };
  const checked: Gpu['checked'] = (what, act) => {
    device.pushErrorScope('out-of-memory');
    device.pushErrorScope('validation');
    let scopes: Promise<(GPUError | null)[]>;
    const close = (): void => {
      scopes = Promise.all([device.popErrorScope(), device.popErrorScope()]);
    };
    try {
      const result = act();
      close();
      const verdict = scopes!.then(
        ([refusal, shortage]) => {
          // What is refused then is refused because a buffer could not be had.
          const error = shortage ?? refusal;
          if (!error) return;
          forget();
          throw troubleOf(what, error);
        },
        // Scopes are lost with the device, which says so itself.
        () => undefined,
      );
      return { result, verdict };
    } catch (error) {
      close();
      void scopes!.catch(() => undefined);
      throw error;
    }
  };
  const arena = createArena(create, destroy);
  const submit: Gpu['submit'] = (encoder, sources) => {
    const offsets: number[] = [];
    let total = 0;
    for (const { bytes } of sources) {
      offsets.push(total);
      total += Math.ceil(bytes / 16) * 16;
    }
    if (total === 0) {
      device.queue.submit([encoder.finish()]);
      return async () => sources.map(() => new Uint8Array());
    }
    const staging = device.createBuffer({ size: total, usage: USAGE.mapRead | USAGE.copyTarget });
    sources.forEach(({ buffer, bytes }, i) => {
      if (bytes > 0) encoder.copyBufferToBuffer(buffer, 0, staging, offsets[i], Math.ceil(bytes / 4) * 4);
    });
    device.queue.submit([encoder.finish()]);
    const mapped = staging.mapAsync(1);
    mapped.catch(() => undefined);
    return async () => {
      try {
        await mapped.catch(async (error) => {
          // A loss is told by and by.
          await Promise.race([device.lost, new Promise((resolve) => setTimeout(resolve, LOSS_MS))]);
          refuseBroken();
          throw new GpuError('lost', `webgpu: results could not be read: ${error}`);
        });
        const bytes = new Uint8Array(staging.getMappedRange());
        return sources.map((source, i) => bytes.slice(offsets[i], offsets[i] + source.bytes));
      } finally {
        staging.destroy();
      }
    };
  };

  return {
    device,
    abilities,
    arena,
    checked,
    refuseBroken,
    fail: (error) => {
      broken ??= error instanceof PortraitganError ? error : new GpuError('validation', `webgpu: ${error}`);
    },
    acquire: (bytes) => {
      const size = roundedSize(bytes, abilities.limits.maxBufferSize);
      held += size;
      const found = pool.get(size)?.pop();
      if (found === undefined) return create(size);
      pooled -= size;
      return found;
    },
    release: (buffer) => {
      held -= buffer.size;
      if (isDisposed || pooled + buffer.size > LARGEST_POOL_BYTES) {
        destroy(buffer);
        return;
      }
      pooled += buffer.size;
      const list = pool.get(buffer.size);
      if (list === undefined) pool.set(buffer.size, [buffer]);
      else list.push(buffer);
    },
    write: (buffer, array, storage) => {
      const data = laidOut(array, storage);
      if (data.byteLength > 0) device.queue.writeBuffer(buffer, 0, data as Uint8Array<ArrayBuffer>);
    },
    submit,
    read: async (what, sources) => {
      const { result: reader, verdict } = checked(what, () => submit(device.createCommandEncoder(), sources));
      return judged(reader(), verdict);
    },
    pipeline: (shader, writes) => {
      const known = pipelines.get(shader);
      if (known !== undefined) return known;
      const made = makePipeline(device, shader, writes, layouts);
      pipelines.set(shader, made);
      made.catch(() => pipelines.delete(shader));
      return made;
    },
    memory: () => ({ arena: arena.bytes, held, pooled }),
    dispose: () => {
      isDisposed = true;
      for (const buffer of live) buffer.destroy();
      live.clear();
      pool.clear();
      pipelines.clear();
    },
  };
}

/** What was read, unless the device refused what made it: that is the reason then. */
export async function judged<T>(reading: Promise<T>, verdict: Promise<void>): Promise<T> {
  reading.catch(() => undefined);
  await verdict;
  return reading;
}

async function makePipeline(
  device: GPUDevice,
  code: string,
  writes: readonly boolean[],
  layouts: Map<string, GPUBindGroupLayout>,
): Promise<Pipeline> {
  const key = writes.map(Number).join('');
  let layout = layouts.get(key);
  if (layout === undefined) {
    layout = device.createBindGroupLayout({
      entries: writes.map((isWritten, binding) => ({
        binding,
        visibility: 4,
        buffer: { type: isWritten ? 'storage' : 'read-only-storage' },
      })),
    });
    layouts.set(key, layout);
  }
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code });
  const refused = device.popErrorScope();
  const made = device.createComputePipelineAsync({
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module, entryPoint: 'main' },
  });
  // Told apart below, whichever comes first.
  made.catch(() => undefined);
  const error = await refused;
  if (error !== null) throw new GpuError('validation', `webgpu: a shader was refused: ${error.message}`);
  try {
    return { pipeline: await made, layout };
  } catch (failure) {
    throw new GpuError(
      'validation',
      `webgpu: a pipeline was refused: ${failure instanceof Error ? failure.message : failure}`,
    );
  }
}

function troubleOf(what: string, error: GPUError): GpuError {
  const isMemory = error.constructor.name === 'GPUOutOfMemoryError';
  if (isMemory) {
    return new GpuError(
      'memory',
      `webgpu: ${what}: the device has no memory left: use a smaller batch or picture`,
    );
  }
  return new GpuError('validation', `webgpu: ${what} was refused: ${error.message}`);
}

/** Powers of two up to a megabyte, whole megabytes above: fewer sizes, more reuse. */
function roundedSize(bytes: number, most: number): number {
  if (bytes <= 1 << 20) return Math.max(256, 2 ** Math.ceil(Math.log2(bytes)));
  return Math.min(Math.ceil(bytes / 2 ** 20) * 2 ** 20, most);
}

/** An array's bytes as its buffer holds them, padded to whole words. */
function laidOut({ data, dtype }: Pick<NdArray, 'data' | 'dtype'>, storage: Storage): Uint8Array {
  if (dtype === 'bool') return bytesOf(Uint32Array.from(data));
  if (dtype === 'float16' && storage === 'f32') return bytesOf(fromHalves(data as Uint16Array));
  const bytes = bytesOf(data);
  // Queues take neither odd lengths nor memory that threads share.
  if (bytes.length % 4 === 0 && !(bytes.buffer instanceof SharedMemory)) return bytes;
  const whole = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  whole.set(bytes);
  return whole;
}

/** Absent from pages that are not isolated. */
const SharedMemory: new () => object =
  typeof SharedArrayBuffer === 'undefined' ? class Never {} : SharedArrayBuffer;

function bytesOf({ buffer, byteOffset, byteLength }: NdArray['data'] | Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Bytes that a value takes in its buffer. */
export function bytesIn(aval: Aval, storage: Storage): number {
  return sizeOf(aval.shape) * (storage === 'f16' ? 2 : 4);
}

/** An array from the bytes of its buffer. */
export function arrayFrom(aval: Aval, storage: Storage, bytes: Uint8Array): NdArray['data'] {
  const { data } = zerosFor(aval);
  if (aval.dtype === 'bool')
    return Uint8Array.from(new Uint32Array(bytes.buffer, bytes.byteOffset, data.length));
  if (aval.dtype === 'float16' && storage === 'f32') {
    return toHalves(new Float32Array(bytes.buffer, bytes.byteOffset, data.length));
  }
  bytesOf(data).set(bytes);
  return data;
}
