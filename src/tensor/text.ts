/** The readable text form of a graph: one line a node, parameters and constants folded into their uses. */

import { type Attr, type Attrs, type Graph, isGraph, type Node, type Tensor } from './graph.ts';
import { type NdArray, showAval, sizeOf } from './types.ts';

/** Text such as
 * ```
 * graph affine (x: f32[4,8]) {
 *   %0: f32[4,3] = matmul(x, @weight: f32[8,3])   // layers.ts:12
 *   return y = %0
 * }
 * ```
 */
export function showGraph(graph: Graph, indent = ''): string {
  const names = new Map<Node, string>();
  const lines: string[] = [];
  let count = 0;
  const show = (tensor: Tensor): string => {
    const name = names.get(tensor.node) ?? '?';
    return tensor.node.outputs.length > 1 ? `${name}.${tensor.output}` : name;
  };
  for (const node of graph.nodes) {
    if (node.op.name === 'source') {
      const { name, kind } = node.attrs as { name: string; kind: string };
      names.set(node, kind === 'input' ? name : `@${name}: ${showAval(node.outputs[0])}`);
      continue;
    }
    if (node.op.name === 'constant') {
      names.set(node, showConstant(node.attrs.value as NdArray));
      continue;
    }
    names.set(node, `%${count++}`);
    const types = node.outputs.map(showAval).join(', ');
    const attrs = showAttrs(node.attrs, indent);
    const site = node.site ? `   // ${node.site}` : '';
    const inputs = node.inputs.map(show).join(', ');
    lines.push(`${indent}  ${names.get(node)}: ${types} = ${node.op.name}(${inputs})${attrs}${site}`);
  }
  const inputs = graph.inputs.map(({ name, tensor }) => `${name}: ${showAval(tensor)}`).join(', ');
  const outputs = graph.outputs.map(({ name, tensor }) => `${name} = ${show(tensor)}`).join(', ');
  return [
    `${indent}graph ${graph.name} (${inputs}) {`,
    ...lines,
    `${indent}  return ${outputs}`,
    `${indent}}`,
  ].join('\n');
}

function showConstant(value: NdArray): string {
  return sizeOf(value.shape) === 1 ? String(value.data[0]) : `const ${showAval(value)}`;
}

function showAttrs(attrs: Attrs, indent: string): string {
  const shown = Object.entries(attrs).map(([name, value]) => `${name}=${showAttr(value, indent)}`);
  return shown.length === 0 ? '' : ` {${shown.join(', ')}}`;
}

function showAttr(value: Attr, indent: string): string {
  if (isGraph(value)) return `\n${showGraph(value, `${indent}    `)}`;
  return JSON.stringify(value);
}
