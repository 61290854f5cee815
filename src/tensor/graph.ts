/**
 * The program representation: symbolic tensors, nodes, graphs, and how a TypeScript function becomes one.
 *
 * A tensor is a result of a node; a node is a primitive applied to tensors; a graph is the part of that
 * web that some named outputs depend on. Everything is immutable and shapes are static: a program is
 * traced once per shape. There is no hidden builder: applying a primitive makes a node, `trace` collects.
 */

import { DTypeError, NameError, ShapeError } from '../errors.ts';
import { type Aval, type NdArray, sameShape, showAval } from './types.ts';

/** Values an attribute may have. Typed arrays carry constants, graphs the body of a fused operation. */
export type Attr =
  | number
  | string
  | boolean
  | readonly Attr[]
  | { readonly [key: string]: Attr }
  | NdArray
  | Graph;

export type Attrs = Readonly<Record<string, Attr>>;

/** Values in the reference's own arithmetic: floats are 64 bits wide. */
export interface HostArray extends Aval {
  readonly data: Float64Array | Int32Array | Uint8Array;
}

/** One of the small closed set of operations that programs are made of. */
export interface Primitive<A extends Attrs = Attrs> {
  readonly name: string;
  /** Shape rule: the outputs' types, or a `ShapeError` / `DTypeError` naming what does not fit. */
  infer(inputs: readonly Aval[], attrs: A): readonly Aval[];
  /** What the operation means, plainly, in float64. */
  reference(inputs: readonly HostArray[], attrs: A, outputs: readonly Aval[]): readonly HostArray['data'][];
  /** Arithmetic operations of one call (a multiply-add is two). Data movement is 0. */
  flops(inputs: readonly Aval[], outputs: readonly Aval[], attrs: A): number;
  /** For operations that bring their own; those of `primitives/` are in `gradients/`. */
  readonly gradient?: GradientRule;
}

/** Cotangents of a node's inputs from those of its outputs, in tensors: so a gradient has a gradient.
 *
 * @param cotangents  by output; undefined where nothing flows back.
 * @param wanted      whether anyone asks for an input's; the others may be left out.
 * @returns           by input; undefined where the output does not follow the input.
 */
export type GradientRule = (
  node: Node,
  cotangents: readonly (Tensor | undefined)[],
  wanted: (input: number) => boolean,
) => readonly (Tensor | undefined)[];

/** A symbolic tensor: output number `output` of `node`. */
export interface Tensor extends Aval {
  readonly node: Node;
  readonly output: number;
}

export interface Node {
  readonly op: Primitive;
  readonly inputs: readonly Tensor[];
  readonly attrs: Attrs;
  readonly outputs: readonly Tensor[];
  /** Source position where the node was made, `file.ts:12`; empty when unknown. */
  readonly site: string;
}

export interface Graph {
  readonly name: string;
  /** In the order of declaration. An input that no output depends on is still listed. */
  readonly inputs: readonly Named[];
  /** Named tensors that an engine keeps resident: the weights. Only those in use. */
  readonly parameters: readonly Named[];
  readonly outputs: readonly Named[];
  /** Topological order; inputs, parameters and constants included where used. */
  readonly nodes: readonly Node[];
}

export interface Named {
  readonly name: string;
  readonly tensor: Tensor;
}

/** Applies a primitive. Errors carry the primitive's name and the source position.
 *
 * @throws ShapeError, DTypeError from the primitive's shape rule.
 */
export function apply<A extends Attrs>(
  op: Primitive<A>,
  inputs: readonly Tensor[],
  attrs?: A,
  site = callSite(),
): Node {
  const given = (attrs ?? {}) as A;
  let avals: readonly Aval[];
  try {
    avals = op.infer(inputs, given);
  } catch (error) {
    if (error instanceof ShapeError) throw new ShapeError(located(op.name, error.message, site));
    if (error instanceof DTypeError) throw new DTypeError(located(op.name, error.message, site));
    throw error;
  }
  const outputs: Tensor[] = [];
  const node: Node = { op: op as unknown as Primitive, inputs, attrs: given, outputs, site };
  avals.forEach((aval, output) => {
    outputs.push({ node, output, dtype: aval.dtype, shape: aval.shape });
  });
  return node;
}

