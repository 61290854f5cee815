/**
 * What the engines that run elsewhere than in plain TypeScript share: the checks, programs compiled once and used by
 * many, resident values, reports of NaN.
 *
 * Compiling a graph of one structure with the very same weight arrays again gives the loaded program that is there
 * already. Weights must not be written to after they were compiled.
 */

import { EngineError, PortraitganError, ShapeError } from '../errors.ts';
import type {
  Arrays,
  CompileOptions,
  Engine,
  Program,
  Resident,
  RunOptions,
  Values,
} from '../tensor/engine.ts';
import {
  type Aval,
  type Graph,
  keyOfGraph,
  type NdArray,
  showAval,
  sizeOf,
  type Tensor,
} from '../tensor/index.ts';
import { checkArrays, firstNaN, refuseUnknown } from './checks.ts';

export type Data = NdArray['data'];

/** A compiled program where it runs. */
export interface LoadedProgram {
  /** @param keep     numbers under which the outputs stay with the backend; without it they are returned.
   *  @param donated  numbers of inputs to release when they have been read. */
  run(
    inputs: Readonly<Record<string, Data | number>>,
    keep?: Readonly<Record<string, number>>,
    donated?: readonly number[],
  ): Promise<Record<string, Data>>;
  release(): Promise<void>;
}

/** Where programs and values live. */
export interface Home {
  readonly name: string;
  load(graph: Graph, parameters: Arrays): Promise<LoadedProgram>;
  /** Keeps a copy of an array under a number. */
  upload(value: number, array: NdArray): Promise<void>;
  download(value: number, aval: Aval): Promise<Data>;
  drop(value: number): Promise<void>;
  dispose(): Promise<void>;
}

interface Shared {
  readonly loaded: Promise<LoadedProgram>;
  users: number;
}

/** Makes an engine of a home. */
export function engineOf(home: Home): Engine {
  const programs = new Map<string, Shared>();
  let disposed = false;
  return {
    name: home.name,
    compile: async (graph, options = {}) => {
      if (disposed) throw new EngineError(`${graph.name}: the ${home.name} engine was disposed`);
      return compileShared(graph, options, programs, home, () => disposed);
    },
    upload: async (array) => {
      const { dtype, shape } = array;
      if (disposed) throw new EngineError(`an upload: the ${home.name} engine was disposed`);
      if (array.data.length !== sizeOf(shape)) {
        throw new ShapeError(`upload: ${showAval(array)} has ${array.data.length} values`);
      }
      const value = { dtype, shape, resident: nextResident++ };
      await home.upload(value.resident, array);
      return value;
    },
    download: async ({ dtype, shape, resident }) => ({
      dtype,
      shape,
      data: await home.download(resident, { dtype, shape }),
    }),
    release: ({ resident }) => home.drop(resident),
    dispose: async () => {
      disposed = true;
      programs.clear();
      await home.dispose();
    },
  };
}

async function compileShared(
  graph: Graph,
  options: CompileOptions,
  programs: Map<string, Shared>,
  home: Home,
  isDisposed: () => boolean,
): Promise<Program> {
  const parameters = options.parameters ?? {};
  checkArrays(graph.name, 'parameter', graph.parameters, parameters);
  const key = `${keyOfGraph(graph)}|${graph.parameters.map(({ name }) => identityOf(parameters[name].data))}`;
  const shared = programs.get(key) ?? share(programs, key, async () => home.load(graph, parameters));
  shared.users++;
  const release = releaseOf(programs, key, shared, isDisposed);
  let loaded: LoadedProgram;
  try {
    loaded = await shared.loaded;
  } catch (error) {
    await release();
    throw error;
  }
  return programOf(graph, loaded, nameWithNaN(graph, parameters), release, isDisposed);
}

/** Apart from its caller, so that what is kept for later does not keep the weights. */
function releaseOf(
  programs: Map<string, Shared>,
  key: string,
  shared: Shared,
  isDisposed: () => boolean,
): () => Promise<void> {
  return async () => {
    if (--shared.users > 0) return;
    if (programs.get(key) === shared) programs.delete(key);
    const loaded = await shared.loaded.catch(() => undefined);
    if (!isDisposed()) await loaded?.release();
  };
}

