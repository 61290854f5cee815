/** Runs one kernel's call on a bare device, for tests of kernels by themselves. */

import type { Abilities, KernelCall, Operand, Planning } from '../../src/engines/webgpu/kernel.ts';
import { shaderOf } from '../../src/engines/webgpu/kernel.ts';
import { type NdArray, type Node, zerosFor } from '../../src/tensor/index.ts';

const STORAGE = 128;
const COPY = 4 | 8;

/** Dawn's instances: a device whose instance was collected crashes. */
const instances: GPU[] = [];

/** An adapter's device; `backend=null` as a flag gives one that only checks shaders (f16 and matrix units too). */
export async function openDevice(flags: readonly string[] = []): Promise<GPUDevice> {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const instance = create([...flags]);
  instances.push(instance);
  const adapter = await instance.requestAdapter();
  if (adapter === null) throw new Error('no adapter: set LD_LIBRARY_PATH and VK_ICD_FILENAMES');
  const limits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const limit = adapter.limits[name as keyof GPUSupportedLimits];
    if (typeof limit === 'number') limits[name] = limit;
  }
  const requiredFeatures = [...adapter.features] as GPUFeatureName[];
  return adapter.requestDevice({ requiredLimits: limits, requiredFeatures });
}

export function planningFor(device: GPUDevice, over: Partial<Abilities> = {}, half = false): Planning {
  const abilities: Abilities = {
    ...{ limits: device.limits, half: device.features.has('shader-f16'), matrixUnits: [], software: true },
    ...over,
  };
  const types = { float32: 'f32', float16: 'f16', int32: 'i32', bool: 'u32' } as const;
  return { abilities, half, storageOf: ({ dtype }) => types[dtype], faultOf: () => 0 };
}

/** Outputs of a node from arrays of its inputs (float32 and int32). */
export async function runCall(
  device: GPUDevice,
  node: Node,
  call: KernelCall,
  inputs: readonly NdArray[],
): Promise<NdArray[]> {
  const make = (bytes: number): GPUBuffer =>
    device.createBuffer({ size: Math.max(16, Math.ceil(bytes / 16) * 16), usage: STORAGE | COPY });
  const given = inputs.map(({ data }) => {
    const buffer = make(data.byteLength);
    device.queue.writeBuffer(buffer, 0, data as BufferSource);
    return buffer;
  });
  const results = node.outputs.map((aval) => zerosFor(aval));
  const made = results.map(({ data }) => make(data.byteLength));
  const scratch = (call.scratch ?? []).map(make);
  const faults = make(16);
  const bufferOf = (at: Operand): GPUBuffer => {
    if ('input' in at) return given[at.input];
    if ('output' in at) return made[at.output];
    return 'scratch' in at ? scratch[at.scratch] : faults;
  };
  const encoder = device.createCommandEncoder();
  for (const dispatch of call.dispatches) {
    const module = device.createShaderModule({ code: shaderOf(dispatch.code, dispatch.bound) });
    const pipeline = device.createComputePipeline({
      layout: 'auto',
      compute: { module, entryPoint: 'main' },
    });
    for (const at of dispatch.cleared ?? []) encoder.clearBuffer(bufferOf(at));
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    const entries = dispatch.bound.map(({ at }, binding) => ({
      binding,
      resource: { buffer: bufferOf(at) },
    }));
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(...dispatch.groups);
    pass.end();
  }
  const reads = made.map((buffer) => {
    const read = device.createBuffer({ size: buffer.size, usage: 1 | 8 });
    encoder.copyBufferToBuffer(buffer, 0, read, 0, buffer.size);
    return read;
  });
  device.queue.submit([encoder.finish()]);
  for (const [i, read] of reads.entries()) {
    await read.mapAsync(1);
    const bytes = new Uint8Array(read.getMappedRange());
    const { data } = results[i];
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength).set(bytes.subarray(0, data.byteLength));
    read.destroy();
  }
  for (const buffer of [...given, ...made, ...scratch, faults]) buffer.destroy();
  return results;
}
