/** Named weights of a network as symbolic tensors, under the official dotted names. */

import { NameError } from '../errors.ts';
import { type Aval, parameter, type Tensor } from '../tensor/index.ts';

/** Shapes and types of all weights of a network, by dotted name. */
export type ParameterShapes = ReadonlyMap<string, Aval>;

/** A view of the weights below one prefix. */
export interface Parameters {
  /** The prefix, with its dot; empty at the top. */
  readonly prefix: string;
  /** The weight of that name. @throws NameError when the network has none. */
  get(name: string): Tensor;
  has(name: string): boolean;
  /** The weights of a sub-module. */
  scope(name: string): Parameters;
}

/** Makes the view over a whole network.
 *
 * @param shapes  what the network holds.
 * @param label   prepended to the names given to engines, so that two networks can share a program.
 */
export function parametersOf(shapes: ParameterShapes, label = ''): Parameters {
  const made = new Map<string, Tensor>();
  const view = (prefix: string): Parameters => ({
    prefix,
    get(name) {
      const full = prefix + name;
      const aval = shapes.get(full);
      if (aval === undefined) throw new NameError(`the network has no parameter "${full}"`);
      let tensor = made.get(full);
      if (tensor === undefined) {
        tensor = parameter(label + full, aval);
        made.set(full, tensor);
      }
      return tensor;
    },
    has: (name) => shapes.has(prefix + name),
    scope: (name) => view(`${prefix}${name}.`),
  });
  return view('');
}
