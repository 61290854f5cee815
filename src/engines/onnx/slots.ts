/** Numbers for the values that live between steps. */

import type { Tensor } from '../../tensor/index.ts';

export interface Slots {
  /** The value's slot, made at the first request. */
  of(tensor: Tensor): number;
  /** The slot of a program input, if anything reads it. */
  ofInput(name: string): number | undefined;
  list(): readonly Tensor[];
}

/** One input may be declared by several nodes of one name: they share a slot. */
function keyOf(tensor: Tensor): Tensor | string {
  const { op, attrs } = tensor.node;
  return op.name === 'source' ? `${attrs.kind}:${attrs.name}` : tensor;
}

export function createSlots(): Slots {
  const numbers = new Map<Tensor | string, number>();
  const tensors: Tensor[] = [];
  return {
    of: (tensor) => {
      const key = keyOf(tensor);
      const known = numbers.get(key);
      if (known !== undefined) return known;
      numbers.set(key, tensors.length);
      return tensors.push(tensor) - 1;
    },
    ofInput: (name) => numbers.get(`input:${name}`),
    list: () => tensors,
  };
}
