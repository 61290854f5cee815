/** Which engine computes: the option, the choice when none is named, and how to get a missing one. */

import type { Command } from 'commander';
import { cpuEngine, isCpuEngineAvailable } from '../engines/cpu/index.ts';
import { referenceEngine } from '../engines/reference/index.ts';
import { isWebEngineAvailable, webEngine } from '../engines/web/index.ts';
import { describeDevice, webgpuEngine } from '../engines/webgpu/index.ts';
import { openNodeDevice } from '../engines/webgpu/node.ts';
import { EngineError, UsageError } from '../errors.ts';
import type { Engine } from '../tensor/index.ts';
import { note } from './output.ts';
import { wholeOption, wordOption } from './parse.ts';
import { startCount } from './progress.ts';

const ENGINES = ['auto', 'cpu', 'webgpu', 'web', 'reference'] as const;

/** Name of an engine, or `auto` for the faster of those on the CPU that loads. */
export type EngineName = (typeof ENGINES)[number];

/** Values of the options that {@link engineOptions} adds. */
export interface EngineOptions {
  readonly engine: EngineName;
  readonly threads?: number;
  readonly half?: boolean;
}

/** How to install what the cpu engine runs on. */
export const CPU_ENGINE_HELP =
  'install it with: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node (the variable keeps its install script from downloading CUDA)';

/** Adds `--engine`, `--threads` and `--half`. */
export function engineOptions(command: Command): Command {
  return command
    .option(
      '--engine <name>',
      'what computes: auto (cpu or web), cpu (native), webgpu (a GPU), web (WebAssembly), reference (plain and slow)',
      wordOption('--engine', ENGINES),
      'auto',
    )
    .option(
      '--threads <n>',
      'threads of the cpu and web engines (default: all cores)',
      wholeOption('--threads', 1, 1024),
    )
    .option('--half', 'half precision where the webgpu engine has it (default: single)');
}

/** Makes the engine that was asked for.
 *
 * @throws EngineError when it is not installed.
 */
export async function makeEngine({ engine, threads, half }: EngineOptions): Promise<Engine> {
  if (half && engine !== 'webgpu') throw new UsageError('--half is for --engine webgpu');
  const name = engine === 'auto' ? await bestEngine() : engine;
  const options = threads === undefined ? {} : { threads };
  switch (name) {
    case 'cpu':
      if (!(await isCpuEngineAvailable()))
        throw new EngineError(
          `the cpu engine needs onnxruntime-node, which does not load: ${CPU_ENGINE_HELP}`,
        );
      return cpuEngine(options);
    case 'webgpu':
      return openWebgpu(half ?? false);
    case 'web':
      return webEngine(options);
    case 'reference':
      return referenceEngine();
  }
}

/** An engine that has its device for itself. */
async function openWebgpu(half: boolean): Promise<Engine> {
  const device = await openNodeDevice(half ? { features: ['shader-f16'] } : {});
  const { adapter, abilities } = describeDevice(device);
  if (abilities.software) note(`webgpu: ${adapter} computes on the CPU: --engine cpu is much faster`);
  const compiling = new Map<string, ReturnType<typeof startCount>>();
  const engine = webgpuEngine({
    device,
    half,
    onProgress: (program, done, total) => {
      const count = compiling.get(program) ?? startCount(`shaders of ${program}`);
      compiling.set(program, count);
      count.at({ done, total });
      if (done < total) return;
      count.end();
      compiling.delete(program);
    },
  });
  return {
    ...engine,
    dispose: async () => {
      await engine.dispose();
      device.destroy();
    },
  };
}

async function bestEngine(): Promise<'cpu' | 'web' | 'reference'> {
  if (await isCpuEngineAvailable()) return 'cpu';
  if (isWebEngineAvailable()) {
    note(
      `onnxruntime-node is not installed: computing in WebAssembly, which is slower. To be faster, ${CPU_ENGINE_HELP}`,
    );
    return 'web';
  }
  note(
    'neither onnxruntime-node nor WebAssembly with SIMD is here: computing with the slow reference engine',
  );
  return 'reference';
}
