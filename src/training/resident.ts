/**
 * Networks in training, with their engine: weights, averages and moments stay there, and programs are kept.
 *
 * What leaves the engine at each step are losses, statistics and the few weights that plain code reads.
 */

import { FormatError } from '../errors.ts';
import type { ParameterShapes } from '../portrait/parameters.ts';
import {
  type Engine,
  liftParameters,
  type NdArray,
  ndarray,
  type Program,
  type Resident,
  sameShape,
  sizeOf,
} from '../tensor/index.ts';
import { declaredInputs, type ProgramRunner, weightOf } from './runner.ts';
import type { TrainingState } from './state.ts';

export type NetworkKind = 'G' | 'D';

/** What is trained of a network. */
export interface TrainedShape {
  readonly shapes: ParameterShapes;
  /** Names of the parameters that are optimised, in registration order. */
  readonly trainable: readonly string[];
  /** Names of the parameters, trained or not: their averages are tracked, buffers are copied. */
  readonly parameters: readonly string[];
}

/** One network's arrays, by name. */
export interface ResidentNetwork extends TrainedShape {
  readonly values: Map<string, Resident>;
  readonly average: Map<string, Resident>;
  readonly first: Map<string, Resident>;
  readonly second: Map<string, Resident>;
  /** Steps that each parameter has taken. */
  readonly steps: Map<string, number>;
}

export interface ResidentNetworks {
  readonly engine: Engine;
  readonly networks: Readonly<Partial<Record<NetworkKind, ResidentNetwork>>>;
  readonly runner: ProgramRunner;
  /** Takes new arrays in the place of old ones, which are released. */
  replace(arrays: Map<string, Resident>, name: string, value: Resident): Promise<void>;
  /** Everything, or some parts, read out under the names of `TrainingState`. */
  tensors(parts?: readonly NetworkPart[]): Promise<Map<string, NdArray>>;
  dispose(): Promise<void>;
}

/** Names of a network's arrays in a training state. */
const PREFIXES = { values: '', average: '_ema', first: 'first/', second: 'second/' } as const;

export type NetworkPart = keyof typeof PREFIXES;

const PARTS = Object.keys(PREFIXES) as NetworkPart[];

function stateName(kind: NetworkKind, part: NetworkPart, name: string): string {
  if (part === 'values' || part === 'average') return `${kind}${PREFIXES[part]}/${name}`;
  return `${PREFIXES[part]}${kind}/${name}`;
}

/** Gives networks to an engine. Averages that a state lacks begin as copies, moments as zeros.
 *
 * @param shapes of the networks that take part
 * @param tensors by the names of `TrainingState`
 * @param steps  ages of the moments: `G/NAME` and so on
 */
export async function residentNetworks(
  engine: Engine,
  shapes: Readonly<Partial<Record<NetworkKind, TrainedShape>>>,
  tensors: TrainingState['tensors'],
  steps: Readonly<Record<string, number>>,
): Promise<ResidentNetworks> {
  const networks: Partial<Record<NetworkKind, ResidentNetwork>> = {};
  for (const [kind, shape] of Object.entries(shapes) as [NetworkKind, TrainedShape][])
    networks[kind] = await uploaded(engine, kind, shape, tensors, steps);
  const runner = keptRunner(engine, networks);
  return {
    engine,
    networks,
    runner,
    async replace(arrays, name, value) {
      const old = arrays.get(name);
      arrays.set(name, value);
      if (old !== undefined) await engine.release(old);
    },
    async tensors(parts = PARTS) {
      const out = new Map<string, NdArray>();
      for (const [kind, network] of Object.entries(networks) as [NetworkKind, ResidentNetwork][]) {
        for (const part of parts)
          for (const [name, value] of network[part])
            out.set(stateName(kind, part, name), await engine.download(value));
        // Buffers have no average of their own: the averaged network takes the network's.
        for (const name of network.shapes.keys())
          if (!network.average.has(name))
            out.set(stateName(kind, 'average', name), out.get(stateName(kind, 'values', name))!);
      }
      return out;
    },
    dispose: () => runner.dispose(),
  };
}

async function uploaded(
  engine: Engine,
  kind: NetworkKind,
  shape: TrainedShape,
  tensors: TrainingState['tensors'],
  steps: Readonly<Record<string, number>>,
): Promise<ResidentNetwork> {
  const network: ResidentNetwork = {
    ...shape,
    values: new Map(),
    average: new Map(),
    first: new Map(),
    second: new Map(),
    steps: new Map(),
  };
  const find = (part: NetworkPart, name: string): NdArray | undefined => {
    const known = stateName(kind, part, name);
    const array = tensors.get(known);
    const wanted = shape.shapes.get(name)!.shape;
    if (array !== undefined && !sameShape(array.shape, wanted))
      throw new FormatError(
        `the training state has "${known}" as [${array.shape.join(', ')}]; expected [${wanted.join(', ')}]`,
      );
    return array;
  };
  for (const name of shape.shapes.keys()) {
    const value = find('values', name);
    if (value === undefined) throw new FormatError(`the training state lacks ${kind}'s "${name}"`);
    network.values.set(name, await engine.upload(value));
  }
  for (const name of shape.parameters)
    network.average.set(name, await engine.upload(find('average', name) ?? find('values', name)!));
  for (const name of shape.trainable) {
    const zeros = (): NdArray => {
      const extents = shape.shapes.get(name)!.shape;
      return ndarray(extents, new Float32Array(sizeOf(extents)));
    };
    network.first.set(name, await engine.upload(find('first', name) ?? zeros()));
    network.second.set(name, await engine.upload(find('second', name) ?? zeros()));
    network.steps.set(name, steps[`${kind}/${name}`] ?? 0);
  }
  return network;
}

interface Kept {
  readonly key: string;
  readonly program: Program;
  readonly weights: readonly string[];
}

/** Keeps a program a slot, and gives the weights that the networks have at each run. */
function keptRunner(
  engine: Engine,
  networks: Readonly<Partial<Record<NetworkKind, ResidentNetwork>>>,
): ProgramRunner & { dispose(): Promise<void> } {
  const kept = new Map<string, Kept>();
  const programFor = async (
    slot: string,
    key: string,
    make: Parameters<ProgramRunner['run']>[2],
  ): Promise<Kept> => {
    const known = kept.get(slot);
    if (known?.key === key) return known;
    kept.delete(slot);
    await known?.program.dispose();
    const graph = make();
    const weights = graph.parameters.map(({ name }) => name);
    const found: Kept = { key, weights, program: await engine.compile(liftParameters(graph)) };
    kept.set(slot, found);
    return found;
  };
  return {
    engine,
    async run(slot, key, make, given, donate = []) {
      const { program, weights } = await programFor(slot, JSON.stringify(key), make);
      const values = Object.fromEntries(
        weights.map((name) => {
          const { network, weight } = weightOf(name);
          return [name, networks[network]!.values.get(weight)!];
        }),
      );
      return program.runResident(declaredInputs(program.graph, { ...given, ...values }), { donate });
    },
    async dispose() {
      for (const { program } of kept.values()) await program.dispose();
      kept.clear();
    },
  };
}
