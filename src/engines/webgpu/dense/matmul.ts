/** Matrix products, with operands that may be given transposed or without their batch. */

import { type Node, sizeOf, type Tensor } from '../../../tensor/index.ts';
import type { Kernel, KernelCall, Planning } from '../kernel.ts';
import { addProduct, callBuilder, cutFor, type DenseChoice, finished, outputOf } from './call.ts';
import { plainMatmul } from './plain.ts';
import { matrixSink } from './sink.ts';
import { type Matrix, matrixSource } from './source.ts';
import { isThin, thinDispatch } from './thin.ts';

/** An operand as its buffer holds it. */
export interface ProductOperand {
  /** Whose buffer it is: its storage counts, its shape does not. */
  readonly tensor: Tensor;
  /** The last two axes are the other way round in the buffer. */
  readonly transposed?: boolean;
  /** The buffer holds one matrix that all products of the batch take. */
  readonly shared?: boolean;
}

/** Products smaller than this are made by one thread a result, without tiles. */
const FEW_RESULTS = 64;
const FEW_TERMS = 32;

/** How to run a `matmul`.
 *
 * @param operands  as they lie in memory: an engine that leaves out a transposition or a broadcast in front of the
 *                  product gives their inputs here, and binds those; the node's inputs where left out.
 */
export function planMatmul(
  node: Node,
  planning: Planning,
  operands: readonly [ProductOperand, ProductOperand] = [
    { tensor: node.inputs[0] },
    { tensor: node.inputs[1] },
  ],
  choice: DenseChoice = {},
): KernelCall {
  const call = callBuilder(planning);
  const { shape } = node.outputs[0];
  const [rows, columns] = shape.slice(-2);
  const depth = node.inputs[0].shape[shape.length - 1];
  const batch = sizeOf(shape.slice(0, -2));
  if (rows * columns * batch === 0) return finished(call);
  const [left, right] = operands;
  const joined = right.shared === true && left.transposed !== true && left.shared !== true;
  const size = joined ? { rows: rows * batch, columns, depth, batch: 1 } : { rows, columns, depth, batch };
  const matrix = (name: 'a' | 'b', lines: number, { tensor, transposed, shared }: ProductOperand): Matrix => {
    const alongDepth = (name === 'a') !== (transposed === true);
    return {
      name,
      at: { input: name === 'a' ? 0 : 1 },
      storage: planning.storageOf(tensor),
      lines,
      depths: depth,
      lineStride: alongDepth ? depth : 1,
      depthStride: alongDepth ? 1 : lines,
      batchStride: shared ? 0 : lines * depth,
    };
  };
  const a = matrix('a', size.rows, left);
  const b = matrix('b', columns, right);
  const to = outputOf(node, planning);
  if (choice.cut === undefined && rows * columns <= FEW_RESULTS && depth <= FEW_TERMS && batch > 1) {
    call.dispatches.push(plainMatmul(a, b, size, to, planning));
    return finished(call);
  }
  const label = `matmul ${batch} x ${rows} x ${depth} x ${columns}`;
  if (choice.cut === undefined && isThin(size)) {
    call.dispatches.push(thinDispatch(label, a, b, size, to, planning));
    return finished(call);
  }
  const cut = cutFor(call, size, choice);
  addProduct(call, {
    label,
    shape: size,
    a: matrixSource(a, cut.tile.rows, cut.tile.depth),
    b: matrixSource(b, cut.tile.columns, cut.tile.depth),
    sink: matrixSink(to.at, to.storage, size.rows, columns),
    cut,
  });
  return finished(call);
}

/** An operand with a transposition, or a broadcast of one matrix over the batch, looked through. */
function operandOf(given: Tensor): ProductOperand {
  let tensor = given;
  let transposed = false;
  let shared = false;
  for (;;) {
    const { op, inputs, attrs } = tensor.node;
    const [source] = inputs;
    if (op.name === 'transpose' && swapsLastTwo(attrs.permutation as readonly number[]))
      transposed = !transposed;
    else if (op.name === 'broadcast' && !shared && isOneMatrix(source, tensor)) shared = true;
    else return { tensor, transposed, shared };
    tensor = source;
  }
}

function swapsLastTwo(permutation: readonly number[]): boolean {
  const rank = permutation.length;
  return permutation.every((axis, i) => axis === (i < rank - 2 ? i : 2 * rank - 3 - i));
}

function isOneMatrix({ shape }: Tensor, { shape: whole }: Tensor): boolean {
  const isSame = shape.length >= 2 && whole.slice(-2).every((extent, i) => extent === shape.at(i - 2));
  return isSame && sizeOf(shape.slice(0, -2)) === 1 && sizeOf(whole.slice(0, -2)) > 1;
}

const operandsOf = ({ inputs: [a, b] }: Node): readonly [ProductOperand, ProductOperand] => [
  operandOf(a),
  operandOf(b),
];

export const matmulKernel: Kernel = {
  name: 'matmul',
  reads: (node) => operandsOf(node).map(({ tensor }) => tensor),
  plan: (node, planning) => planMatmul(node, planning, operandsOf(node)),
};
