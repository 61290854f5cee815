/** An engine out of two things: the planner, and a backend that loads plans somewhere and runs them there. */

import type { Engine } from '../../tensor/engine.ts';
import type { KernelModule } from '../kernels/kernel.ts';
import type { Data } from '../shared-engine.ts';
import { engineOf, type LoadedProgram } from '../shared-engine.ts';
import type { Plan } from './plan.ts';
import { planProgram } from './planner.ts';

export interface Backend {
  readonly name: string;
  /** Channels in a block of the runtime's blocked convolutions; undefined where it has none. */
  blockSize?(): Promise<number | undefined>;
  load(plan: Plan): Promise<LoadedProgram>;
  /** Keeps a copy of an array under a number. */
  upload(value: number, data: Data): Promise<void>;
  download(value: number): Promise<Data>;
  drop(value: number): Promise<void>;
  dispose(): Promise<void>;
}

/** Makes an engine of a backend. */
export function planEngine(backend: Backend, kernels: KernelModule | undefined): Engine {
  return engineOf({
    name: backend.name,
    load: async (graph, parameters) =>
      backend.load(planProgram(graph, kernels, parameters, await backend.blockSize?.())),
    upload: (value, { data }) => backend.upload(value, data),
    download: (value) => backend.download(value),
    drop: (value) => backend.drop(value),
    dispose: () => backend.dispose(),
  });
}
