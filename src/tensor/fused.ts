/**
 * Fused operations: a named sub-graph that an engine may run by a kernel of its own.
 *
 * The body is the definition: an engine without a kernel of that name runs it, and tests hold kernels to it.
 */

import { NameError } from '../errors.ts';
import {
  type Attrs,
  apply,
  type GradientRule,
  type Graph,
  inline,
  type Primitive,
  rewrite,
  type Tensor,
  trace,
} from './graph.ts';
import { type Aval, sameShape, showAval } from './types.ts';

export type FusedAttrs = {
  name: string;
  options: Attrs;
  body: Graph;
  /** A gradient through the body starts from its inputs again: nothing inside is kept for it. */
  rematerialise?: boolean;
};

export const fusedPrimitive: Primitive<FusedAttrs> = {
  name: 'fused',
  infer: (inputs, { name, body }) => {
    body.inputs.forEach(({ tensor }, i) => {
      const given = inputs[i];
      if (given === undefined || given.dtype !== tensor.dtype || !sameShape(given.shape, tensor.shape)) {
        throw new NameError(`internal: fused ${name} was traced for ${showAval(tensor)}`);
      }
    });
    return body.outputs.map(({ tensor }) => ({ dtype: tensor.dtype, shape: tensor.shape }));
  },
  reference: (_inputs, { name }) => {
    throw new NameError(`internal: fused ${name} must be expanded before the reference runs it`);
  },
  flops: (_inputs, _outputs, { body }) =>
    body.nodes.reduce((total, node) => total + node.op.flops(node.inputs, node.outputs, node.attrs), 0),
};

/** A gradient that is better than that of the definition: cotangents of the inputs, by name. What is left out
 * does not follow its input. Tests hold it to the definition's.
 */
export type FusedGradient<K extends string> = (known: {
  readonly inputs: Readonly<Record<K, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** By output; undefined where nothing flows back. */
  readonly cotangents: Readonly<Record<string, Tensor | undefined>>;
  /** Whether anybody asks for this input's; those of others may be left out. */
  readonly wanted: (name: K) => boolean;
}) => Readonly<Partial<Record<K, Tensor>>>;

/** Makes one node of a computation.
 *
 * @param name        what kernels are registered under.
 * @param options     everything a kernel must know beside its inputs' shapes.
 * @param inputs      the only tensors the definition may depend on (no parameters inside).
 * @param definition  the meaning, in primitives.
 * @param gradient    left out: the gradient of the definition.
 */
export function fused<K extends string>(
  name: string,
  options: Attrs,
  inputs: Readonly<Record<K, Tensor>>,
  definition: (inputs: Readonly<Record<K, Tensor>>) => Readonly<Record<string, Tensor>>,
  gradient?: FusedGradient<K>,
): readonly Tensor[] {
  const body = trace(name, inputs as Readonly<Record<K, Aval>>, definition);
  if (body.parameters.length > 0) {
    throw new NameError(
      `internal: fused ${name} uses parameter "${body.parameters[0].name}": pass it as an input`,
    );
  }
  const op =
    gradient === undefined ? fusedPrimitive : { ...fusedPrimitive, gradient: byName(body, gradient) };
  return apply(op, Object.values(inputs) as Tensor[], { name, options, body }).outputs;
}

function byName<K extends string>({ inputs, outputs }: Graph, gradient: FusedGradient<K>): GradientRule {
  const named = <T>(list: Graph['inputs'], values: readonly T[]): Record<string, T> =>
    Object.fromEntries(list.map(({ name }, i) => [name, values[i]]));
  return (node, cotangents, wanted) => {
    const found: Readonly<Record<string, Tensor | undefined>> = gradient({
      inputs: named(inputs, node.inputs) as Record<K, Tensor>,
      outputs: named(outputs, node.outputs),
      cotangents: named(outputs, cotangents),
      wanted: (name) => wanted(inputs.findIndex((input) => input.name === name)),
    });
    return inputs.map(({ name }) => found[name]);
  };
}

/** Replaces fused nodes by their definitions, but for those that `keep` accepts. */
export function expandFused(graph: Graph, keep: (name: string) => boolean = () => false): Graph {
  let current = graph;
  for (;;) {
    let expanded = 0;
    current = rewrite(current, (node, inputs) => {
      if (node.op.name !== 'fused' || keep(node.attrs.name as string)) return undefined;
      expanded++;
      return inline(node.attrs.body as Graph, inputs);
    });
    if (expanded === 0) return current;
  }
}
