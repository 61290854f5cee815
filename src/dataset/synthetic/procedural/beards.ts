/**
 * Beards as shells over the face (see `shells.ts`), and the stubble under all of them.
 *
 * The shells are copies of the face's own quads with its texture coordinates, so a texel is a place of the face:
 * borders are drawn there, finer than the mesh.
 */

import type { Assets } from '../assets.ts';
import { atlasPlaces, type Window } from './atlas.ts';
import { type BeardShape, insideBeard } from './beard-region.ts';
import { builderOf, onVertex } from './builder.ts';
import { type Neutral, neutralOf, type Vec3 } from './neutral.ts';
import { smoothstep, valueNoise } from './noise.ts';
import type { MadePart, MadeTexture } from './part.ts';

interface BeardStyle {
  readonly shape: BeardShape;
  readonly layers: number;
  /** Metres: longest hair on the chin, elsewhere, and over how much of the border it grows. */
  readonly chin: number;
  readonly elsewhere: number;
  readonly border: number;
}

const STYLES: readonly BeardStyle[] = [
  { shape: 'moustache', layers: 4, chin: 0.004, elsewhere: 0.004, border: 0.004 },
  { shape: 'goatee', layers: 5, chin: 0.009, elsewhere: 0.0045, border: 0.005 },
  { shape: 'full', layers: 6, chin: 0.013, elsewhere: 0.007, border: 0.008 },
];

/** The head's part of the atlas ends here; beyond are body, mouth and eyes. */
const HEAD_END_U = 0.672;

const placeOf = ({ positions }: Neutral, v: number): Vec3 => [
  positions[3 * v],
  positions[3 * v + 1],
  positions[3 * v + 2],
];

/** Quads of the face with a corner less than `margin` outside a beard. */
function beardQuads(neutral: Neutral, shape: BeardShape, margin: number): Set<number> {
  const { base } = neutral.assets;
  const body = base.groups.indexOf('body');
  const inside = new Map<number, boolean>();
  const near = (v: number): boolean => {
    let is = inside.get(v);
    if (is === undefined) {
      is = insideBeard(shape, placeOf(neutral, v)) > -margin;
      inside.set(v, is);
    }
    return is;
  };
  const out = new Set<number>();
  for (let q = 0; q < base.quadGroup.length; q++) {
    if (base.quadGroup[q] !== body) continue;
    const corners = [0, 1, 2, 3].map((k) => 4 * q + k);
    if (!corners.some((at) => near(base.quads[at]))) continue;
    if (corners.every((at) => base.uvs[2 * base.quadUvs[at]] < HEAD_END_U)) out.add(q);
  }
  return out;
}

function windowOf({ assets: { base } }: Neutral, quads: ReadonlySet<number>): Window {
  let [left, right, top, bottom] = [1, 0, 1, 0];
  for (const q of quads) {
    for (let k = 0; k < 4; k++) {
      const at = 2 * base.quadUvs[4 * q + k];
      left = Math.min(left, base.uvs[at]);
      right = Math.max(right, base.uvs[at]);
      top = Math.min(top, base.uvs[at + 1]);
      bottom = Math.max(bottom, base.uvs[at + 1]);
    }
  }
  const pad = 0.008;
  return { u: left - pad, v: top - pad, width: right - left + 2 * pad, height: bottom - top + 2 * pad };
}

/** Moustache, goatee, full beard. */
export function madeBeards(neutral: Neutral): MadePart[] {
  return STYLES.map((style) => beardPart(neutral, style));
}

const shareOf = (layer: number, layers: number): number => (layer + 0.5) / (layers - 0.5);

function beardPart(neutral: Neutral, style: BeardStyle): MadePart {
  const { shape, layers } = style;
  const { base } = neutral.assets;
  const quads = beardQuads(neutral, shape, 0.001);
  const window = windowOf(neutral, quads);
  const builder = builderOf(neutral);
  for (let layer = 0; layer < layers; layer++) {
    const share = shareOf(layer, layers);
    const light = 0.5 + 0.5 * share;
    const vertices = new Map<number, number>();
    const uvs = new Map<number, number>();
    const vertex = (v: number): number => {
      let number = vertices.get(v);
      if (number === undefined) {
        const place = placeOf(neutral, v);
        const length = lengthAt(style, place) * share;
        const [nx, ny, nz] = neutral.normals.subarray(3 * v, 3 * v + 3);
        // Hair sinks as it grows.
        const at: Vec3 = [
          place[0] + length * nx,
          place[1] + length * (ny - 0.28 * share),
          place[2] + length * nz,
        ];
        number = builder.vertex(at, onVertex(v), [light, light, light, 1]);
        vertices.set(v, number);
      }
      return number;
    };
    const uv = (i: number): number => {
      let number = uvs.get(i);
      if (number === undefined) {
        const [u, v] = [
          (base.uvs[2 * i] - window.u) / window.width,
          (base.uvs[2 * i + 1] - window.v) / window.height,
        ];
        number = builder.uv(u, (layer + v) / layers);
        uvs.set(i, number);
      }
      return number;
    };
    for (const q of quads) {
      const corners = [0, 1, 2, 3].map((k) => 4 * q + k);
      builder.quad(
        corners.map((at) => vertex(base.quads[at])),
        corners.map((at) => uv(base.quadUvs[at])),
      );
    }
  }
  const { proxy, colours } = builder.build(shape, 'hair');
  return {
    name: shape,
    proxy,
    colours,
    mode: 'blend',
    texture: (detail) => beardTexture(neutral, style, window, detail),
  };
}

