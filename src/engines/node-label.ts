/** How a node is called in errors and profiles. */

import type { Node } from '../tensor/index.ts';

/** `conv2d@synthesis.ts:48`, or the operation alone when its site is unknown. */
export function nodeLabel(node: Node): string {
  const name = node.op.name === 'fused' ? `${node.attrs.name}` : node.op.name;
  return node.site ? `${name}@${node.site}` : name;
}
