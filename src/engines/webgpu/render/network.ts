/**
 * The decoder 32 -> 64 softplus -> 33 on a block of points, by a workgroup of two threads a point.
 *
 * Eight neighbouring threads read one texel together, so that look-ups are whole lines of memory; then a thread has
 * four points by eight hidden values, and four points by four colours. What goes from one step to the next lies in
 * workgroup memory, its rows padded so that threads side by side meet different banks. The texts here are parts of
 * shaders: forward in `decode.ts`, back in `back.ts`.
 */

import type { Planning } from '../kernel.ts';
import { DECODER, type Field } from './field.ts';

/** Vectors from one row of features, or of hidden values, to the next. */
export const FEATURE_ROW = 9;
export const HIDDEN_ROW = 17;

/** Points of a block: a power of two, at most 64. */
export const blockFor = (planning: Planning): number => (planning.abilities.software ? 32 : 64);

export const four = <T>(of: (k: number) => T): T[] => [0, 1, 2, 3].map(of);
export const eight = <T>(of: (k: number) => T): T[] => [0, 1, 2, 3, 4, 5, 6, 7].map(of);
export const lines = (parts: readonly string[]): string => parts.join('\n');
const PART = ['x', 'y', 'z', 'w'];

/** Four vectors, one a row, as vectors of columns: named `of0` to `of3`, from `from0` to `from3`. */
export const turned = (from: string, of: string): string =>
  lines(four((k) => `let ${of}${k} = vec4<f32>(${four((row) => `${from}${row}.${PART[k]}`).join(', ')});`));

/** WGSL: sizes, and copies of both layers in workgroup memory: `first` and `second`. */
export const layers = (block: number): string => /* wgsl */ `
const BLOCK = ${block}u;
const ACROSS = ${block / 4}u;
var<workgroup> first: array<vec4<f32>, ${64 * FEATURE_ROW}>;
var<workgroup> second: array<vec4<f32>, ${32 * HIDDEN_ROW}>;
fn loadLayers(local: u32) {
  for (var i = local; i < 512u; i += THREADS) {
    first[(i / 8u) * ${FEATURE_ROW}u + i % 8u] = decoder[i];
    second[(i / 16u) * ${HIDDEN_ROW}u + i % 16u] = decoder[${DECODER.second}u + i];
  }
}`;

/** Adds `count` outputs `to0`.. of four points: rows `from` of `width` vectors times rows `weights`. */
const product = (count: number, to: string, from: string, weights: string, width: number): string => {
  const row = width + 1;
  return /* wgsl */ `
  for (var k = 0u; k < ${width}u; k++) {
${lines(four((p) => `    let x${p} = ${from}[(across + ${p}u * ACROSS) * ${row}u + k];`))}
${turned('x', 'c')}
${lines(
  Array.from({ length: count }, (_, j) => {
    const sum = four((k) => `c${k} * w${j}.${PART[k]}`).join(' + ');
    return `    let w${j} = ${weights}[(${8 * j}u + lane) * ${row}u + k];\n    ${to}${j} += ${sum};`;
  }),
)}
  }`;
};

/** From features in `rows` to hidden values `h0` to `h7` of four points each: hidden value `lane * 4 + j % 4 +
 * 32 * (j / 4)` of points `across + k * ACROSS`. */
export const hiddenValues = (rows: string): string => /* wgsl */ `
${lines(eight((j) => `  var h${j} = vec4<f32>(0.0);`))}
${product(8, 'h', rows, 'first', 8)}
  let bias0 = decoder[${DECODER.firstBias}u + lane];
  let bias1 = decoder[${DECODER.firstBias + 8}u + lane];
${lines(eight((j) => `  h${j} = softplus(h${j} + bias${j >> 2}.${PART[j & 3]});`))}`;

/** Writes `h0` to `h7` (or others of the kind) to rows of hidden values. */
export const writeHidden = (name: string, rows: string): string =>
  lines(
    [0, 1].flatMap((half) =>
      four((p) => {
        const values = four((k) => `${name}${4 * half + k}.${PART[p]}`).join(', ');
        return `  ${rows}[(across + ${p}u * ACROSS) * ${HIDDEN_ROW}u + lane + ${8 * half}u] = vec4<f32>(${values});`;
      }),
    ),
  );

/** Shares of the densities of four points from the hidden values of a thread: `share`. */
export const densityShare = /* wgsl */ `
  let row0 = decoder[${DECODER.density}u + lane];
  let row1 = decoder[${DECODER.density + 8}u + lane];
  let share = ${eight((j) => `h${j} * row${j >> 2}.${PART[j & 3]}`).join(' + ')};
${lines(four((p) => `  shares[(across + ${p}u * ACROSS) * 8u + lane] = share.${PART[p]};`))}`;

/** Sum of the eight shares of a point. */
export const sumOfShares = (point: string): string =>
  eight((k) => `shares[${point} * 8u + ${k}u]`).join(' + ');

/** Colours `rgb0` to `rgb3` of four points from rows of hidden values: colour `lane * 4 + j`, activated. */
export const colours = (rows: string, { activation }: Field): string => /* wgsl */ `
  let biases = decoder[${DECODER.secondBias}u + lane];
${lines(four((j) => `  var rgb${j} = vec4<f32>(biases.${PART[j]});`))}
${product(4, 'rgb', rows, 'second', 16)}
${activation === 'none' ? '' : lines(four((j) => `  rgb${j} = activated(rgb${j});`))}`;

/** WGSL: `activated(x)` and, from its value, its slope `slopeAt(value)`. */
export const activation = ({ activation: kind }: Field): string =>
  kind === 'none'
    ? ''
    : kind === 'sigmoid'
      ? /* wgsl */ `
fn activated(x: vec4<f32>) -> vec4<f32> {
  let u = exp(-abs(x));
  let high = 1.0 / (1.0 + u);
  return select(u * high, high, x >= vec4<f32>(0.0)) * 1.002 - 0.001;
}
fn slopeAt(value: vec4<f32>) -> vec4<f32> {
  let s = (value + 0.001) / 1.002;
  return 1.002 * s * (1.0 - s);
}`
      : /* wgsl */ `
fn activated(x: vec4<f32>) -> vec4<f32> {
  return max(x, x * 0.2) * 1.4142135623730951;
}
fn slopeAt(value: vec4<f32>) -> vec4<f32> {
  return select(vec4<f32>(0.28284271247461906), vec4<f32>(1.4142135623730951), value >= vec4<f32>(0.0));
}`;
