/** A device with the engine and the generator on it, and what making them took. */

import { type LoadedNetwork, type PortraitGenerator, portraitGenerator } from '../src/browser.ts';
import { describeDevice, openDevice, type WebgpuEngine, webgpuEngine } from '../src/engines/webgpu/index.ts';

export interface Machine {
  readonly device: GPUDevice;
  /** Name of the adapter. */
  readonly adapter: string;
  /** Whether the adapter computes on the CPU. */
  readonly isSoftware: boolean;
  readonly engine: WebgpuEngine;
  readonly generator: PortraitGenerator;
  /** Compiled so far, over all programs, and the milliseconds that took, weights brought to the device included. */
  compiled(): { readonly shaders: number; readonly ms: number };
  /** Gives back the device and all that is on it. */
  dispose(): Promise<void>;
}

/** Opens a device and puts the generator on it. Programs are compiled when they are first used.
 *
 * @param onCompile told the program, how many of its shaders are compiled, and how many there are.
 * @throws GpuError where there is no WebGPU, or none that is enough.
 */
export async function openMachine(
  network: LoadedNetwork,
  onCompile: (program: string, done: number, total: number) => void,
): Promise<Machine> {
  const device = await openDevice(navigator.gpu);
  const totals = new Map<string, number>();
  let ms = 0;
  const engine = webgpuEngine({
    device,
    onProgress: (program, done, total) => {
      totals.set(program, total);
      onCompile(program, done, total);
    },
  });
  const timed: WebgpuEngine = {
    ...engine,
    compile: async (graph, options) => {
      const from = performance.now();
      const program = await engine.compile(graph, options);
      ms += performance.now() - from;
      return program;
    },
  };
  const { adapter, abilities } = describeDevice(device);
  return {
    device,
    adapter,
    isSoftware: abilities.software,
    engine,
    generator: portraitGenerator(timed, network),
    compiled: () => ({ shaders: [...totals.values()].reduce((sum, count) => sum + count, 0), ms }),
    dispose: async () => {
      await engine.dispose();
      device.destroy();
    },
  };
}
