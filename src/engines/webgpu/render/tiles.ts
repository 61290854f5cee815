/**
 * Rays of a call in tiles, so that what is kept a sample stays small: which rays a tile has, and where its sample
 * points lie.
 *
 * Rays stand in blocks of 8 x 8 of the picture, since neighbours look up the same texels. A tile is some blocks;
 * everything a sample lies in memory as [sample, ray of the tile]. Dispatches of all tiles have the same code: which
 * tile it is they read from memory, where the last dispatch of a tile writes the next one's number.
 */

import type { Node } from '../../../tensor/index.ts';
import { rayCall } from '../../kernels/render.ts';
import type { Bound, Dispatch, Operand, Planning } from '../kernel.ts';
import { CROP_MARK, type Source } from './decode.ts';
import { type Field, fieldFor } from './field.ts';
import { meshBound, search } from './search.ts';
import { entry, floats, groupsFor, INVOCATION, literal } from './shader.ts';

/** Rays of a block. */
export const BLOCK_RAYS = 64;
/** What one tile may keep. */
const TILE_BYTES = 128 * 2 ** 20;

export interface RayCall {
  readonly node: Node;
  readonly planning: Planning;
  readonly field: Field;
  readonly batch: number;
  readonly rays: number;
  readonly width: number;
  readonly coarse: number;
  readonly fine: number;
  /** From one ray's quantiles to the next. */
  readonly quantileStep: number;
  /** Beyond this in x or z everything is empty. */
  readonly cropLimit: number | undefined;
  readonly whiteBack: boolean;
  /** Words of a mesh block, and faces of `maps`; 0 without. */
  readonly words: number;
  readonly faces: number;
  readonly has: (name: string) => boolean;
  /** Number of an input. */
  readonly at: (name: string) => number;
  /** Binds an input as it is stored. */
  readonly input: (name: string, lanes?: 1 | 4) => Bound;
}

export interface Tiles {
  readonly count: number;
  /** Blocks of a tile, and its rays, those that fill up blocks included. */
  readonly blocks: number;
  readonly rays: number;
}

/** What the shaders know of a node of `renderRays` or `renderRaysGrad`, or undefined where they do not fit. */
export function rayCallOf(node: Node, planning: Planning): RayCall | undefined {
  const { inputs, whiteBack } = node.attrs.options as unknown as { inputs: string[]; whiteBack: boolean };
  const call = rayCall(node);
  const field = fieldFor(node, inputs, planning);
  if (call === undefined || field === undefined) return undefined;
  const [batch, rays, width, coarse, fine, quantileStep] = call.sizes;
  const cropLimit = call.sizes[9];
  const [words, faces] = call.sizes.slice(-2);
  const at = (name: string): number => inputs.indexOf(name);
  return {
    ...{ node, planning, field, batch, rays, width, coarse, fine, quantileStep, whiteBack, words, faces },
    cropLimit: Number.isFinite(cropLimit) ? cropLimit : undefined,
    has: (name) => inputs.includes(name),
    at,
    input: (name, lanes = 1) => floats(planning, name, node.inputs[at(name)], { input: at(name) }, { lanes }),
  };
}

/** Tiles of a call that keeps so many bytes a ray. */
export function tilesOf(call: RayCall, bytesPerRay: number): Tiles {
  const all = call.batch * blocksPerEntry(call);
  const bytes = Math.min(TILE_BYTES, call.planning.abilities.limits.maxStorageBufferBindingSize);
  const most = Math.max(1, Math.floor(bytes / (bytesPerRay * BLOCK_RAYS)));
  const count = Math.ceil(all / most);
  const blocks = Math.ceil(all / count);
  return { count, blocks, rays: blocks * BLOCK_RAYS };
}

const blocksPerEntry = ({ rays, width }: RayCall): number =>
  Math.ceil(width / 8) * Math.ceil(rays / width / 8);

/** Bytes of the memory that holds the number of the tile, and of the next one. */
export const TILE_WORDS_BYTES = 16;

/** When a dispatch runs: the first one of a tile takes the number, the last one makes the next. */
export type Turn = 'first' | 'middle' | 'last';

