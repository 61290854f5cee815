/**
 * Gradients of fused operations as fused operations themselves: what engines without a kernel for them run is the
 * automatic gradient of the definition.
 */

import {
  type Attrs,
  add,
  broadcastTo,
  constant,
  type FusedGradient,
  fused,
  grad,
  mul,
  reduceSum,
  type Tensor,
} from '../tensor/index.ts';

/** Marks the cotangent of an output among the inputs of the gradient's operation. */
const COTANGENT = 'd:';

/** The gradient rule of an operation with this definition.
 *
 * The operation `name` reads the same inputs in the same order, then the cotangents that there are (`d:` and the
 * output's name), and gives a cotangent for each input that is wanted, under its name. Its options are the
 * operation's with two lists of names: `inputs`, cotangents included, and `outputs`.
 */
export function fusedGradient(
  name: string,
  options: Attrs,
  definition: (inputs: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>,
): FusedGradient<string> {
  return ({ inputs, cotangents, wanted }) => {
    const outputs = Object.keys(inputs).filter(wanted);
    const seeds = Object.entries(cotangents).flatMap(([output, cotangent]) =>
      cotangent === undefined ? [] : [[`${COTANGENT}${output}`, cotangent] as const],
    );
    const given = { ...inputs, ...Object.fromEntries(seeds) };
    const found = fused(name, { ...options, inputs: Object.keys(given), outputs }, given, (known) => {
      const made = definition(known);
      const value = seeds
        .map(([seed]) => reduceSum(mul(known[seed], made[seed.slice(COTANGENT.length)])))
        .reduce(add);
      const gradients = grad(
        value,
        outputs.map((input) => known[input]),
      );
      return Object.fromEntries(
        outputs.map((input, i) => [input, gradients[i] ?? broadcastTo(constant(0), known[input].shape)]),
      );
    });
    return Object.fromEntries(outputs.map((input, i) => [input, found[i]]));
  };
}
