/**
 * The reference engine: every primitive by its own plain definition, in float64. Slow on purpose; it is
 * what the other engines are held to. Fused operations run their definitions.
 */

import { EngineError, PortraitganError } from '../../errors.ts';
import type { Arrays, CompileOptions, Engine, Program, Resident, RunOptions } from '../../tensor/engine.ts';
import { evaluate } from '../../tensor/evaluate.ts';
import type { HostArray } from '../../tensor/graph.ts';
import { hostArrayOf, storageOf } from '../../tensor/host.ts';
import { expandFused, type Graph, type NdArray, simplify } from '../../tensor/index.ts';
import { checkArrays, refuseUnknown } from '../checks.ts';

export interface ReferenceOptions {
  /** 'float32' (the default) stores each result in single precision, as other engines must; sums and products
   * inside of an operation stay in double. 'float64' stores nothing in single precision: for finite differences. */
  readonly storage?: 'float32' | 'float64';
}

/** Makes the reference engine. It holds nothing and needs no disposal. */
export function referenceEngine({ storage = 'float32' }: ReferenceOptions = {}): Engine {
  return {
    name: 'reference',
    compile: async (graph, options) => compileReference(graph, storage === 'float32', options),
    upload: async (array) => keep(array),
    download: async (value) => heldBy(value),
    release: async (value) => {
      held.delete(value);
    },
    dispose: async () => {},
  };
}

/** What is resident here is only kept. */
const held = new WeakMap<Resident, NdArray>();

function keep(array: NdArray): Resident {
  const value: Resident = { dtype: array.dtype, shape: array.shape, resident: 0 };
  held.set(value, array);
  return value;
}

function heldBy(value: Resident): NdArray {
  const array = held.get(value);
  if (array === undefined)
    throw new EngineError('a resident value was released, or belongs to another engine');
  return array;
}

function compileReference(graph: Graph, rounded: boolean, options: CompileOptions = {}): Program {
  const parameters = options.parameters ?? {};
  checkArrays(graph.name, 'parameter', graph.parameters, parameters);
  const plain = simplify(expandFused(graph));
  let disposed = false;
  const run: Program['run'] = async (inputs, runOptions) => {
    if (disposed) throw new EngineError(`${graph.name}: the program was disposed`);
    checkArrays(graph.name, 'input', graph.inputs, inputs);
    refuseUnknown(graph.name, graph.inputs, inputs);
    const arrays = Object.fromEntries(
      Object.entries(inputs).map(([name, value]) => [name, 'resident' in value ? heldBy(value) : value]),
    );
    const outputs = runReference(plain, rounded, parameters, arrays, runOptions);
    for (const name of runOptions?.donate ?? []) held.delete(inputs[name] as Resident);
    return outputs;
  };
  return {
    graph,
    run,
    runResident: async (inputs, runOptions) =>
      Object.fromEntries(
        Object.entries(await run(inputs, runOptions)).map(([name, array]) => [name, keep(array)]),
      ),
    dispose: async () => {
      disposed = true;
    },
  };
}

function runReference(
  graph: Graph,
  rounded: boolean,
  parameters: Arrays,
  inputs: Arrays,
  options: RunOptions = {},
): Record<string, NdArray> {
  const sourceValue = (name: string, kind: 'input' | 'parameter'): HostArray => {
    const array = (kind === 'input' ? inputs : parameters)[name];
    if (options.reportNaN && array.dtype === 'float32' && (array.data as Float32Array).some(Number.isNaN)) {
      throw new PortraitganError(`${graph.name}: ${kind} "${name}" holds NaN`);
    }
    return hostArrayOf(array);
  };
  const values = evaluate(graph, sourceValue, (tensor, value) => {
    if (rounded && value.dtype === 'float32') roundToSingle(value.data);
    if (options.reportNaN && value.dtype === 'float32' && value.data.some(Number.isNaN)) {
      const site = tensor.node.site ? ` (traced at ${tensor.node.site})` : '';
      throw new PortraitganError(`${graph.name}: ${tensor.node.op.name} made NaN from clean inputs${site}`);
    }
  });
  return Object.fromEntries(graph.outputs.map(({ name }, i) => [name, storageOf(values[i])]));
}

function roundToSingle(data: HostArray['data']): void {
  for (let i = 0; i < data.length; i++) data[i] = Math.fround(data[i]);
}