/** The tile's number in a shader: its binding, `tileNumber()`, and what one of its invocations does at the end. */
export function turnOf(
  { count }: Tiles,
  turn: Turn,
  at: Operand,
): { bound: readonly Bound[]; code: string; end: string } {
  if (count === 1) return { bound: [], code: 'fn tileNumber() -> u32 { return 0u; }', end: '' };
  const word = turn === 'first' ? '1u' : '0u';
  const end = { first: 'tile[0] = tile[1];', middle: '', last: 'tile[1] = tile[0] + 1u;' }[turn];
  return {
    bound: [{ name: 'tile', at, type: 'u32', write: turn !== 'middle' }],
    code: `fn tileNumber() -> u32 { return tile[${word}]; }`,
    end: end === '' ? '' : `if (all(group == vec3<u32>(0u)) && local == 0u) { ${end} }`,
  };
}

/** Makes the next tile's number, where the last dispatch that reads it may be any. */
export const nextTile = (at: Operand): Dispatch => ({
  label: 'renderer: next tile',
  code: '@compute @workgroup_size(1) fn main() { tile[1] = tile[0] + 1u; }',
  bound: [{ name: 'tile', at, type: 'u32', write: true }],
  groups: [1, 1, 1],
});

/** WGSL: `rayAt(r)` of a ray of the tile: batch entry, number among all rays of the call, and whether it is one; the
 * nearest ray stands in for those outside of the picture. Needs `tileNumber`. */
export const rayAt = (call: RayCall, tiles: Tiles): string => /* wgsl */ `
const RAYS = ${tiles.rays}u;
fn entryOfRay(r: u32) -> u32 {
  return min((tileNumber() * ${tiles.blocks}u + r / ${BLOCK_RAYS}u) / ${blocksPerEntry(call)}u, ${call.batch - 1}u);
}
fn rayAt(r: u32) -> vec3<u32> {
  let number = tileNumber() * ${tiles.blocks}u + r / ${BLOCK_RAYS}u;
  let block = number % ${blocksPerEntry(call)}u;
  let x = (block % ${Math.ceil(call.width / 8)}u) * 8u + r % 8u;
  let y = (block / ${Math.ceil(call.width / 8)}u) * 8u + (r / 8u) % 8u;
  let real = number < ${call.batch * blocksPerEntry(call)}u && x < ${call.width}u && y < ${call.rays / call.width}u;
  let inside = min(y, ${call.rays / call.width - 1}u) * ${call.width}u + min(x, ${call.width - 1}u);
  let entry = entryOfRay(r);
  return vec3<u32>(entry, entry * ${call.rays}u + inside, u32(real));
}`;

export interface Pass {
  readonly name: 'coarse' | 'fine';
  readonly samples: number;
  /** Sample of the ray that is its first. */
  readonly start: number;
}

export const passesOf = ({ coarse, fine }: RayCall): readonly Pass[] => [
  { name: 'coarse', samples: coarse, start: 0 },
  ...(fine > 0 ? [{ name: 'fine', samples: fine, start: coarse } as const] : []),
];

/** Places a pass's sample points, moved by the mesh where there is one: [sample, ray, 4], with the noise or `CROP_MARK`
 * last. And where they were before, with the face that moved them or `NO_FACE`, if that is asked for. */
