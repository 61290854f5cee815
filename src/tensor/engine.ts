/**
 * What every engine offers: it compiles a graph, with its weights, to a program that runs on arrays.
 *
 * Engines know tensors only. All calls are asynchronous, so that an engine may live on another thread.
 */

import type { Graph } from './graph.ts';
import type { NdArray } from './types.ts';

export type Arrays = Readonly<Record<string, NdArray>>;

export interface CompileOptions {
  /** Values of the graph's parameters, by name; they stay with the engine. */
  readonly parameters?: Arrays;
}

export interface RunOptions {
  /** Checks every output for NaN and reports which node made the first one, where the engine can tell. */
  readonly reportNaN?: boolean;
}

export interface Program {
  readonly graph: Graph;
  /** Runs the program. Inputs are not changed; every declared input must be given.
   *
   * @throws NameError for a missing or unknown input, ShapeError and DTypeError for one of another type.
   */
  run(inputs: Arrays, options?: RunOptions): Promise<Record<string, NdArray>>;
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
  dispose(): Promise<void>;
}