function located(op: string, message: string, site: string): string {
  return site ? `${op}: ${message} (traced at ${site})` : `${op}: ${message}`;
}

let lentSite: string | undefined;

/** Attributes all nodes that `build` makes to one source position: those of a gradient to the forward's. */
export function tracedAt<T>(site: string, build: () => T): T {
  const before = lentSite;
  lentSite = site;
  try {
    return build();
  } finally {
    lentSite = before;
  }
}

/** First stack frame outside of the tensor room, as `file.ts:12`. */
function callSite(): string {
  if (lentSite !== undefined) return lentSite;
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 12;
  const stack = new Error().stack ?? '';
  Error.stackTraceLimit = limit;
  for (const line of stack.split('\n').slice(1)) {
    if (/[\\/]tensor[\\/](?!.*\.test\.)/.test(line)) continue;
    const match = /([^\\/(]+:\d+):\d+\)?$/.exec(line);
    if (match) return match[1];
  }
  return '';
}

/** Names a source of values: `input` is given at each run, `parameter` once when a graph is compiled. */
export const sourcePrimitive: Primitive<{
  name: string;
  kind: 'input' | 'parameter';
  dtype: string;
  shape: readonly number[];
}> = {
  name: 'source',
  infer: (_inputs, { dtype, shape }) => [{ dtype: dtype as Aval['dtype'], shape }],
  reference: (_inputs, { name }) => {
    throw new NameError(`internal: source "${name}" has no value of its own`);
  },
  flops: () => 0,
};

/** A named input of the program being traced. */
export function input(name: string, aval: Aval): Tensor {
  return apply(sourcePrimitive, [], { name, kind: 'input', dtype: aval.dtype, shape: aval.shape }).outputs[0];
}

/** A named weight. The same name may be asked for again; `trace` refuses two shapes under one name. */
export function parameter(name: string, aval: Aval): Tensor {
  return apply(sourcePrimitive, [], { name, kind: 'parameter', dtype: aval.dtype, shape: aval.shape })
    .outputs[0];
}

/** Runs a function on symbolic inputs and returns the graph of what it computed.
 *
 * @param name     how the graph is called in texts and errors.
 * @param inputs   types of the inputs, by name.
 * @param program  pure function of symbolic tensors; weights come from `parameter`.
 */
export function trace<K extends string>(
  name: string,
  inputs: Readonly<Record<K, Aval>>,
  program: (inputs: Readonly<Record<K, Tensor>>) => Readonly<Record<string, Tensor>>,
): Graph {
  const symbols = {} as Record<K, Tensor>;
  const declared: Named[] = [];
  for (const key of Object.keys(inputs) as K[]) {
    symbols[key] = input(key, inputs[key]);
    declared.push({ name: key, tensor: symbols[key] });
  }
  const outputs = Object.entries(program(symbols)).map(([key, tensor]) => ({ name: key, tensor }));
  return graphOf(name, declared, outputs);
}

/** Collects the graph that the outputs depend on, in topological order. */
export function graphOf(name: string, inputs: readonly Named[], outputs: readonly Named[]): Graph {
  const nodes = topological(outputs.map((output) => output.tensor));
  const declared = new Map(inputs.map((entry) => [entry.name, entry.tensor]));
  const parameters = new Map<string, Tensor>();
  for (const node of nodes) {
    if (node.op.name !== 'source') continue;
    const { name: sourceName, kind } = node.attrs as { name: string; kind: string };
    const tensor = node.outputs[0];
    const known = kind === 'input' ? declared.get(sourceName) : parameters.get(sourceName);
    if (kind === 'input' && known === undefined) {
      throw new NameError(`trace: input "${sourceName}" is used but not declared in graph "${name}"`);
    }
    if (known !== undefined && (known.dtype !== tensor.dtype || !sameShape(known.shape, tensor.shape))) {
      throw new ShapeError(
        `trace: ${kind} "${sourceName}" is ${showAval(known)} in one place and ${showAval(tensor)} in another`,
      );
    }
    if (kind === 'parameter' && known === undefined) parameters.set(sourceName, tensor);
  }
  return {
    name,
    inputs,
    parameters: [...parameters].map(([parameterName, tensor]) => ({ name: parameterName, tensor })),
    outputs,
    nodes,
  };
}

