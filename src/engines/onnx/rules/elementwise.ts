/** Elementwise operations: operands are taken before their broadcasts, which ONNX does by itself. */

import { type DType, type Node, type Shape, sameShape } from '../../../tensor/index.ts';
import { broadcastShapes } from '../../../tensor/primitives/common.ts';
import type { Lowering, Rule, Rules, Value } from '../lowering.ts';
import { ELEMENT_TYPE } from '../model.ts';

/** A type that onnxruntime implements everywhere and that holds all values of the given one. */
export function carrierOf(dtype: DType): 'float32' | 'int32' {
  return dtype === 'float32' || dtype === 'float16' ? 'float32' : 'int32';
}

/** Writes on the unexpanded operands and expands the result if they leave an axis open. */
export function broadcasting(
  write: (operands: readonly string[], node: Node, lowering: Lowering) => string,
): Rule {
  return (node, lowering) => {
    const operands = node.inputs.map((tensor) => lowering.unexpanded(tensor));
    const result = write(
      operands.map(({ name }) => name),
      node,
      lowering,
    );
    return [completed(result, operands, node.outputs[0].shape, lowering)];
  };
}

function completed(name: string, operands: readonly Value[], shape: Shape, lowering: Lowering): string {
  const reached = operands.reduce<Shape>((total, operand) => broadcastShapes(total, operand.shape), []);
  return sameShape(reached, shape) ? name : lowering.expand(name, shape);
}

function direct(type: string): Rule {
  return broadcasting((operands, _node, lowering) => lowering.emit(type, operands));
}

/** ONNX's integer division traps at 0 in some builds: divide exactly in float64, and give 0 as we define. */
const divide = broadcasting(([x, y], node, lowering) => {
  if (node.outputs[0].dtype !== 'int32') return lowering.emit('Div', [x, y]);
  const isZero = lowering.emit('Equal', [y, lowering.scalar('int32', 0)]);
  const divisor = lowering.emit('Where', [isZero, lowering.scalar('int32', 1), y]);
  const wide = [x, divisor].map((name) => lowering.emit('Cast', [name], { to: ELEMENT_TYPE.float64 }));
  const quotient = lowering.emit('Cast', [lowering.emit('Div', wide)], { to: ELEMENT_TYPE.int32 });
  return lowering.emit('Where', [isZero, lowering.scalar('int32', 0), quotient]);
});

/** onnxruntime selects neither bool nor float16: those go through int32 and float32. */
const where = broadcasting(([condition, x, y], node, lowering) => {
  const { dtype } = node.outputs[0];
  const carrier = carrierOf(dtype);
  if (carrier === dtype) return lowering.emit('Where', [condition, x, y]);
  const carried = [x, y].map((name) => lowering.emit('Cast', [name], { to: ELEMENT_TYPE[carrier] }));
  return lowering.emit('Cast', [lowering.emit('Where', [condition, ...carried])], {
    to: ELEMENT_TYPE[dtype],
  });
});

const cast: Rule = (node, lowering) => {
  const to = ELEMENT_TYPE[node.outputs[0].dtype];
  return [lowering.emit('Cast', [lowering.value(node.inputs[0])], { to })];
};

export const elementwiseRules: Rules = {
  cast,
  neg: direct('Neg'),
  exp: direct('Exp'),
  log: direct('Log'),
  sqrt: direct('Sqrt'),
  abs: direct('Abs'),
  sign: direct('Sign'),
  floor: direct('Floor'),
  sin: direct('Sin'),
  cos: direct('Cos'),
  tanh: direct('Tanh'),
  not: direct('Not'),
  add: direct('Add'),
  sub: direct('Sub'),
  mul: direct('Mul'),
  div: divide,
  pow: direct('Pow'),
  maximum: direct('Max'),
  minimum: direct('Min'),
  equal: direct('Equal'),
  less: direct('Less'),
  lessEqual: direct('LessOrEqual'),
  and: direct('And'),
  or: direct('Or'),
  where,
};
