/** Opening a device with all that its adapter offers, and what shaders may count on then. */

import { GpuError } from './gpu-error.ts';
import type { Abilities } from './kernel.ts';
import { matrixUnitsOf, probeMatrixUnits } from './matrix-units.ts';

/** Features that kernels use where they are offered. */
const USEFUL = [
  'shader-f16',
  'subgroups',
  'timestamp-query',
  'chromium-experimental-subgroup-matrix',
] as const;

/** Limits that a device is asked to raise to what its adapter has. */
const RAISED = [
  ...(['maxBufferSize', 'maxStorageBufferBindingSize', 'maxStorageBuffersPerShaderStage'] as const),
  ...(['maxComputeWorkgroupStorageSize', 'maxComputeInvocationsPerWorkgroup'] as const),
  ...(['maxComputeWorkgroupSizeX', 'maxComputeWorkgroupSizeY', 'maxComputeWorkgroupsPerDimension'] as const),
] as const;

/** What our shaders need of any device; WebGPU promises it, a reduced adapter may not. */
const NEEDED = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16384,
} as const;

export interface DeviceOptions {
  /** Features without which the device is of no use, such as `shader-f16`. */
  readonly features?: readonly string[];
}

/** Opens the adapter that `gpu` (a page's `navigator.gpu`, or Dawn's) calls the fast one.
 *
 * @throws GpuError `unavailable` without an adapter, `feature` for a feature that it lacks, `limit` where it stays
 * below what the shaders need.
 */
export async function openDevice(gpu: GPU | undefined, options: DeviceOptions = {}): Promise<GPUDevice> {
  if (gpu === undefined) {
    throw new GpuError(
      'unavailable',
      'webgpu: there is no WebGPU here: use a browser that has it, or another engine',
    );
  }
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) {
    throw new GpuError('unavailable', 'webgpu: no adapter was found: is there a GPU, and a driver for it?');
  }
  for (const feature of options.features ?? []) {
    if (!adapter.features.has(feature)) {
      throw new GpuError(
        'feature',
        `webgpu: the adapter ${nameOf(adapter.info)} has no feature "${feature}"`,
      );
    }
  }
  for (const [name, least] of Object.entries(NEEDED)) {
    const offered = adapter.limits[name as keyof typeof NEEDED];
    if (offered < least) {
      const who = nameOf(adapter.info);
      throw new GpuError(
        'limit',
        `webgpu: the adapter ${who} has ${name} ${offered}; at least ${least} is needed`,
      );
    }
  }
  const wanted = [...new Set([...USEFUL, ...(options.features ?? [])])];
  const requiredFeatures = wanted.filter((name) => adapter.features.has(name)) as GPUFeatureName[];
  const requiredLimits = Object.fromEntries(RAISED.map((name) => [name, adapter.limits[name]]));
  try {
    const device = await adapter.requestDevice({ requiredFeatures, requiredLimits });
    await probeMatrixUnits(device);
    return device;
  } catch (error) {
    throw new GpuError(
      'unavailable',
      `webgpu: the adapter ${nameOf(adapter.info)} opened no device: ${error}`,
    );
  }
}

/** Vendor, architecture and name, as far as they are told. */
export function nameOf({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  return [...new Set([vendor, architecture, device, description])].filter(Boolean).join(' ') || 'unknown';
}

/** What shaders may count on. */
export function abilitiesOf(device: GPUDevice): Abilities {
  const info = device.adapterInfo;
  const half = device.features.has('shader-f16');
  return {
    limits: device.limits,
    half,
    ...(device.features.has('subgroups')
      ? { subgroups: { least: info.subgroupMinSize, most: info.subgroupMaxSize } }
      : {}),
    matrixUnits: matrixUnitsOf(device),
    software: info.isFallbackAdapter === true || /swiftshader|llvmpipe/i.test(nameOf(info)),
  };
}

export interface DeviceDescription {
  readonly adapter: string;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly abilities: Omit<Abilities, 'limits'>;
}

/** A device in words and numbers, for reports. */
export function describeDevice(device: GPUDevice): DeviceDescription {
  const { limits: _, ...abilities } = abilitiesOf(device);
  return {
    adapter: nameOf(device.adapterInfo),
    features: [...device.features].sort(),
    limits: Object.fromEntries(RAISED.map((name) => [name, device.limits[name]])),
    abilities,
  };
}
