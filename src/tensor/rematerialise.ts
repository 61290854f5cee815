/**
 * Computing a part of a program twice instead of keeping what is inside of it (gradient checkpointing; Chen et al.
 * 2016, "Training deep nets with sublinear memory cost").
 */

import { fusedPrimitive } from './fused.ts';
import { apply, graphOf, input, type Named, type Tensor, topological } from './graph.ts';

/** Runs `program`; a gradient computes it again from `inputs` instead of keeping its intermediate values.
 *
 * The second computation begins when the cotangent is there (`after`), and nothing merges it with the first.
 *
 * @param name     for texts and errors.
 * @param inputs   where the second computation starts; whatever else it depends on, down to weights and
 *                 inputs of the program, is computed again too.
 * @param program  gives tensors by name.
 */
export function rematerialise<R extends Readonly<Record<string, Tensor>>>(
  name: string,
  inputs: readonly Tensor[],
  program: () => R,
): R {
  const results = Object.entries(program());
  const given = new Set(inputs);
  const inside = topological(
    results.map(([, tensor]) => tensor),
    (tensor) => given.has(tensor),
  );
  const replaced = new Map<Tensor, Tensor>();
  const declared: Named[] = [];
  const outer: Tensor[] = [];
  const declare = (tensor: Tensor): void => {
    const own = input(`${outer.length}`, tensor);
    declared.push({ name: `${outer.length}`, tensor: own });
    replaced.set(tensor, own);
    outer.push(tensor);
  };
  for (const tensor of given) declare(tensor);
  for (const node of inside) {
    if (node.op.name === 'source') {
      if (!replaced.has(node.outputs[0])) declare(node.outputs[0]);
      continue;
    }
    const from = node.inputs.map((tensor) => replaced.get(tensor) ?? tensor);
    if (from.every((tensor, i) => tensor === node.inputs[i])) continue;
    const outputs = apply(node.op, from, node.attrs, node.site).outputs;
    node.outputs.forEach((tensor, i) => {
      if (!given.has(tensor)) replaced.set(tensor, outputs[i]);
    });
  }
  const body = graphOf(
    name,
    declared,
    results.map(([key, tensor]) => ({ name: key, tensor: replaced.get(tensor) ?? tensor })),
  );
  const attrs = { name: `rematerialise ${name}`, options: {}, body, rematerialise: true };
  const { outputs } = apply(fusedPrimitive, outer, attrs);
  return Object.fromEntries(results.map(([key], i) => [key, outputs[i]])) as R;
}
