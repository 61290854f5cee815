/** Which values each ONNX segment must hand over, and the model that computes them. */

import type { Arrays } from '../../tensor/engine.ts';
import { type NdArray, type Node, sizeOf, type Tensor } from '../../tensor/index.ts';
import { lowerPart, WRITTEN_ON_DEMAND } from './lowering.ts';
import type { SegmentStep } from './plan.ts';
import type { Prepared } from './prepare.ts';
import { allRules } from './rules/all.ts';
import { fillOfEmpty } from './rules/empty.ts';
import type { Slots } from './slots.ts';
import { baseOf, rootOf, type Stages } from './stages.ts';

/** Values by the stage whose segment computes them. */
export interface Handover {
  /** What kernels read and only weights determine: computed once. */
  readonly fixed: ReadonlyMap<number, ReadonlySet<Tensor>>;
  readonly running: ReadonlyMap<number, ReadonlySet<Tensor>>;
}

/** Weights and constants: there is nothing to compute. */
export function isGiven(tensor: Tensor): boolean {
  return tensor.node.op.name === 'source' || tensor.node.op.name === 'constant';
}

/** Non-empty values that kernels read, reshapes looked through. */
export function kernelOperands(node: Node): Tensor[] {
  return node.inputs.map(rootOf).filter((root) => sizeOf(root.shape) > 0);
}

export function findHandover({ graph, calls }: Prepared, stages: Stages): Handover {
  const fixed = new Map<number, Set<Tensor>>();
  const running = new Map<number, Set<Tensor>>();
  const add = (to: Map<number, Set<Tensor>>, stage: number, tensor: Tensor): void => {
    const known = to.get(stage);
    if (known === undefined) to.set(stage, new Set([tensor]));
    else known.add(tensor);
  };
  const resident = new Set<Tensor>();
  for (const node of graph.nodes) {
    if (calls.has(node)) {
      for (const root of kernelOperands(node)) {
        const isFixed = stages.fixed.has(root.node);
        if (isFixed) resident.add(root);
        if (isGiven(root) || calls.has(root.node)) continue;
        add(isFixed ? fixed : running, stages.stageOf(root.node), root);
      }
    } else if (!stages.fixed.has(node) && !WRITTEN_ON_DEMAND.has(node.op.name)) {
      for (const { node: producer, ...base } of node.inputs.map(baseOf)) {
        const crosses = stages.stageOf(producer) < stages.stageOf(node) && !stages.fixed.has(producer);
        if (!crosses || calls.has(producer) || producer.op.name === 'source') continue;
        if (sizeOf(base.shape) > 0) add(running, stages.stageOf(producer), producer.outputs[base.output]);
      }
    }
  }
  for (const { tensor } of graph.outputs) {
    const root = rootOf(tensor);
    const isFixed = stages.fixed.has(root.node);
    if (sizeOf(root.shape) === 0 || calls.has(root.node) || resident.has(root)) continue;
    if (isGiven(root) && !isFixed) continue;
    add(running, isFixed ? 0 : stages.stageOf(root.node), root);
  }
  return { fixed, running };
}

/** Writes the segment of one stage, or undefined if it has nothing to hand over. */
export function draftSegment(
  name: string,
  { graph, calls }: Prepared,
  stages: Stages,
  outputs: ReadonlySet<Tensor> | undefined,
  isGivenBefore: (node: Node) => boolean,
  slots: Slots,
  parameters: Arrays,
): SegmentStep | undefined {
  if (outputs === undefined) return undefined;
  const inputs = new Map<Tensor, string>();
  const needed = new Set<Node>();
  const pending: Tensor[] = [...outputs];
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    const { node } = tensor;
    if (sizeOf(tensor.shape) === 0 || needed.has(node)) continue;
    const isInput = node.op.name === 'source' && node.attrs.kind === 'input';
    const isEarlier = isGivenBefore(node) && !stages.fixed.has(node) && !WRITTEN_ON_DEMAND.has(node.op.name);
    if (isInput || calls.has(node) || isEarlier) {
      if (!inputs.has(tensor)) inputs.set(tensor, `i${inputs.size}`);
      continue;
    }
    needed.add(node);
    if (fillOfEmpty(node) === undefined) pending.push(...node.inputs);
  }
  const names = new Map([...outputs].map((tensor, i) => [tensor, `o${i}`]));
  const model = lowerPart(
    { name, nodes: graph.nodes.filter((node) => needed.has(node)), inputs, outputs: names },
    allRules,
    (parameter) => (parameters[parameter] as NdArray).data,
  );
  const bind = (values: ReadonlyMap<Tensor, string>) =>
    [...values].map(([tensor, binding]) => ({ name: binding, slot: slots.of(tensor) }));
  return { kind: 'segment', model, inputs: bind(inputs), outputs: bind(names) };
}
