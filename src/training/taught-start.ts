/**
 * Where teaching starts: a new generator, made quiet.
 *
 * Adversarial training wants varied pictures at once; teaching has to unlearn them first, which took the first
 * hundreds of steps. So styles begin close to 1, pictures close to grey, labels without a say, and blocks of planes
 * that are left out at first come in as nothing.
 */

import type { ParameterShapes } from '../portrait/parameters.ts';
import type { NdArray } from '../tensor/index.ts';

/** Weights by what their names match, and what they are multiplied by. */
const QUIET: readonly (readonly [RegExp, number])[] = [
  [/affine\.weight$/, 0.2],
  [/^(superresolution\.block\d\.)?torgb\.weight$/, 0.1],
  [/^bcg_synthesis\..*torgb\.weight$/, 0.3],
];
/** Density answers faster in the beginning. */
const DENSITY_GAIN = 4;
/** Planes of this side are there from the start. */
const FIRST_PLANES = 32;

/** Learning rates of some weights against those of the others, by the beginning of their names. The mapping network
 * keeps its weights a hundred times too large, so that it learns slowly; teaching has no reason to: who it is about comes
 * through these layers alone. In short trials 300 was better than 100, and 30 worse. */
export const TAUGHT_RATES: Readonly<Record<string, number>> = { 'backbone.mapping.': 300 };

/** A new generator's weights as teaching begins with them. */
export function taughtStart(
  { shapes, zDim }: { readonly shapes: ParameterShapes; readonly zDim: number },
  read: (name: string) => NdArray,
): Map<string, NdArray> {
  const weights = new Map<string, NdArray>();
  for (const name of shapes.keys()) {
    const { dtype, shape, data } = read(name);
    const copy = Float32Array.from(data);
    for (const [names, factor] of QUIET) if (names.test(name)) scale(copy, factor);
    if (lateBlock(name)) copy.fill(0);
    if (name === 'decoder.net.2.weight') scale(copy.subarray(0, shape[1]), DENSITY_GAIN);
    if (name === 'backbone.mapping.fc0.weight') {
      for (let row = 0; row < shape[0]; row++) copy.fill(0, row * shape[1] + zDim, (row + 1) * shape[1]);
    }
    weights.set(name, { dtype, shape, data: copy });
  }
  return weights;
}

function lateBlock(name: string): boolean {
  const match = /^backbone\.synthesis\.b(\d+)\.torgb\.weight$/.exec(name);
  return match !== null && Number(match[1]) > FIRST_PLANES;
}

function scale(values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i] *= factor;
}