/** Nodes that the tensors depend on, each after its inputs. Iterative: graphs can be deep.
 *
 * @param until  tensors whose own origin is of no interest.
 */
export function topological(tensors: readonly Tensor[], until?: (tensor: Tensor) => boolean): Node[] {
  const order: Node[] = [];
  const done = new Set<Node>();
  const stack: { node: Node; next: number }[] = [];
  for (const tensor of tensors) {
    if (done.has(tensor.node) || until?.(tensor)) continue;
    stack.push({ node: tensor.node, next: 0 });
    done.add(tensor.node);
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.next < top.node.inputs.length) {
        const input = top.node.inputs[top.next++];
        const child = input.node;
        if (!done.has(child) && !until?.(input)) {
          done.add(child);
          stack.push({ node: child, next: 0 });
        }
      } else {
        order.push(top.node);
        stack.pop();
      }
    }
  }
  return order;
}

/** True for an attribute that is a graph. */
export function isGraph(attr: Attr | undefined): attr is Graph {
  return typeof attr === 'object' && attr !== null && 'nodes' in attr && 'outputs' in attr;
}

/** Rebuilds a graph: `replace` gives each node's new outputs from its new inputs, or undefined to keep it. */
export function rewrite(
  graph: Graph,
  replace: (node: Node, inputs: readonly Tensor[]) => readonly Tensor[] | undefined,
): Graph {
  const mapped = new Map<Tensor, Tensor>();
  const lookup = (tensor: Tensor): Tensor => mapped.get(tensor) ?? tensor;
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(lookup);
    const unchanged = inputs.every((tensor, i) => tensor === node.inputs[i]);
    const outputs =
      replace(node, inputs) ??
      (unchanged ? node.outputs : apply(node.op, inputs, node.attrs, node.site).outputs);
    node.outputs.forEach((tensor, i) => {
      if (outputs[i] !== tensor) mapped.set(tensor, outputs[i]);
    });
  }
  return graphOf(
    graph.name,
    graph.inputs.map((entry) => ({ name: entry.name, tensor: lookup(entry.tensor) })),
    graph.outputs.map((entry) => ({ name: entry.name, tensor: lookup(entry.tensor) })),
  );
}

/** Puts a graph's computation in place, its inputs replaced by the given tensors. */
export function inline(graph: Graph, inputs: readonly Tensor[]): readonly Tensor[] {
  const mapped = new Map<Tensor, Tensor>();
  const bindings = new Map(graph.inputs.map((entry, i) => [entry.name, inputs[i]]));
  for (const node of graph.nodes) {
    if (node.op.name === 'source' && node.attrs.kind === 'input') {
      mapped.set(node.outputs[0], bindings.get(node.attrs.name as string)!);
      continue;
    }
    const newInputs = node.inputs.map((tensor) => mapped.get(tensor) ?? tensor);
    const unchanged = newInputs.every((tensor, i) => tensor === node.inputs[i]);
    const outputs = unchanged ? node.outputs : apply(node.op, newInputs, node.attrs, node.site).outputs;
    node.outputs.forEach((tensor, i) => {
      mapped.set(tensor, outputs[i]);
    });
  }
  return graph.outputs.map((entry) => mapped.get(entry.tensor) ?? entry.tensor);
}
