/** Shaders of expressions: elementwise results, and parts put side by side. */

import { type Aval, type Node, sizeOf, type Tensor } from '../../tensor/index.ts';
import { splitAt } from '../../tensor/primitives/common.ts';
import { nodeLabel } from '../node-label.ts';
import { baseOf, createEmitter, type Emitter } from './expression.ts';
import { type Storage, spread } from './kernel.ts';
import { helperCode } from './operations.ts';

/** What a draft reads or writes: a tensor, or scratch memory of its own. */
export type Place = { readonly tensor: Tensor } | { readonly scratch: number } | 'faults';

export interface DraftBound {
  readonly name: string;
  readonly place: Place;
  readonly type: string;
  readonly write?: boolean;
}

/** A dispatch before its values have buffers. */
export interface Draft {
  readonly label: string;
  readonly code: string;
  readonly bound: readonly DraftBound[];
  readonly groups: readonly [number, number, number];
  readonly cleared?: readonly Place[];
  /** Bytes of scratch buffers, by number; named by the first draft of a call. */
  readonly scratch?: readonly number[];
}

export interface DraftContext {
  isStored(tensor: Tensor): boolean;
  storageOf(tensor: Tensor): Storage;
  /** Number of the report for an index out of range at this node. */
  faultOf(node: Node): number;
  readonly mostGroups: number;
  /** Invocations of a workgroup: a power of two. */
  readonly width: number;
}

/** Reads of an expression, and the buffers that they need. */
export function reading(context: DraftContext): { emitter: Emitter; bound: DraftBound[] } {
  const bound: DraftBound[] = [];
  const names = new Map<Tensor, string>();
  const emitter = createEmitter({
    load: (tensor, index) => {
      if (!context.isStored(tensor)) return undefined;
      let name = names.get(tensor);
      if (name === undefined) {
        name = `x${names.size}`;
        names.set(tensor, name);
        bound.push({ name, place: { tensor }, type: context.storageOf(tensor) });
      }
      return loaded(`${name}[${index}]`, context.storageOf(tensor), tensor);
    },
    fault: (node) => {
      if (!bound.some(({ place }) => place === 'faults')) {
        bound.push({ name: 'faults', place: 'faults', type: 'atomic<u32>', write: true });
      }
      return `atomicMax(&faults[${context.faultOf(node)}], 1u);`;
    },
  });
  return { emitter, bound };
}

function loaded(element: string, storage: Storage, { dtype }: Aval): string {
  if (dtype === 'bool') return `${element} != 0u`;
  return storage === 'f16' ? `f32(${element})` : element;
}

export function storable(value: string, storage: Storage, { dtype }: Aval): string {
  if (dtype === 'bool') return `select(0u, 1u, ${value})`;
  return storage === 'f16' && dtype !== 'float16'
    ? `f16(clamp(${value}, -65504.0, 65504.0))`
    : storage === 'f16'
      ? `f16(${value})`
      : value;
}

const BUILTINS =
  '@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32';

export const shader = (
  width: number,
  parts: { helpers: string; before?: string; body: readonly string[] },
): string =>
  [
    parts.helpers,
    parts.before ?? '',
    `@compute @workgroup_size(${width})\nfn main(${BUILTINS}) {`,
    ...parts.body,
    '}',
  ].join('\n');

/** One stored result of an expression: a thread an element. */
export function pointwise(tensor: Tensor, context: DraftContext): Draft {
  const { emitter, bound } = reading({
    ...context,
    isStored: (other) => other !== tensor && context.isStored(other),
  });
  const value = emitter.value(tensor, 'i');
  const count = sizeOf(tensor.shape);
  const storage = context.storageOf(tensor);
  const body = [
    ...elementNumber(count, context.width),
    ...emitter.lines,
    `y[i] = ${storable(value, storage, tensor)};`,
  ];
  return {
    label: nodeLabel(tensor.node),
    code: shader(context.width, { helpers: helperCode(emitter.helpers), body }),
    bound: [...bound, { name: 'y', place: { tensor }, type: storage, write: true }],
    groups: spread(Math.ceil(count / context.width), context.mostGroups),
  };
}

export function elementNumber(count: number, width: number): string[] {
  return [`let i = (group.y * groups.x + group.x) * ${width}u + lane;`, `if (i >= ${count}u) { return; }`];
}

/** Many parts put side by side: each is written to its place by a dispatch of its own. */
export function assembly(node: Node, context: DraftContext): Draft[] {
  const [out] = node.outputs;
  const axis = node.attrs.axis as number;
  const { extent, inner } = splitAt(out.shape, axis);
  const storage = context.storageOf(out);
  let start = 0;
  return node.inputs.flatMap((part) => {
    const first = start;
    start += part.shape[axis];
    const count = sizeOf(part.shape);
    if (count === 0) return [];
    const source = baseOf(part);
    const { emitter, bound } = reading(context);
    const value = emitter.value(part, 'i');
    const line = part.shape[axis] * inner;
    const body = [
      ...elementNumber(count, context.width),
      ...emitter.lines,
      `y[i / ${line}u * ${extent * inner}u + ${first * inner}u + i % ${line}u] = ${storable(value, storage, source)};`,
    ];
    return [
      {
        label: nodeLabel(node),
        code: shader(context.width, { helpers: helperCode(emitter.helpers), body }),
        bound: [...bound, { name: 'y', place: { tensor: out }, type: storage, write: true }],
        groups: spread(Math.ceil(count / context.width), context.mostGroups),
      },
    ];
  });
}