/** Length of the hair at a place, metres. */
function lengthAt({ shape, chin, elsewhere, border }: BeardStyle, place: Vec3): number {
  const atChin = smoothstep(0.062, 0.035, place[1]) * smoothstep(0.07, 0.1, place[2]);
  const grown = smoothstep(-0.001, 2 * border, insideBeard(shape, place));
  return (elsewhere + (chin - elsewhere) * atChin) * (0.15 + 0.85 * grown);
}

/** Texels of the whole atlas. */
const ATLAS = { width: 1136, height: 1416 };

function beardTexture(
  neutral: Neutral,
  { shape, layers, border }: BeardStyle,
  window: Window,
  detail: number,
): MadeTexture {
  const width = Math.round(window.width * ATLAS.width * detail);
  const height = Math.round(window.height * ATLAS.height * detail);
  const places = atlasPlaces(neutral, keepOf(beardQuads(neutral, shape, 0.01)), window, width, height);
  const data = new Uint8Array(4 * width * height * layers);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 3 * (y * width + x);
      const inside = Number.isNaN(places[at])
        ? -1
        : insideBeard(shape, [places[at], places[at + 1], places[at + 2]]);
      for (let layer = 0; layer < layers; layer++) {
        const share = shareOf(layer, layers);
        // Down the face is to the right in the atlas: strands run that way, and lean with height.
        const [u, v] = [(x / detail - 5 * share) / 512, y / detail / 512];
        const strand = 0.6 * valueNoise(u, v, 60, 230, 61) + 0.4 * valueNoise(u, v, 120, 330, 62);
        const tuft = valueNoise(u, v, 24, 60, 63);
        const ragged = inside + border * (0.75 * (strand - 0.5) + 0.4 * (tuft - 0.5));
        const dense = smoothstep(-0.1 * border, border, ragged);
        const length = 0.7 * strand + 0.3 * tuft;
        const to = 4 * ((layer * height + y) * width + x);
        data.fill(255 * (0.55 + 0.45 * strand), to, to + 3);
        data[to + 3] = 255 * dense * smoothstep(share - 0.5, share - 0.1, length - 0.22);
      }
    }
  }
  return { width, height: height * layers, data };
}

const keepOf =
  (quads: ReadonlySet<number>) =>
  (quad: number): boolean =>
    quads.has(quad);

/** Where stubble tints the skin, half the size of the skin's atlas: red with single hairs, green without. */
export function stubbleMask(assets: Assets): MadeTexture {
  const neutral = neutralOf(assets);
  const [width, height] = [ATLAS.width / 2, ATLAS.height / 2];
  const places = atlasPlaces(
    neutral,
    keepOf(beardQuads(neutral, 'full', 0.015)),
    { u: 0, v: 0, width: 1, height: 1 },
    width,
    height,
  ); // prettier-ignore
  const data = new Uint8Array(4 * width * height);
  for (let i = 0; i < width * height; i++) {
    data[4 * i + 3] = 255;
    if (Number.isNaN(places[3 * i])) continue;
    const inside = insideBeard('full', [places[3 * i], places[3 * i + 1], places[3 * i + 2]]);
    const [u, v] = [(i % width) / width, Math.floor(i / width) / height];
    const hairs = 0.75 * valueNoise(u, v, width / 2, height / 2, 71) + 0.25 * valueNoise(u, v, 120, 150, 72);
    const weight = smoothstep(-0.004, 0.01, inside);
    data[4 * i] = 255 * weight * (0.35 + 0.65 * smoothstep(0.2, 0.75, hairs));
    data[4 * i + 1] = 255 * weight;
  }
  return { width, height, data };
}