export function placeDispatch(
  call: RayCall,
  tiles: Tiles,
  pass: Pass,
  at: {
    readonly tile: Operand;
    readonly fineDepths: Operand;
    readonly points: Operand;
    readonly posed?: Operand | undefined;
  },
): Dispatch {
  const turn = turnOf(tiles, pass.name === 'coarse' ? 'first' : 'middle', at.tile);
  const { cropLimit } = call;
  const [noise, given] = [`${pass.name}Noise`, `${pass.name}Faces`];
  const mark = call.has(noise) ? `f32(${noise}[sample])` : '0.0';
  const [mesh, maps] = [call.has('mesh'), call.has('maps')];
  const followed = mesh && maps && call.has(given);
  const code = /* wgsl */ `
const SAMPLES = ${pass.samples}u;
${turn.code}
${rayAt(call, tiles)}
${mesh ? search(call.words) : ''}
${maps ? mapped(call) : ''}
${entry(
  BLOCK_RAYS,
  /* wgsl */ `${INVOCATION}
  if (i < SAMPLES * RAYS) {
    let ray = rayAt(i % RAYS);
    let sample = ray.y * SAMPLES + i / RAYS;
    let start = ray.y * 3u;
    let origin = vec3<f32>(f32(origins[start]), f32(origins[start + 1u]), f32(origins[start + 2u]));
    let direction = vec3<f32>(f32(directions[start]), f32(directions[start + 1u]), f32(directions[start + 2u]));
    let along = ${pass.name === 'coarse' ? 'f32(coarse[sample])' : 'fineDepths[i]'};
    let posed = origin + direction * along;
${
  mesh
    ? /* wgsl */ `
    var face = nearestFace(ray.x, posed).face;
    var point = posed;
    if (face != NO_FACE) {
      ${followed ? `face = u32(clamp(${given}[sample], 0, ${call.faces - 1}));` : ''}
      point = ${maps ? 'mapped' : 'movedWith'}(ray.x, face, posed);
    }`
    : '    let point = posed;'
}
    ${at.posed === undefined ? '' : `poses[${pass.start * tiles.rays}u + i] = vec4<u32>(bitcast<vec3<u32>>(posed), face);`}
    let cropped = ${cropLimit === undefined ? 'false' : `max(abs(point.x), abs(point.z)) > ${literal(cropLimit)}`};
    points[${pass.start * tiles.rays}u + i] = vec4<f32>(point, select(${mark}, ${literal(CROP_MARK)}, cropped));
  }
  ${turn.end}`,
)}`;
  return {
    label: `renderer: where the ${pass.name} samples are`,
    code,
    bound: [
      call.input('origins'),
      call.input('directions'),
      pass.name === 'coarse' ? call.input('coarse') : { name: 'fineDepths', at: at.fineDepths, type: 'f32' },
      ...(call.has(noise) ? [call.input(noise)] : []),
      ...(mesh ? [meshBound(call.at('mesh'))] : []),
      ...(maps ? [call.input('maps', 4)] : []),
      ...(followed ? [call.input(given)] : []),
      ...turn.bound,
      { name: 'points', at: at.points, type: 'vec4<f32>', write: true },
      ...(at.posed === undefined ? [] : [{ name: 'poses', at: at.posed, type: 'vec4<u32>', write: true }]),
    ],
    groups: groupsFor(call.planning, pass.samples * tiles.rays, BLOCK_RAYS),
  };
}

/** WGSL: a point moved by given motions: rows of a rotation, then a translation. */
const mapped = ({ faces }: RayCall): string => /* wgsl */ `
fn mapped(entry: u32, face: u32, p: vec3<f32>) -> vec3<f32> {
  let at = (entry * ${faces}u + face) * 3u;
  let a = vec4<f32>(maps[at]);
  let b = vec4<f32>(maps[at + 1u]);
  let c = vec4<f32>(maps[at + 2u]);
  return vec3<f32>(dot(a.xyz, p), dot(vec3<f32>(a.w, b.xy), p), dot(vec3<f32>(b.zw, c.x), p)) + c.yzw;
}`;

/** Placed points of a pass, or of both, for the decoder.
 *
 * @param rays `rayAt` is there as well
 */
export function placedPoints(
  call: RayCall,
  tiles: Tiles,
  pass: Omit<Pass, 'name'>,
  at: { readonly tile: Operand; readonly points: Operand },
  rays = call.batch > 1,
): Source {
  const turn = turnOf(tiles, 'middle', at.tile);
  return {
    label: `renderer: densities and colours of samples`,
    count: pass.samples * tiles.rays,
    bound: [{ name: 'points', at: at.points, type: 'vec4<f32>' }, ...(rays ? turn.bound : [])],
    code: /* wgsl */ `
${rays ? `${turn.code}\n${rayAt(call, tiles)}` : ''}
fn pointAt(i: u32) -> vec4<f32> {
  return points[${pass.start * tiles.rays}u + i];
}
fn entryOf(i: u32) -> u32 {
  return ${call.batch === 1 ? '0u' : 'entryOfRay(i % RAYS)'};
}`,
  };
}
