/**
 * The decoder 32 -> 64 softplus -> 33 on a block of points, by a workgroup of two threads a point.
 *
 * Eight neighbouring threads read one texel together, so that look-ups are whole lines of memory; then a thread has
 * four points by eight hidden values, and four points by four colours. What goes from one step to the next lies in
 * workgroup memory. The texts here are parts of
 * shaders: forward in `decode.ts`, back in `back.ts`.
 */

import { DECODER, FEATURE_ROW, type Field, HIDDEN_ROW } from './field.ts';

/** Writes out what depends on a small number: arrays whose indices are known lie in registers. */
export const repeat = (count: number, body: (k: string) => string): string =>
  Array.from({ length: count }, (_, k) => `{ ${body(`${k}u`)} }`).join('\n');

/** The point of a thread that goes by this number. */
export const pointOf = (p: string): string => `(across + ${p} * ACROSS)`;

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

/** Adds to `count` outputs of four points each: rows of `width` vectors times rows of weights. */
export const product = (
  [count, to]: readonly [number, string],
  rows: string,
  weights: string,
  width: number,
): string => /* wgsl */ `
  for (var k = 0u; k < ${width}u; k++) {
    var x: array<vec4<f32>, 4>;
    ${repeat(4, (p) => `x[${p}] = ${rows}[${pointOf(p)} * ${width + 1}u + k];`)}
    let c0 = vec4<f32>(x[0].x, x[1].x, x[2].x, x[3].x);
    let c1 = vec4<f32>(x[0].y, x[1].y, x[2].y, x[3].y);
    let c2 = vec4<f32>(x[0].z, x[1].z, x[2].z, x[3].z);
    let c3 = vec4<f32>(x[0].w, x[1].w, x[2].w, x[3].w);
    ${repeat(
      count,
      (j) => /* wgsl */ `
      let w = ${weights}[(${j} * 8u + lane) * ${width + 1}u + k];
      ${to}[${j}] = c3 * w.w + (c2 * w.z + (c1 * w.y + (c0 * w.x + ${to}[${j}])));`,
    )}
  }`;

/** From features in `rows` to hidden values `h` [8] of four points each: hidden value `lane * 4 + j % 4 + 32 * (j /
 * 4)` of points `across + p * ACROSS`. */
export const hiddenValues = (rows: string): string => /* wgsl */ `
  var h = array<vec4<f32>, 8>();
  ${product([8, 'h'], rows, 'first', 8)}
  ${repeat(8, (j) => `h[${j}] = softplus(h[${j}] + decoder[${DECODER.firstBias}u + lane + 8u * (${j} / 4u)][${j} % 4u]);`)}`;

/** Writes `h`, or another of the kind, to rows of hidden values. */
export const writeHidden = (h: string, rows: string): string =>
  repeat(
    4,
    (p) => /* wgsl */ `
  let at = ${pointOf(p)} * ${HIDDEN_ROW}u + lane;
  ${rows}[at] = vec4<f32>(${h}[0][${p}], ${h}[1][${p}], ${h}[2][${p}], ${h}[3][${p}]);
  ${rows}[at + 8u] = vec4<f32>(${h}[4][${p}], ${h}[5][${p}], ${h}[6][${p}], ${h}[7][${p}]);`,
  );

/** A thread's shares of the densities of four points, from its hidden values: to `shares`. */
export const densityShare = (): string => /* wgsl */ `
  var share = vec4<f32>(0.0);
  ${repeat(8, (j) => `share += h[${j}] * decoder[${DECODER.density}u + lane + 8u * (${j} / 4u)][${j} % 4u];`)}
  ${repeat(4, (p) => `shares[${pointOf(p)} * 8u + lane] = share[${p}];`)}`;

/** WGSL: the sum of the eight shares of a point. */
export const SHARES = /* wgsl */ `
fn sumOfShares(point: u32) -> f32 {
  var sum = 0.0;
  for (var k = 0u; k < 8u; k++) {
    sum += shares[point * 8u + k];
  }
  return sum;
}`;

/** Colours `rgb` [4] of four points from rows of hidden values: colour `lane * 4 + j`, activated. */
export const colours = (rows: string, { activation }: Field): string => /* wgsl */ `
  var rgb = array<vec4<f32>, 4>();
  ${repeat(4, (j) => `rgb[${j}] = vec4<f32>(decoder[${DECODER.secondBias}u + lane][${j}]);`)}
  ${product([4, 'rgb'], rows, 'second', 16)}
  ${activation === 'none' ? '' : repeat(4, (j) => `rgb[${j}] = activated(rgb[${j}]);`)}`;

/** Four colours of a point. */
export const coloursOf = (p: string): string =>
  `vec4<f32>(rgb[0][${p}], rgb[1][${p}], rgb[2][${p}], rgb[3][${p}])`;

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
