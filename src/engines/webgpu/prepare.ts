/** A graph with the definitions of fused operations that no kernel takes in their place, and what can be refused before
 * anything runs. */

import { EngineError } from '../../errors.ts';
import { inline, rewrite } from '../../tensor/graph.ts';
import { type Graph, type NdArray, type Node, simplify, sizeOf } from '../../tensor/index.ts';
import { nodeLabel } from '../node-label.ts';
import { baseOf } from './expression.ts';
import { GpuError } from './gpu-error.ts';

/** Expands and checks a graph.
 *
 * @throws EngineError for an index that is known and out of range; GpuError `limit` for more elements than there are
 * numbers for.
 */
export function prepare(given: Graph, isTaken: (node: Node) => boolean): Graph {
  const graph = expand(given, isTaken);
  checkIndices(graph);
  checkSizes(graph);
  return graph;
}

/** Expands the fused operations that no kernel takes, and simplifies what that leaves. */
function expand(graph: Graph, isTaken: (node: Node) => boolean): Graph {
  let current = simplify(graph);
  for (;;) {
    let expanded = 0;
    current = rewrite(current, (node, inputs) => {
      // It means something to gradients only, and those are in the graph by now.
      if (node.op.name === 'stopGradient') {
        expanded++;
        return inputs;
      }
      if (node.op.name !== 'fused' || isTaken(node)) return undefined;
      expanded++;
      return inline(node.attrs.body as Graph, inputs);
    });
    if (expanded === 0) return current;
    current = simplify(current);
  }
}

/** Elements are numbered by 32 bits in shaders, those of values that are never stored as well. */
function checkSizes(graph: Graph): void {
  for (const node of graph.nodes) {
    for (const tensor of node.outputs) {
      if (sizeOf(tensor.shape) < 2 ** 32) continue;
      throw new GpuError(
        'limit',
        `${graph.name}: ${nodeLabel(node)} has ${sizeOf(tensor.shape)} elements; fewer than 2^32 can be numbered: use a smaller batch or picture`,
      );
    }
  }
}

/** Indices that are known now are checked now, and that there is something to take. */
function checkIndices(graph: Graph): void {
  for (const node of graph.nodes) {
    if (node.op.name !== 'gather' && node.op.name !== 'scatterAdd') continue;
    const indices = baseOf(node.inputs[1]).node;
    const axis = node.attrs.axis as number;
    const extent = (node.op.name === 'gather' ? node.inputs[0] : node.outputs[0]).shape[axis];
    if (extent === 0 && sizeOf(node.inputs[1].shape) > 0 && sizeOf(node.outputs[0].shape) > 0) {
      throw new EngineError(`${graph.name}: ${nodeLabel(node)}: index out of range: the axis is empty`);
    }
    if (indices.op.name !== 'constant') continue;
    const bad = [...((indices.attrs.value as NdArray).data as Int32Array)].find(
      (at) => at < 0 || at >= extent,
    );
    if (bad === undefined) continue;
    const site = node.site ? ` (traced at ${node.site})` : '';
    throw new EngineError(
      `${graph.name}: ${node.op.name}: index ${bad} is outside of 0..${extent - 1}${site}`,
    );
  }
}
