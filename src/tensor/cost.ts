/** What a graph costs: arithmetic and memory traffic, per node and in sum. */

import { expandFused } from './fused.ts';
import type { Graph, Node, Tensor } from './graph.ts';
import { simplify } from './simplify.ts';
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

/** Arithmetic of products and convolutions, with fused operations as their definitions: of filters and pointwise chains
 * nothing. */
export function denseFlopsOf(graph: Graph): number {
  return costOf(simplify(expandFused(graph)))
    .nodes.filter(({ node: { op, attrs } }) => isDense(op.name, attrs.groups))
    .reduce((sum, { flops }) => sum + flops, 0);
}

function isDense(op: string, groups: unknown): boolean {
  return op === 'matmul' || (op.startsWith('conv2d') && groups === 1);
}

/** The largest sum of bytes that are alive at one time, in the graph's order of evaluation. */
export function liveBytesOf(graph: Graph): number {
  const { nodes, outputs } = simplify(graph);
  const last = new Map<Tensor, number>();
  nodes.forEach((node, i) => {
    for (const tensor of node.inputs) last.set(stored(tensor), i);
  });
  for (const { tensor } of outputs) last.set(stored(tensor), nodes.length);
  let live = 0;
  let most = 0;
  nodes.forEach((node, i) => {
    if (!isMove(node)) for (const tensor of node.outputs) if (last.has(tensor)) live += bytesOf(tensor);
    most = Math.max(most, live);
    for (const tensor of new Set(node.inputs.map(stored)))
      if (last.get(tensor) === i) live -= bytesOf(tensor);
  });
  return most;
}

/** The value whose memory a tensor is read from. */
function stored(tensor: Tensor): Tensor {
  return isMove(tensor.node) ? stored(tensor.node.inputs[0]) : tensor;
}

/** Nodes whose result is their input, read otherwise. */
function isMove({ op }: Node): boolean {
  return op.name === 'reshape' || op.name === 'broadcast';
}
