/** Values of a new network (spec pages 2 and 4: every "Init" column). */

import { DEFAULT_TAPS, type NdArray, sizeOf } from '../tensor/index.ts';
import type { NetworkPlan, Start } from './presets.ts';

/** Gives `count` standard normals; consecutive calls continue one sequence. */
export type Normals = (count: number) => ArrayLike<number>;

/** Makes every tensor of a network, drawing in registration order. */
export function initialise(plan: NetworkPlan, normals: Normals): Map<string, NdArray> {
  const arrays = new Map<string, NdArray>();
  for (const [name, { shape, start }] of plan) {
    arrays.set(name, { dtype: 'float32', shape, data: begin(sizeOf(shape), start, normals) });
  }
  return arrays;
}

function begin(size: number, start: Start, normals: Normals): Float32Array {
  switch (start.kind) {
    case 'normal':
      return Float32Array.from(normals(size), (value) => value * start.scale);
    case 'fill':
      return new Float32Array(size).fill(start.value);
    case 'taps':
      return Float32Array.from(DEFAULT_TAPS.flat());
  }
}
