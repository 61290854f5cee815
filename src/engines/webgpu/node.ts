/** A device in Node: Dawn, from the npm package `webgpu`. */

import { type DeviceOptions, openDevice } from './device.ts';
import { GpuError } from './gpu-error.ts';

interface DawnPackage {
  create(flags: readonly string[]): GPU;
  readonly globals: Record<string, unknown>;
}

/** Switches of Dawn: what it hides is shown, half precision on NVIDIA's Vulkan driver and matrix units; and workgroup
 * memory is not zeroed before our shaders write it. */
const SWITCHES = ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia', 'disable_workgroup_init'];

export interface NodeDeviceOptions extends DeviceOptions {
  /** Flags of Dawn, such as `backend=vulkan`; in place of those that are chosen here. */
  readonly dawnFlags?: readonly string[];
}

/** Opens the fastest adapter that Dawn finds.
 *
 * @throws GpuError `unavailable` where the npm package `webgpu` is not installed or finds no adapter; see `openDevice`.
 */
export async function openNodeDevice(options: NodeDeviceOptions = {}): Promise<GPUDevice> {
  const { create, globals } = await importDawn();
  // Dawn's classes are globals in a page; its own code and ours look for them there.
  Object.assign(globalThis, globals);
  const flags = options.dawnFlags ?? [`enable-dawn-features=${SWITCHES.join(',')}`];
  const key = flags.join();
  // Devices live no longer than what made them.
  const gpu = instances.get(key) ?? create([...flags]);
  instances.set(key, gpu);
  return openDevice(gpu, options);
}

/** By flags. */
const instances = new Map<string, GPU>();

async function importDawn(): Promise<DawnPackage> {
  // Not a literal: bundlers for pages must not look for it.
  const name = 'webgpu';
  try {
    return (await import(name)) as DawnPackage;
  } catch (error) {
    throw new GpuError(
      'unavailable',
      `webgpu: in Node the webgpu engine needs the npm package "webgpu": npm install webgpu (${error instanceof Error ? error.message.split('\n')[0] : error})`,
    );
  }
}