function share(programs: Map<string, Shared>, key: string, load: () => Promise<LoadedProgram>): Shared {
  const shared = { loaded: load(), users: 0 };
  programs.set(key, shared);
  return shared;
}

function programOf(
  graph: Graph,
  loaded: LoadedProgram,
  badParameter: string | undefined,
  release: () => Promise<void>,
  isDisposed: () => boolean,
): Program {
  let released = false;
  const prepare = (inputs: Values, options: RunOptions): Record<string, Data | number> => {
    if (released) throw new EngineError(`${graph.name}: the program was disposed`);
    if (isDisposed()) throw new EngineError(`${graph.name}: its engine was disposed`);
    checkArrays(graph.name, 'input', graph.inputs, inputs);
    refuseUnknown(graph.name, graph.inputs, inputs);
    if (options.reportNaN) refuseNaN(graph, inputs, badParameter);
    const carried = (value: Values[string]): Data | number =>
      'resident' in value ? value.resident : value.data;
    return Object.fromEntries(graph.inputs.map(({ name }) => [name, carried(inputs[name])]));
  };
  return {
    graph,
    run: async (inputs, options = {}) =>
      collect(
        graph,
        await loaded.run(prepare(inputs, options), undefined, donatedOf(graph, inputs, options)),
        options,
      ),
    runResident: async (inputs, options = {}) => {
      const kept = graph.outputs.map(({ name, tensor: { dtype, shape } }): [string, Resident] => [
        name,
        { dtype, shape, resident: nextResident++ },
      ]);
      const numbers = Object.fromEntries(kept.map(([name, { resident }]) => [name, resident]));
      await loaded.run(prepare(inputs, options), numbers, donatedOf(graph, inputs, options));
      return Object.fromEntries(kept);
    },
    dispose: async () => {
      if (released) return;
      released = true;
      await release();
    },
  };
}

function donatedOf({ name: program }: Graph, inputs: Values, { donate = [] }: RunOptions): number[] {
  return donate.map((name) => {
    const value = inputs[name];
    if (value === undefined || !('resident' in value)) {
      throw new EngineError(`${program}: input "${name}" cannot be donated: it is no resident value`);
    }
    return value.resident;
  });
}

function collect(graph: Graph, results: Record<string, Data>, options: RunOptions): Record<string, NdArray> {
  const outputs: Record<string, NdArray> = {};
  for (const { name, tensor } of graph.outputs) {
    outputs[name] = { dtype: tensor.dtype, shape: tensor.shape, data: results[name] };
    if (options.reportNaN && firstNaN(outputs[name]) >= 0) throw madeNaN(graph, name, tensor, outputs[name]);
  }
  return outputs;
}

function madeNaN(graph: Graph, name: string, { node }: Tensor, array: NdArray): PortraitganError {
  const site = node.site ? ` (traced at ${node.site})` : '';
  return new PortraitganError(
    `${graph.name}: output "${name}", made by ${node.op.name}${site}, holds NaN at element ${firstNaN(array)} while inputs and parameters hold none; the reference engine names the operation that made it`,
  );
}

function refuseNaN(graph: Graph, inputs: Values, badParameter: string | undefined): void {
  for (const { name } of graph.inputs) {
    const value = inputs[name];
    const at = 'resident' in value ? -1 : firstNaN(value);
    if (at >= 0) throw new PortraitganError(`${graph.name}: input "${name}" holds NaN at element ${at}`);
  }
  if (badParameter !== undefined) {
    throw new PortraitganError(`${graph.name}: parameter "${badParameter}" holds NaN`);
  }
}

/** Looked up while the weights are still here: a pass of memory speed, small beside making sessions. */
function nameWithNaN(graph: Graph, parameters: Arrays): string | undefined {
  return graph.parameters.find(({ name }) => holdsNaN(parameters[name]))?.name;
}

function holdsNaN({ dtype, data }: NdArray): boolean {
  if (dtype !== 'float32') return false;
  for (let i = 0; i < data.length; i++) {
    if (Number.isNaN(data[i])) return true;
  }
  return false;
}

/** Numbers of resident values, unique over all engines. */
let nextResident = 1;

const identities = new WeakMap<Data, number>();
let nextIdentity = 0;

function identityOf(data: Data): number {
  let identity = identities.get(data);
  if (identity === undefined) {
    identity = nextIdentity++;
    identities.set(data, identity);
  }
  return identity;
}
