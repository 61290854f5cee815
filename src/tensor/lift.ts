/**
 * Weights that change: a training program takes them at each run, as inputs, where a program that only looks has
 * them built in.
 */

import { NameError } from '../errors.ts';
import { type Graph, input, type Named, rewrite, type Tensor } from './graph.ts';

/** The same program with weights as inputs, under their names, behind its other inputs.
 *
 * What an engine can do for constant weights (folding, packing) it does at every run for these.
 *
 * @param names  which; all of them when left out.
 * @throws NameError for a name that is no weight of the program, or is an input already.
 */
export function liftParameters(graph: Graph, names?: Iterable<string>): Graph {
  const wanted = new Set(names ?? graph.parameters.map(({ name }) => name));
  const lifted = new Map<string, Tensor>();
  for (const { name, tensor } of graph.parameters) {
    if (wanted.delete(name)) lifted.set(name, input(name, tensor));
  }
  for (const name of wanted) throw new NameError(`${graph.name}: there is no parameter "${name}" to lift`);
  for (const { name } of graph.inputs) {
    if (lifted.has(name)) {
      throw new NameError(`${graph.name}: parameter "${name}" cannot be lifted: an input has its name`);
    }
  }
  const declared: Named[] = [...lifted].map(([name, tensor]) => ({ name, tensor }));
  return rewrite({ ...graph, inputs: [...graph.inputs, ...declared] }, ({ op, attrs }) => {
    if (op.name !== 'source' || attrs.kind !== 'parameter') return undefined;
    const tensor = lifted.get(attrs.name as string);
    return tensor === undefined ? undefined : [tensor];
  });
}
