/** Which fused operations stay: those with a kernel for their shapes, or a rule of their own. */

import { inline, rewrite } from '../../tensor/graph.ts';
import { type Graph, type Node, simplify, type Tensor } from '../../tensor/index.ts';
import type { Kernel, KernelCall } from '../kernels/kernel.ts';
import { blockChannels } from './blocked.ts';
import type { Rules } from './lowering.ts';

/** Calls of kernels, by node of the prepared graph. */
export type KernelCalls = ReadonlyMap<Node, KernelCall>;

export interface Prepared {
  readonly graph: Graph;
  readonly calls: KernelCalls;
}

/** Expands the fused operations that nothing here runs as a whole, and simplifies what that leaves.
 *
 * @param block channels in a block where the runtime has blocked convolutions.
 */
export function prepare(graph: Graph, kernels: readonly Kernel[], rules: Rules, block?: number): Prepared {
  const byName = new Map(kernels.map((kernel) => [kernel.name, kernel]));
  const callOf = (node: Node): KernelCall | undefined =>
    byName.get(node.op.name === 'fused' ? (node.attrs.name as string) : node.op.name)?.plan(node);
  let current = simplify(graph);
  let isBlocked = false;
  for (let expanded = -1; expanded !== 0; ) {
    expanded = 0;
    current = rewrite(current, (node, inputs): readonly Tensor[] | undefined => {
      // It means something to gradients only, and those are in the graph by now.
      if (node.op.name === 'stopGradient') {
        expanded++;
        return inputs;
      }
      if (node.op.name !== 'fused') return undefined;
      if (callOf(node) !== undefined || rules[`fused:${node.attrs.name}`] !== undefined) return undefined;
      expanded++;
      return inline(node.attrs.body as Graph, inputs);
    });
    if (expanded > 0) current = simplify(current);
    else if (block !== undefined && !isBlocked) {
      isBlocked = true;
      current = simplify(blockChannels(current, block));
      // Shapes that a blocked kernel refuses are expanded in turn.
      expanded = -1;
    }
  }
  const calls = new Map<Node, KernelCall>();
  for (const node of current.nodes) {
    const call = callOf(node);
    if (call !== undefined) calls.set(node, call);
  }
  return { graph: current, calls };
}
