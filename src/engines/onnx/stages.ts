/**
 * When each node runs. A compiled program alternates: the ONNX segment of a stage, then that stage's kernels.
 *
 * What depends on weights alone is apart: if a kernel reads it, it is computed once, before the first run;
 * otherwise it is written into each segment that uses it, where the runtime folds it into a constant.
 */

import type { Graph, Node, Tensor } from '../../tensor/index.ts';
import type { KernelCalls } from './prepare.ts';

export interface Stages {
  /** Depends on weights and constants only. */
  readonly fixed: ReadonlySet<Node>;
  /** Stage of every node, counted apart for fixed ones. */
  stageOf(node: Node): number;
  readonly last: number;
  readonly lastFixed: number;
}

/** The same bytes under their first shape: reshapes move nothing, so kernels read through them. */
export function rootOf(tensor: Tensor): Tensor {
  let root = tensor;
  while (root.node.op.name === 'reshape') root = root.node.inputs[0];
  return root;
}

/** What a segment has to be given for a value that it can rebuild at no cost. */
export function baseOf(tensor: Tensor): Tensor {
  let base = tensor;
  while (base.node.op.name === 'reshape' || base.node.op.name === 'broadcast') base = base.node.inputs[0];
  return base;
}

export function assignStages(graph: Graph, calls: KernelCalls): Stages {
  const fixed = new Set<Node>();
  const stages = new Map<Node, number>();
  let last = 0;
  let lastFixed = 0;
  for (const node of graph.nodes) {
    const isInput = node.op.name === 'source' && node.attrs.kind === 'input';
    const isFixed = !isInput && node.inputs.every((tensor) => fixed.has(tensor.node));
    if (isFixed) fixed.add(node);
    let stage = 0;
    for (const input of node.inputs) {
      const producer = rootOf(input).node;
      // A fixed value is there before the first stage of what is not fixed.
      if (fixed.has(producer) && !isFixed) continue;
      const before = stages.get(producer) ?? 0;
      stage = Math.max(stage, calls.has(producer) && !calls.has(node) ? before + 1 : before);
    }
    stages.set(node, stage);
    if (isFixed) lastFixed = Math.max(lastFixed, stage);
    else last = Math.max(last, stage);
  }
  return { fixed, stageOf: (node) => stages.get(node) ?? 0, last, lastFixed };
}
