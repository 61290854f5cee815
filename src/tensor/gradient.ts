/**
 * Reverse accumulation over a traced graph (Linnainmaa 1970; graph to graph as in Theano and JAX).
 *
 * Works on tensors while a program is traced: what comes out are tensors like any others, so the gradient of a
 * gradient is the same code again, and an engine sees one graph without knowing which part of it is a gradient.
 * Everything is static: nothing is recorded at run time, and what nobody asks for is never built.
 */

import { DTypeError, GradientError, ShapeError } from '../errors.ts';
import type { FusedAttrs } from './fused.ts';
import { allGradients } from './gradients/all.ts';
import { type Graph, inline, type Node, type Tensor, topological, tracedAt } from './graph.ts';
import { add } from './primitives/add.ts';
import { after } from './primitives/after.ts';
import { broadcastTo } from './primitives/broadcast.ts';
import { constant } from './primitives/constant.ts';
import { sameShape, showAval } from './types.ts';

/** Gradients of a value with respect to tensors it was computed from.
 *
 * The derivative is total: where one of `wrt` was computed from another, the other's gradient includes that way.
 *
 * @param value      a scalar, or any float tensor together with a cotangent.
 * @param wrt        float tensors; a weight stands for all uses of its name.
 * @param cotangent  of the value's shape: the gradient is that of `sum(value * cotangent)`.
 * @returns          one for each of `wrt`: undefined where the value does not depend on it (or only behind
 *                   `stopGradient`), zeros where it depends on it through steps alone (a comparison, a floor).
 * @throws ShapeError for a value that is no scalar and has no cotangent, or one of another shape.
 * @throws DTypeError when the value or one of `wrt` is not float.
 * @throws GradientError for an operation on the way that has no gradient, naming it and where it was traced.
 */
export function grad(
  value: Tensor,
  wrt: readonly Tensor[],
  cotangent?: Tensor,
): readonly (Tensor | undefined)[] {
  if (value.dtype !== 'float32')
    throw new DTypeError(`grad: the value is ${showAval(value)}${madeAt(value)}`);
  wrt.forEach((tensor, i) => {
    if (!hasSlope(tensor)) {
      throw new DTypeError(
        `grad: tensor ${i} of those asked for is ${showAval(tensor)}: only floats have gradients`,
      );
    }
  });
  const found = accumulate([[value, seedOf(value, cotangent)]], wrt, false);
  return wrt.map((tensor, i) => (found[i] === 'flat' ? zerosLike(tensor) : found[i]));
}

/** A scalar program's value, with the gradients of it.
 *
 * @param program  gives the value first; what else it gives is handed through.
 */
export function valueAndGrad<R extends { readonly value: Tensor }>(
  program: () => R,
  wrt: readonly Tensor[],
): R & { readonly gradients: readonly (Tensor | undefined)[] } {
  const result = program();
  return { ...result, gradients: grad(result.value, wrt) };
}

/** A tensor, or 'flat': there is a way from the input to the value, but every way has a step on it. */
type Cotangent = Tensor | 'flat';

/** Sums of cotangents at `leaves`, from the seeds backwards.
 *
 * @param closed  leaves are given values: nothing goes further back through them.
 */
function accumulate(
  seeds: readonly (readonly [Tensor, Cotangent])[],
  leaves: readonly Tensor[],
  closed: boolean,
): (Cotangent | undefined)[] {
  const canonical = namesOf(leaves);
  const leafSet = new Set(leaves.map(canonical));
  const isLeaf = (tensor: Tensor): boolean => leafSet.has(canonical(tensor));
  const order = topological(
    seeds.map(([tensor]) => tensor),
    closed ? isLeaf : undefined,
  );
  const onTheWay = new Set<Node>();
  const leads = (tensor: Tensor): boolean => isLeaf(tensor) || onTheWay.has(tensor.node);
  for (const node of order) {
    if (node.inputs.some((tensor, i) => follows(node, i) && leads(tensor))) onTheWay.add(node);
  }

  const cotangents = new Map<Tensor, Cotangent>();
  const receive = (tensor: Tensor, given: Cotangent): void => {
    const at = canonical(tensor);
    cotangents.set(at, sum(cotangents.get(at), given));
  };
  for (const [tensor, seed] of seeds) receive(tensor, seed);
  for (const node of order.reverse()) {
    if (!onTheWay.has(node)) continue;
    const given = node.outputs.map((tensor) =>
      closed && isLeaf(tensor) ? undefined : cotangents.get(tensor),
    );
    if (given.every((cotangent) => cotangent === undefined)) continue;
    const wanted = (i: number): boolean => follows(node, i) && leads(node.inputs[i]);
    tracedAt(node.site, () => backwards(node, given, wanted)).forEach((cotangent, i) => {
      if (cotangent !== undefined && wanted(i)) receive(node.inputs[i], cotangent);
    });
  }
  return leaves.map((tensor) => cotangents.get(canonical(tensor)));
}

