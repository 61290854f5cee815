/** Runs a graph with the primitives' own definitions: what constant folding and the reference engine share. */

import { NameError } from '../errors.ts';
import type { Graph, HostArray, Tensor } from './graph.ts';

/** Evaluates an expanded graph in float64.
 *
 * @param sourceValue gives the value of each input and parameter.
 * @param visit   sees each node's results, for reports of NaNs and progress.
 */
export function evaluate(
  graph: Graph,
  sourceValue: (name: string, kind: 'input' | 'parameter') => HostArray,
  visit?: (tensor: Tensor, value: HostArray) => void,
): HostArray[] {
  const uses = new Map<Tensor, number>();
  for (const node of graph.nodes) {
    for (const tensor of node.inputs) uses.set(tensor, (uses.get(tensor) ?? 0) + 1);
  }
  for (const { tensor } of graph.outputs) uses.set(tensor, (uses.get(tensor) ?? 0) + 1);
  const values = new Map<Tensor, HostArray>();
  const release = (tensor: Tensor): void => {
    const left = (uses.get(tensor) ?? 0) - 1;
    uses.set(tensor, left);
    if (left <= 0) values.delete(tensor);
  };
  for (const node of graph.nodes) {
    if (node.op.name === 'source') {
      const { name, kind } = node.attrs as { name: string; kind: 'input' | 'parameter' };
      values.set(node.outputs[0], sourceValue(name, kind));
      continue;
    }
    const inputs = node.inputs.map((tensor) => {
      const value = values.get(tensor);
      if (value === undefined)
        throw new NameError(`internal: ${node.op.name} reads a value that was released`);
      return value;
    });
    const results = node.op.reference(inputs, node.attrs, node.outputs);
    node.outputs.forEach((tensor, i) => {
      const value: HostArray = { dtype: tensor.dtype, shape: tensor.shape, data: results[i] };
      visit?.(tensor, value);
      if ((uses.get(tensor) ?? 0) > 0) values.set(tensor, value);
    });
    for (const tensor of node.inputs) release(tensor);
  }
  return graph.outputs.map(({ tensor }) => values.get(tensor)!);
}
