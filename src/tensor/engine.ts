/**
 * What every engine offers: it compiles a graph, with its weights, to a program that runs on arrays.
 *
 * Engines know tensors only. All calls are asynchronous, so that an engine may live on another thread.
 */

import type { Graph } from './graph.ts';
import type { Aval, NdArray } from './types.ts';

export type Arrays = Readonly<Record<string, NdArray>>;

/** A value that stays with its engine: result of one program, input of another, never leaving the device. */
export interface Resident extends Aval {
  /** The engine's own number for it. */
  readonly resident: number;
}

/** What programs take: arrays, or values that the engine already holds. */
export type Values = Readonly<Record<string, NdArray | Resident>>;

export interface CompileOptions {
  /** Values of the graph's parameters, by name; they stay with the engine. */
  readonly parameters?: Arrays;
}

export interface RunOptions {
  /** Checks every output for NaN and reports which node made the first one, where the engine can tell. */
  readonly reportNaN?: boolean;
  /** Names of resident inputs that nobody needs afterwards: they are released, and results may take their memory.
   * A value that is given under two names may be donated under one alone. */
  readonly donate?: readonly string[];
}

export interface Program {
  readonly graph: Graph;
  /** Runs the program. Inputs are not changed; every declared input must be given.
   *
   * @throws NameError for a missing or unknown input, ShapeError and DTypeError for one of another type.
   */
  run(inputs: Values, options?: RunOptions): Promise<Record<string, NdArray>>;
  /** Runs the program and leaves the results with the engine, until they are released. */
  runResident(inputs: Values, options?: RunOptions): Promise<Record<string, Resident>>;
  /** Gives back what the program holds. Running it afterwards is an error. */
  dispose(): Promise<void>;
}

export interface Engine {
  readonly name: string;
  /** Compiles a graph.
   *
   * @throws EngineError naming the operation and where it was traced, if the engine lacks it.
   * @throws NameError, ShapeError, DTypeError for parameters that do not fit the graph.
   */
  compile(graph: Graph, options?: CompileOptions): Promise<Program>;
  /** Gives an array to the engine. */
  upload(array: NdArray): Promise<Resident>;
  /** Copies a value out. */
  download(value: Resident): Promise<NdArray>;
  /** Gives memory back; using the value afterwards is an error. */
  release(value: Resident): Promise<void>;
  dispose(): Promise<void>;
}
