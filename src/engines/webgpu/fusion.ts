/**
 * Which values lie in memory: the results of kernels and reductions, and those elementwise ones that several shaders
 * read or that would be computed over and over; everything else is an expression inside of the shader that reads it.
 */

import { type Graph, type Node, sizeOf, type Tensor } from '../../tensor/index.ts';
import { baseOf } from './expression.ts';
import { ELEMENTWISE } from './operations.ts';

const MOVES: ReadonlySet<string> = new Set([
  ...['reshape', 'after', 'broadcast', 'transpose', 'slice', 'pad', 'reverse', 'iota', 'gather', 'concat'],
]);

const REDUCTIONS: ReadonlySet<string> = new Set(['reduceSum', 'reduceMax', 'reduceMin']);

/** More parts than this are copied to their places one by one. */
const MOST_PARTS = 4;
/** An element that is computed so often in one shader is stored instead. */
const MOST_TIMES = 9;
/** Operations in one shader. */
const MOST_OPERATIONS = 160;

const COSTS: Readonly<Record<string, number>> = {
  exp: 8,
  log: 8,
  pow: 16,
  tanh: 8,
  sin: 8,
  cos: 8,
  sqrt: 4,
  div: 4,
};

export interface Limits {
  /** Values that one shader may read. */
  readonly reads: number;
  /** What a node that is neither an expression nor a reduction reads. */
  readonly operandsOf: (node: Node) => readonly Tensor[];
}

/** Computed inside of the shader that needs it, unless it is stored. */
export function isExpression(node: Node): boolean {
  if (node.op.name === 'concat') {
    return node.inputs.filter(({ shape }) => sizeOf(shape) > 0).length <= MOST_PARTS;
  }
  return ELEMENTWISE.has(node.op.name) || MOVES.has(node.op.name);
}

/** Its input may be an expression. */
export function isReduction(node: Node): boolean {
  return REDUCTIONS.has(node.op.name);
}

/** A constant that is written into shaders as a number. */
export function isLiteral({ node, shape }: Tensor): boolean {
  return node.op.name === 'constant' && sizeOf(shape) === 1;
}

function isMove({ op }: Node): boolean {
  return MOVES.has(op.name);
}

/** Moves that leave an element's number as it is. */
function isAlias({ op }: Node): boolean {
  return op.name === 'reshape' || op.name === 'after';
}

/** Tensors that lie in memory, aliases looked through. */
export function storedTensors(graph: Graph, { reads, operandsOf }: Limits): ReadonlySet<Tensor> {
  const stored = new Set<Tensor>();
  for (const node of graph.nodes) {
    if (!isExpression(node)) for (const tensor of node.outputs) if (!isLiteral(tensor)) stored.add(tensor);
    if (!isExpression(node) && !isReduction(node)) {
      for (const tensor of operandsOf(node)) if (!isLiteral(baseOf(tensor))) stored.add(baseOf(tensor));
    }
  }
  for (const { tensor } of graph.outputs) stored.add(baseOf(tensor));
  addShared(graph, stored, operandsOf);
  for (const node of graph.nodes) {
    const isRoot = isReduction(node) || (isExpression(node) && stored.has(node.outputs[0]));
    if (isRoot && !isAlias(node)) split(node, stored, reads);
  }
  return stored;
}

/** How a tensor is reached from those that read it. */
interface Reach {
  /** The shaders it is part of. */
  readonly roots: Set<Tensor>;
  /** How often it is computed there for one element. */
  times: number;
}

function addShared(graph: Graph, stored: Set<Tensor>, operandsOf: Limits['operandsOf']): void {
  const costs = new Map<Tensor, number>();
  const costOf = (tensor: Tensor): number => costs.get(tensor) ?? 0;
  const readers = new Map<Tensor, Node[]>();
  for (const node of graph.nodes) {
    for (const tensor of new Set(isExpression(node) || isReduction(node) ? node.inputs : operandsOf(node))) {
      const known = readers.get(tensor);
      if (known === undefined) readers.set(tensor, [node]);
      else known.push(node);
    }
    if (!isExpression(node)) continue;
    const own = isMove(node) ? 0 : (COSTS[node.op.name] ?? 1);
    const below = node.inputs.reduce((sum, tensor) => sum + costOf(tensor), 0);
    costs.set(node.outputs[0], Math.min(1000, own + below));
  }
  const reaches = new Map<Tensor, Reach>();
  for (const node of [...graph.nodes].reverse()) {
    if (!isExpression(node)) continue;
    const [tensor] = node.outputs;
    const reach: Reach = { roots: new Set(), times: 0 };
    let straight = 0;
    for (const reader of readers.get(tensor) ?? []) {
      const [result] = reader.outputs;
      if (!isExpression(reader) || stored.has(result)) {
        reach.roots.add(result);
        if (isMove(reader) && !isAlias(reader)) reach.times++;
        else straight = Math.max(straight, 1);
        continue;
      }
      const next = reaches.get(result)!;
      for (const root of next.roots) reach.roots.add(root);
      const isTurned = isMove(reader) && !isAlias(reader);
      if (isTurned) reach.times += next.times;
      else straight = Math.max(straight, next.times);
    }
    reach.times += straight;
    reaches.set(tensor, reach);
    if (stored.has(baseOf(tensor)) || isAlias(node) || node.op.name === 'constant') continue;
    const cost = costOf(tensor);
    const isShared = !isMove(node) && reach.roots.size > 1 && cost > 2;
    const isRepeated = (!isMove(node) && reach.times >= 2 && cost >= 6) || reach.times >= MOST_TIMES;
    if (!isShared && !isRepeated) continue;
    stored.add(tensor);
    reaches.set(tensor, { roots: new Set([tensor]), times: 1 });
  }
}

/** Stores parts of an expression until each shader reads and computes no more than it may. */
function split(root: Node, stored: Set<Tensor>, reads: number): void {
  for (;;) {
    const whole = partOf(root.inputs, stored);
    if (whole.leaves.size <= reads && whole.inner.length <= MOST_OPERATIONS) return;
    // The largest part that fits on its own; a move, which costs nothing but memory, where there is no other.
    let best: Tensor | undefined;
    let most = 0;
    for (const moves of [false, true]) {
      for (const tensor of whole.inner) {
        if (isMove(tensor.node) !== moves) continue;
        const { leaves, inner } = partOf(tensor.node.inputs, stored);
        const gain = leaves.size + inner.length / MOST_OPERATIONS;
        if (leaves.size > reads || inner.length >= MOST_OPERATIONS || gain <= most) continue;
        // What takes no value away is stored for its size alone.
        if (leaves.size <= 1 && whole.leaves.size > reads) continue;
        most = gain;
        best = tensor;
      }
      if (best !== undefined) break;
    }
    if (best === undefined) return;
    stored.add(best);
  }
}

/** Stored values that an expression reads, and the expressions inside of it. */
function partOf(
  tensors: readonly Tensor[],
  stored: ReadonlySet<Tensor>,
): { leaves: Set<Tensor>; inner: Tensor[] } {
  const leaves = new Set<Tensor>();
  const inner = new Set<Tensor>();
  const pending = [...tensors];
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    const base = baseOf(tensor);
    if (isLiteral(base) || inner.has(base) || sizeOf(base.shape) === 0) continue;
    if (stored.has(base)) leaves.add(base);
    else {
      inner.add(base);
      pending.push(...base.node.inputs);
    }
  }
  return { leaves, inner: [...inner] };
}
