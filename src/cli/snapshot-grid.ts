/** Which portraits and people the snapshots of a run show: the same ones every time. */

import type { Dataset, DatasetItem } from '../dataset/dataset.ts';
import { viewAngles } from '../dataset/statistics.ts';
import type { Raster } from '../picture/raster.ts';
import { type NdArray, ndarray } from '../tensor/index.ts';
import { randomState } from '../weights/index.ts';
import { latentOfSeed } from './subjects.ts';

export const GRID = { columns: 8, rows: 4 } as const;

/** A place of the grid: a portrait of the dataset, and whom the generator shows under its camera and pose. */
export interface GridPlace {
  readonly item: DatasetItem;
  /** [1, 25] and [1, 6] of the portrait. */
  readonly c: NdArray;
  readonly pose: NdArray;
  /** [1, zDim] */
  readonly z: NdArray;
}

/** Latent [1, zDim] of a place; `place` counts from 0. */
export type LatentOf = (item: DatasetItem, place: number) => NdArray;

/** Seeds 0, 1, 2, ... for the places in their order. */
export function latentsOfSeeds(zDim: number): LatentOf {
  return (_, place) => latentOfSeed(place, zDim);
}

/** Draws portraits, none twice and none mirrored, and orders them by yaw. A small dataset fills fewer places. */
export async function snapshotGrid(dataset: Dataset, latentOf: LatentOf): Promise<GridPlace[]> {
  const indices = Array.from({ length: dataset.count }, (_, i) => i);
  randomState(0).shuffle(indices);
  const chosen = new Map<number, number>();
  for (const index of indices) {
    const { rawIndex, mirrored } = dataset.labels(index);
    if (!mirrored && !chosen.has(rawIndex)) chosen.set(rawIndex, index);
    if (chosen.size === GRID.columns * GRID.rows) break;
  }
  const items = await Promise.all([...chosen.values()].map((index) => dataset.item(index)));
  const yawOf = ({ label }: DatasetItem): number => viewAngles(label).yaw;
  return items
    .sort((a, b) => yawOf(a) - yawOf(b))
    .map((item, place) => ({
      item,
      c: ndarray([1, 25], item.label),
      pose: ndarray([1, 6], item.pose),
      z: latentOf(item, place),
    }));
}

/** Planes [1 or 3, side, side] of bytes as a picture. */
export function rasterOfPlanes(planes: Uint8Array, side: number): Raster {
  const plane = side * side;
  const data = new Uint8Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) data[3 * i + c] = planes[(planes.length === plane ? 0 : c * plane) + i];
  }
  return { width: side, height: side, data };
}
