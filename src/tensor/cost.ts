/** What a graph costs: arithmetic and memory traffic, per node and in sum. */

import type { Graph, Node } from './graph.ts';
import { type Aval, BYTES_PER_ELEMENT, sizeOf } from './types.ts';

export interface NodeCost {
  readonly node: Node;
  /** Floating-point operations; a multiply-add is two. */
  readonly flops: number;
  /** Bytes of all inputs and outputs, each counted once. */
  readonly bytes: number;
}

export interface GraphCost {
  readonly flops: number;
  readonly bytes: number;
  /** Bytes of the weights. */
  readonly parameterBytes: number;
  readonly nodes: readonly NodeCost[];
}

export function bytesOf(aval: Aval): number {
  return sizeOf(aval.shape) * BYTES_PER_ELEMENT[aval.dtype];
}

/** Counts a graph. Sources and constants cost nothing themselves. */
export function costOf(graph: Graph): GraphCost {
  const nodes = graph.nodes
    .filter((node) => node.op.name !== 'source' && node.op.name !== 'constant')
    .map((node) => ({
      node,
      flops: node.op.flops(node.inputs, node.outputs, node.attrs),
      bytes: [...new Set(node.inputs), ...node.outputs].reduce((total, tensor) => total + bytesOf(tensor), 0),
    }));
  return {
    flops: nodes.reduce((total, cost) => total + cost.flops, 0),
    bytes: nodes.reduce((total, cost) => total + cost.bytes, 0),
    parameterBytes: graph.parameters.reduce((total, { tensor }) => total + bytesOf(tensor), 0),
    nodes,
  };
}
