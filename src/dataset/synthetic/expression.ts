/** Expressions as weights of morph targets. */

import { ANCESTRIES, type Ancestry } from './assets.ts';

/** Strengths, each 0 to about 1 unless said otherwise. */
export interface Expression {
  /** -.4 (corners down) to .9 */
  readonly smile: number;
  readonly mouthOpen: number;
  /** -.6 (narrow) to .5 (wide) */
  readonly eyes: number;
  /** -.6 (lowered) to .6 */
  readonly brows: number;
  readonly innerBrows: number;
  /** -.5 (drawn in) to .5 (pursed) */
  readonly lips: number;
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** Reads the six numbers of the latent: people in portraits smile a little, and rarely open their mouth. */
export function expressionOf(z: readonly number[]): Expression {
  return {
    smile: clamp(0.22 + 0.28 * z[0], -0.35, 0.95),
    mouthOpen: clamp(0.3 * (z[1] - 1.2), 0, 0.4),
    eyes: clamp(0.2 * z[2], -0.45, 0.4),
    brows: clamp(0.25 * z[3], -0.5, 0.5),
    innerBrows: clamp(0.25 * z[4] - 0.1, 0, 0.5),
    lips: clamp(0.22 * z[5], -0.45, 0.45),
  };
}

/** Adds the weights of an expression's targets, which exist for each ancestry. */
export function addExpression(
  expression: Expression,
  ancestry: Readonly<Record<Ancestry, number>>,
  add: (target: string, weight: number) => void,
): void {
  const { smile, mouthOpen, eyes, brows, innerBrows, lips } = expression;
  const both = (name: (side: string) => string, strength: number): [string, number][] =>
    ['left', 'right'].map((side) => [name(side), strength]);
  const units: [string, number][] = [
    ['mouth-corner-puller', Math.max(0, smile)],
    ['mouth-depression', Math.max(0, -smile)],
    ['mouth-open', mouthOpen],
    ['mouth-part-later', Math.max(0, smile - 0.45) * 0.9],
    ['mouth-pursing', Math.max(0, lips) * 0.7],
    ['mouth-compression', Math.max(0, -lips)],
    ...both((side) => `eye-${side}-slit`, Math.max(0, -eyes) + Math.max(0, smile) * 0.25),
    ...both((side) => `eye-${side}-opened-up`, Math.max(0, eyes)),
    ...both((side) => `eyebrows-${side}-up`, Math.max(0, brows)),
    ...both((side) => `eyebrows-${side}-down`, Math.max(0, -brows)),
    ...both((side) => `eyebrows-${side}-inner-up`, innerBrows),
  ];
  for (const [unit, strength] of units) {
    for (const name of ANCESTRIES) add(`expression/units/${name}/${unit}`, strength * ancestry[name]);
  }
}
