/** Structural keys: two nodes or graphs with one key compute the same. */

import { type Attr, type Attrs, type Graph, isGraph, type Node, type Tensor } from './graph.ts';
import type { NdArray } from './types.ts';

const arrayKeys = new WeakMap<NdArray, string>();

/** FNV-1a over the bytes, with type and shape. */
function keyOfArray(array: NdArray): string {
  const known = arrayKeys.get(array);
  if (known !== undefined) return known;
  const bytes = new Uint8Array(array.data.buffer, array.data.byteOffset, array.data.byteLength);
  let low = 0x811c9dc5;
  let high = 0x1b873593;
  for (const byte of bytes) {
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ byte, 0x85ebca6b);
  }
  const key = `${array.dtype}[${array.shape.join(',')}]#${(low >>> 0).toString(16)}${(high >>> 0).toString(16)}`;
  arrayKeys.set(array, key);
  return key;
}

function isArray(attr: Attr): attr is NdArray {
  return typeof attr === 'object' && 'data' in attr && ArrayBuffer.isView(attr.data);
}

function keyOfAttr(attr: Attr): string {
  if (typeof attr === 'object') {
    if (isArray(attr)) return keyOfArray(attr);
    if (isGraph(attr)) return `{${keyOfGraph(attr)}}`;
    if (Array.isArray(attr)) return `[${attr.map(keyOfAttr).join(',')}]`;
    return keyOfAttrs(attr as Attrs);
  }
  return typeof attr === 'string' ? JSON.stringify(attr) : String(attr);
}

export function keyOfAttrs(attrs: Attrs): string {
  return `{${Object.keys(attrs)
    .sort()
    .map((name) => `${name}:${keyOfAttr(attrs[name])}`)
    .join(',')}}`;
}

/** Key of a node over numbered inputs. */
export function keyOfNode(node: Node, numberOf: (tensor: Tensor) => string): string {
  return `${node.op.name}(${node.inputs.map(numberOf).join(',')})${keyOfAttrs(node.attrs)}`;
}

const graphKeys = new WeakMap<Graph, string>();

/** Key of a whole graph: what a cache of compiled programs goes by. */
export function keyOfGraph(graph: Graph): string {
  const known = graphKeys.get(graph);
  if (known !== undefined) return known;
  const numbers = new Map<Node, number>();
  const numberOf = (tensor: Tensor): string => `${numbers.get(tensor.node)}.${tensor.output}`;
  const lines = graph.nodes.map((node, i) => {
    numbers.set(node, i);
    return keyOfNode(node, numberOf);
  });
  const inputs = graph.inputs.map(({ name, tensor }) => `${name}:${tensor.dtype}[${tensor.shape.join(',')}]`);
  const outputs = graph.outputs.map(({ name, tensor }) => `${name}=${numberOf(tensor)}`);
  const key = [...inputs, ...lines, ...outputs].join(';');
  graphKeys.set(graph, key);
  return key;
}
