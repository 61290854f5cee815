/** The body at the poses that the discriminator sees in real portraits, beside the labelled ones. */

import { type BodyModel, poseBody } from '../body/index.ts';
import type { Raster } from '../picture/raster.ts';
import { meshOver, renderMesh } from '../picture/shade.ts';
import type { LoadedNetwork } from '../portrait/session.ts';
import { type Engine, type NdArray, ndarray } from '../tensor/index.ts';
import { predictRealPoses, type RealSetting } from '../training/real-poses.ts';
import { type GridPlace, rasterOfPlanes } from './snapshot-grid.ts';

/** How much of a portrait its body hides. */
const OPACITY = 0.75;
const PREDICTED = [110, 160, 225] as const;
const LABELLED = [240, 170, 90] as const;

export interface BodySheet {
  /** Of each portrait its predicted pose in blue, then its label in orange. */
  readonly pictures: readonly Raster[];
  /** Mean distance between the two over all six numbers, degrees. */
  readonly errorDegrees: number;
}

/** Draws every other portrait of the grid twice. */
export async function snapshotBodies(
  engine: Engine,
  body: BodyModel,
  discriminator: LoadedNetwork,
  grid: readonly GridPlace[],
  setting: RealSetting,
): Promise<BodySheet> {
  const places = grid.filter((_, i) => i % 2 === 0);
  const predicted = await predictRealPoses(engine, discriminator, realsOf(places), setting);
  const wanted = places.flatMap(({ pose }) => [...pose.data]);
  const total = wanted.reduce((sum, value, i) => sum + Math.abs(predicted.data[i] - value), 0);
  const indices = Uint32Array.from(body.faces);
  const drawn = (
    place: GridPlace,
    pose: ArrayLike<number>,
    material: typeof PREDICTED | typeof LABELLED,
  ): Raster => {
    const side = sideOf(place);
    const positions = poseBody(body, Float32Array.from(pose));
    const mesh = renderMesh({ positions, indices }, {}, place.item.label, {
      width: side,
      height: side,
      material,
    });
    return meshOver(mesh, rasterOfPlanes(place.item.image, side), OPACITY);
  };
  return {
    pictures: places.flatMap((place, i) => [
      drawn(place, Array.from(predicted.data.subarray(6 * i, 6 * i + 6)), PREDICTED),
      drawn(place, place.item.pose, LABELLED),
    ]),
    errorDegrees: ((total / wanted.length) * 180) / Math.PI,
  };
}

/** Masks are as large as portraits. */
function sideOf({ item }: GridPlace): number {
  return Math.sqrt(item.mask.length);
}

function realsOf(places: readonly GridPlace[]): { image: NdArray; mask: NdArray; c: NdArray } {
  const side = sideOf(places[0]);
  const stacked = (shape: readonly number[], parts: readonly ArrayLike<number>[]): NdArray =>
    ndarray([places.length, ...shape], Float32Array.from(parts.flatMap((part) => Array.from(part))));
  return {
    image: stacked(
      [3, side, side],
      places.map(({ item }) => item.image),
    ),
    mask: stacked(
      [1, side, side],
      places.map(({ item }) => item.mask),
    ),
    c: stacked(
      [25],
      places.map(({ item }) => item.label),
    ),
  };
}