/** Weights of one name are one leaf, however often they were asked for. */
function namesOf(leaves: readonly Tensor[]): (tensor: Tensor) => Tensor {
  const named = new Map<string, Tensor>();
  const nameOf = ({ node }: Tensor): string | undefined =>
    node.op.name === 'source' ? `${node.attrs.kind} ${node.attrs.name}` : undefined;
  for (const leaf of leaves) {
    const name = nameOf(leaf);
    if (name !== undefined && !named.has(name)) named.set(name, leaf);
  }
  return (tensor) => {
    const name = nameOf(tensor);
    return name === undefined ? tensor : (named.get(name) ?? tensor);
  };
}

/** Whether a node's outputs depend on its input as far as gradients go. */
function follows(node: Node, input: number): boolean {
  return node.op.name !== 'stopGradient' && !(node.op.name === 'after' && input === 1);
}

function backwards(
  node: Node,
  given: readonly (Cotangent | undefined)[],
  wanted: (input: number) => boolean,
): readonly (Cotangent | undefined)[] {
  const rule = node.op.gradient ?? allGradients[node.op.name];
  if (rule === undefined && node.op.name === 'fused') return throughBody(node, given, wanted);
  const tensors = given.map((cotangent) => (cotangent === 'flat' ? undefined : cotangent));
  if (tensors.every((cotangent) => cotangent === undefined)) return node.inputs.map(() => 'flat');
  if (rule === undefined) {
    throw new GradientError(
      `grad: the operation "${node.op.name}" has no gradient${madeAt(node.outputs[0])}`,
    );
  }
  const found = rule(node, tensors, (i) => wanted(i) && hasSlope(node.inputs[i]));
  return node.inputs.map((input, i) => {
    const cotangent = found[i];
    if (cotangent === undefined || !hasSlope(input)) return 'flat';
    if (cotangent.dtype !== 'float32' || !sameShape(cotangent.shape, input.shape)) {
      throw new GradientError(
        `internal: the gradient of "${node.op.name}" in input ${i} is ${showAval(cotangent)} for ${showAval(input)}`,
      );
    }
    return cotangent;
  });
}

/** A fused operation without a gradient of its own: through its definition. */
function throughBody(
  node: Node,
  given: readonly (Cotangent | undefined)[],
  wanted: (input: number) => boolean,
): readonly (Cotangent | undefined)[] {
  const signal = given.find((cotangent) => cotangent !== undefined && cotangent !== 'flat');
  const again = (node.attrs as FusedAttrs).rematerialise === true && signal !== undefined;
  const inputs = again
    ? node.inputs.map((tensor) => (isWeight(tensor) ? tensor : after(tensor, signal as Tensor)))
    : node.inputs;
  const outputs = inline(node.attrs.body as Graph, inputs);
  const seeds = outputs.flatMap((tensor, i) => {
    const seed = given[i];
    return seed === undefined ? [] : [[tensor, seed] as const];
  });
  // An input that is given twice is one leaf.
  const leaves = [...new Set(inputs.filter((_, i) => wanted(i)))];
  const found = accumulate(seeds, leaves, true);
  return inputs.map((tensor, i) =>
    inputs.indexOf(tensor) === i ? found[leaves.indexOf(tensor)] : undefined,
  );
}

/** Weights are there from the beginning to the end in any case. */
function isWeight({ node }: Tensor): boolean {
  return node.op.name === 'source' && node.attrs.kind === 'parameter';
}

function sum(a: Cotangent | undefined, b: Cotangent): Cotangent {
  if (a === undefined || a === 'flat') return b;
  return b === 'flat' ? a : add(a, b);
}

function seedOf(value: Tensor, cotangent: Tensor | undefined): Tensor {
  if (cotangent === undefined) {
    if (value.shape.length === 0) return constant(1);
    throw new ShapeError(
      `grad: the value is ${showAval(value)}, not a scalar${madeAt(value)}: sum it, or give a cotangent of its shape`,
    );
  }
  if (cotangent.dtype !== value.dtype || !sameShape(cotangent.shape, value.shape)) {
    throw new ShapeError(
      `grad: the cotangent is ${showAval(cotangent)} but the value is ${showAval(value)}${madeAt(value)}`,
    );
  }
  return cotangent;
}

function hasSlope({ dtype }: Tensor): boolean {
  return dtype === 'float32' || dtype === 'float16';
}

function zerosLike({ shape }: Tensor): Tensor {
  return broadcastTo(constant(0), shape);
}

function madeAt({ node }: Tensor): string {
  return node.site ? ` (traced at ${node.site})` : '';
}
