/**
 * Graph to graph, the same values with less work: constant folding, common sub-expressions, moves that
 * move nothing, and broadcasts that come as late as they can. Dead nodes fall away by themselves, since a
 * graph is what its outputs depend on. Nothing here may change a NaN or an infinity: x * 0 stays.
 */

import { evaluate } from './evaluate.ts';
import { apply, type Graph, graphOf, type Node, rewrite, type Tensor, tracedAt } from './graph.ts';
import { storageOf } from './host.ts';
import { broadcastTo } from './primitives/broadcast.ts';
import { constant } from './primitives/constant.ts';
import { reshape } from './primitives/reshape.ts';
import { transpose } from './primitives/transpose.ts';
import { keyOfNode } from './structure.ts';
import { type NdArray, sameShape, sizeOf } from './types.ts';

/** Larger results are computed at run time rather than carried in the program. */
const LARGEST_FOLDED_CONSTANT = 1 << 14;

const ELEMENTWISE = new Set([
  ...['neg', 'exp', 'log', 'sqrt', 'abs', 'sign', 'floor', 'sin', 'cos', 'tanh', 'not', 'cast'],
  ...[
    'add',
    'sub',
    'mul',
    'div',
    'pow',
    'maximum',
    'minimum',
    'equal',
    'less',
    'lessEqual',
    'and',
    'or',
    'where',
  ],
]);

export function isElementwise(name: string): boolean {
  return ELEMENTWISE.has(name);
}

/** Simplifies until nothing changes (at most a few rounds; each round is linear in the graph). */
export function simplify(graph: Graph): Graph {
  let current = graph;
  for (let round = 0; round < 4; round++) {
    const before = current.nodes.length;
    let changes = 0;
    current = rewrite(current, (node, inputs) => {
      const better = tracedAt(node.site, () => improve(node, inputs));
      if (better !== undefined) changes++;
      return better;
    });
    current = mergeEqual(current);
    if (changes === 0 && current.nodes.length === before) break;
  }
  return current;
}

function improve(node: Node, inputs: readonly Tensor[]): readonly Tensor[] | undefined {
  const output = node.outputs[0];
  const [x, y] = inputs;
  switch (node.op.name) {
    case 'source':
    case 'constant':
    case 'fused':
      return undefined;
    case 'reshape':
      if (sameShape(x.shape, output.shape)) return [x];
      if (x.node.op.name === 'reshape') return [reshape(x.node.inputs[0], output.shape)];
      break;
    case 'transpose':
      if (x.node.op.name === 'transpose') {
        const first = x.node.attrs.permutation as readonly number[];
        const second = node.attrs.permutation as readonly number[];
        return [
          transpose(
            x.node.inputs[0],
            second.map((axis) => first[axis]),
          ),
        ];
      }
      break;
    case 'broadcast':
      if (x.node.op.name === 'broadcast') return [broadcastTo(x.node.inputs[0], output.shape)];
      break;
    case 'mul':
    case 'div':
      if (isScalar(y, 1)) return [x];
      if (node.op.name === 'mul' && isScalar(x, 1)) return [y];
      break;
    case 'add':
    case 'sub':
      if (isScalar(y, 0)) return [x];
      break;
  }
  return fold(node, inputs) ?? lateBroadcast(node, inputs);
}

/** A constant of one repeated value, possibly behind a broadcast. */
function isScalar(tensor: Tensor, value: number): boolean {
  const node = tensor.node.op.name === 'broadcast' ? tensor.node.inputs[0].node : tensor.node;
  if (node.op.name !== 'constant') return false;
  const array = node.attrs.value as NdArray;
  return sizeOf(array.shape) === 1 && array.data[0] === value && array.dtype !== 'float16';
}

function fold(node: Node, inputs: readonly Tensor[]): readonly Tensor[] | undefined {
  if (node.op.name === 'broadcast' || node.op.name === 'iota') return undefined;
  if (!inputs.every((tensor) => tensor.node.op.name === 'constant')) return undefined;
  if (node.outputs.some((output) => sizeOf(output.shape) > LARGEST_FOLDED_CONSTANT)) return undefined;
  const outputs = apply(node.op, inputs, node.attrs, node.site).outputs;
  const graph = graphOf(
    'folded',
    [],
    outputs.map((tensor, i) => ({ name: String(i), tensor })),
  );
  const values = evaluate(graph, () => {
    throw new Error('internal: a constant has no inputs');
  });
  return values.map((value) => constant(storageOf(value)));
}

/** f(broadcast(a), broadcast(b)) = broadcast(f(a, b)) where a and b have one shape or are scalars. */
function lateBroadcast(node: Node, inputs: readonly Tensor[]): readonly Tensor[] | undefined {
  if (!isElementwise(node.op.name)) return undefined;
  const sources = inputs.map((tensor) =>
    tensor.node.op.name === 'broadcast' ? tensor.node.inputs[0] : tensor,
  );
  if (sources.some((source, i) => source === inputs[i])) return undefined;
  const core = sources.find((source) => source.shape.length > 0) ?? sources[0];
  if (!sources.every((source) => source.shape.length === 0 || sameShape(source.shape, core.shape)))
    return undefined;
  const small = sources.map((source) => broadcastTo(source, core.shape));
  const result = apply(node.op, small, node.attrs, node.site).outputs[0];
  return [broadcastTo(result, node.outputs[0].shape)];
}

/** Common sub-expressions become one. */
function mergeEqual(graph: Graph): Graph {
  const numbers = new Map<Tensor, number>();
  const first = new Map<string, Node>();
  const numberOf = (tensor: Tensor): string => {
    let number = numbers.get(tensor);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(tensor, number);
    }
    return String(number);
  };
  const declared = new Set(graph.inputs.map((entry) => entry.tensor.node));
  return rewrite(graph, (node, inputs) => {
    if (declared.has(node)) return undefined;
    const candidate = inputs.every((tensor, i) => tensor === node.inputs[i])
      ? node
      : apply(node.op, inputs, node.attrs, node.site).outputs[0].node;
    const key = keyOfNode(candidate, numberOf);
    const known = first.get(key);
    if (known !== undefined) return known.outputs;
    first.set(key, candidate);
    return candidate.outputs;
  });
}
