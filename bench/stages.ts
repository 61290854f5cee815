/** The stages of a generator as programs, with initial weights and what to feed them: what benchmarks of pictures time. */

import { cameraLabel, viewCamera } from '../src/portrait/camera.ts';
import { type GeneratorConfig, generatorConfig } from '../src/portrait/config.ts';
import {
  backgroundGraph,
  type GeneratorNetwork,
  mappingGraph,
  picturesGraph,
  planesGraph,
  renderGraph,
} from '../src/portrait/generator.ts';
import { initialise } from '../src/portrait/initialise.ts';
import type { Posing } from '../src/portrait/posing.ts';
import { generatorPlan, generatorRecord, type Preset } from '../src/portrait/presets.ts';
import { type Arrays, type Graph, type NdArray, ndarray } from '../src/tensor/index.ts';

/** Values that only must not be zero, as many as are asked for. */
export type Draw = (count: number) => Float32Array;

export interface Stage {
  readonly name: 'mapping' | 'planes' | 'background' | 'rendering' | 'rendering, posed' | 'super-resolution';
  readonly graph: Graph;
  /** Bound by convolutions. */
  readonly dense: boolean;
}

export interface StagedGenerator {
  readonly network: GeneratorNetwork;
  readonly values: ReadonlyMap<string, NdArray>;
  /** Each reads inputs and what the ones before it gave, under these names. */
  readonly stages: readonly Stage[];
  /** What the first stages read; a posed one also needs `mesh`. */
  readonly inputs: Arrays;
}

/** A preset's generator for one picture.
 *
 * @param posing adds a stage that renders the posed body
 */
export function stagedGenerator(preset: Preset, draw: Draw, posing?: Posing): StagedGenerator {
  const values = initialise(generatorPlan(preset), draw);
  const record = generatorRecord(preset);
  const network = { config: generatorConfig(record), shapes: record.shapes };
  const { rendering, neuralResolution: n } = network.config;
  const posed: Stage[] =
    posing === undefined
      ? []
      : [
          {
            name: 'rendering, posed',
            graph: renderGraph(network, 1, n, rendering, { posing }),
            dense: false,
          },
        ];
  const stages: readonly Stage[] = [
    { name: 'mapping', graph: mappingGraph(network, 1), dense: true },
    { name: 'planes', graph: planesGraph(network, 1, 'const'), dense: true },
    { name: 'background', graph: backgroundGraph(network, 1, 'const'), dense: true },
    ...posed,
    { name: 'rendering', graph: renderGraph(network, 1, n, rendering), dense: false },
    { name: 'super-resolution', graph: picturesGraph(network, 1, n, true), dense: true },
  ];
  return { network, values, stages, inputs: latents(network.config, draw) };
}

function latents(config: GeneratorConfig, draw: Draw): Arrays {
  return {
    z: ndarray([1, config.zDim], draw(config.zDim)),
    c: ndarray([1, 25], cameraLabel(viewCamera(20, 5))),
    p: ndarray([1, 6], new Float32Array(6)),
    psi: ndarray([], [0.7]),
    cutoff: { dtype: 'int32', shape: [], data: Int32Array.of(config.numWs) },
  };
}

/** Values of the graph's parameters. */
export function parametersFor({ parameters }: Graph, values: ReadonlyMap<string, NdArray>): Arrays {
  return Object.fromEntries(parameters.map(({ name }) => [name, values.get(name)!]));
}

/** Values of the graph's inputs. */
export function inputsFor<T>({ inputs }: Graph, known: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(inputs.map(({ name }) => [name, known[name]]));
}
