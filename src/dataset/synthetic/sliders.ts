/** The sliders of face and body that a latent moves, and the morph targets behind them. */

import type { Assets } from './assets.ts';

/** A slider: modifiers moved by the positive part, and by the negative part, of one number. */
interface Slider {
  readonly name: string;
  /** modifier and its factor; both sides of the face move alike */
  readonly moves: readonly (readonly [modifier: string, factor: number])[];
}

const one = (modifier: string, factor = 1): Slider => ({ name: modifier, moves: [[modifier, factor]] });
const pair = (part: string, name: string, factor = 1): Slider => ({
  name: `${part}/${name}`,
  moves: ['l', 'r'].map((side) => [`${part}/${side}-${name}`, factor] as const),
});
/** Two modifiers that only grow: one takes over where the other ends. */
const either = (positive: string, negative: string, factor: number): Slider => ({
  name: `${negative} to ${positive}`,
  moves: [
    [positive, factor],
    [negative, -factor],
  ],
});

/** One number of the latent's block `face` each. */
export const FACE_SLIDERS: readonly Slider[] = [
  one('head/head-fat-decr-incr'),
  one('head/head-scale-depth-decr-incr', 0.7),
  one('head/head-scale-horiz-decr-incr', 0.7),
  one('head/head-scale-vert-decr-incr', 0.7),
  one('head/head-back-scale-depth-decr-incr'),
  either('head/head-oval', 'head/head-square', 0.7),
  either('head/head-round', 'head/head-rectangular', 0.7),
  either('head/head-triangular', 'head/head-invertedtriangular', 0.7),
  one('forehead/forehead-trans-backward-forward'),
  one('forehead/forehead-scale-vert-decr-incr'),
  one('eyebrows/eyebrows-angle-down-up'),
  one('eyebrows/eyebrows-trans-down-up', 0.8),
  one('neck/neck-double-decr-incr'),
  one('neck/neck-scale-horiz-decr-incr'),
  pair('eyes', 'eye-scale-decr-incr', 0.8),
  pair('eyes', 'eye-height2-decr-incr'),
  pair('eyes', 'eye-corner1-down-up'),
  pair('eyes', 'eye-corner2-down-up'),
  pair('eyes', 'eye-eyefold-down-up'),
  pair('eyes', 'eye-epicanthus-in-out'),
  pair('eyes', 'eye-trans-in-out', 0.8),
  pair('eyes', 'eye-bag-decr-incr'),
  one('nose/nose-scale-vert-decr-incr'),
  one('nose/nose-scale-horiz-decr-incr'),
  one('nose/nose-scale-depth-decr-incr'),
  one('nose/nose-nostrils-width-decr-incr'),
  one('nose/nose-width2-decr-incr'),
  one('nose/nose-point-width-decr-incr'),
  one('nose/nose-curve-concave-convex'),
  one('nose/nose-hump-decr-incr'),
  one('nose/nose-point-down-up'),
  one('mouth/mouth-scale-horiz-decr-incr'),
  one('mouth/mouth-trans-down-up', 0.8),
  one('mouth/mouth-lowerlip-volume-decr-incr'),
  one('mouth/mouth-upperlip-volume-decr-incr'),
  one('mouth/mouth-cupidsbow-decr-incr'),
  pair('ears', 'ear-scale-decr-incr'),
  pair('ears', 'ear-wing-decr-incr'),
  pair('ears', 'ear-lobe-decr-incr'),
  one('chin/chin-prominent-decr-incr'),
  one('chin/chin-width-decr-incr'),
  one('chin/chin-height-decr-incr'),
  one('chin/chin-bones-decr-incr'),
  pair('cheek', 'cheek-volume-decr-incr'),
  pair('cheek', 'cheek-bones-decr-incr'),
  one('measure/measure-neck-circ-decr-incr'),
  one('measure/measure-shoulder-dist-decr-incr'),
];

/** Standard deviation of a slider: what natural faces bear. */
const SPREAD = 0.24;
/** Sliders end here. */
const LIMIT = 0.75;
const ASYMMETRY_SPREAD = 0.14;
const ASYMMETRIES = ['asym/asym-eye-1', 'asym/asym-mouth-1', 'asym/asym-nose-1', 'asym/asym-jaw-1'];

/** A value that grows like its argument and never reaches the limit. */
function bounded(value: number): number {
  return LIMIT * Math.tanh(value / LIMIT);
}

/** Adds the target weights of the face's sliders. */
export function addSliders(
  { modifiers }: Assets,
  face: readonly number[],
  asymmetry: readonly number[],
  add: (target: string, weight: number) => void,
): void {
  FACE_SLIDERS.forEach(({ moves }, i) => {
    const value = bounded(SPREAD * face[i]);
    for (const [name, factor] of moves) {
      const modifier = modifiers.get(name);
      if (modifier === undefined) throw new Error(`internal: there is no modifier "${name}"`);
      const weight = value * factor;
      if (weight > 0) add(modifier.positive, weight);
      else if (modifier.negative !== undefined) add(modifier.negative, -weight);
    }
  });
  ASYMMETRIES.forEach((name, i) => {
    const value = bounded(ASYMMETRY_SPREAD * asymmetry[i]);
    add(`${name}-${value > 0 ? 'l' : 'r'}`, Math.abs(value));
  });
}
