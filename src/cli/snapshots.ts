/**
 * Snapshots of a run: sheets of what its networks make of the same people, cameras and poses every time (spec page
 * 5.10), so that sheets of different times can be laid on each other.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BodyModel } from '../body/index.ts';
import type { Dataset } from '../dataset/dataset.ts';
import type { LoadedNetwork } from '../portrait/session.ts';
import { snapshotFile } from '../runs/run-folder.ts';
import type { Engine } from '../tensor/index.ts';
import type { RealSetting } from '../training/real-poses.ts';
import { type Cell, writeSheet } from './pictures.ts';
import { snapshotBodies } from './snapshot-bodies.ts';
import { GRID, type GridPlace, type LatentOf, rasterOfPlanes, snapshotGrid } from './snapshot-grid.ts';
import { plain, snapshotViews } from './snapshot-views.ts';
import { kimgText } from './train-status.ts';

export interface SnapshotOptions {
  readonly engine: Engine;
  readonly body: BodyModel;
  /** With pictures of the size that the networks make. */
  readonly dataset: Dataset;
  /** Where sheets go; made when it is missing. */
  readonly folder: string;
  /** Whom the places of the grid show: `latentsOfSeeds`, or the people of the dataset where their latents are known. */
  readonly latentOf: LatentOf;
}

/** The networks of a moment: averages, as they are exported. */
export interface SnapshotNetworks {
  readonly generator: LoadedNetwork;
  /** Left out: no sheet of bodies. */
  readonly discriminator?: LoadedNetwork | undefined;
}

export interface Snapshots {
  /** Writes `reals` and `masks`, what the dataset has in the places of the grid. Returns the files. */
  reals(seen: number): Promise<string[]>;
  /** Writes `fakes`, `raw`, `depth`, `mask`, `unposed`, `turn`, and `bodies` if there is a discriminator.
   *
   * Programs are compiled for it and given back. Returns the files.
   *
   * @param seen images shown
   */
  take(networks: SnapshotNetworks, seen: number, setting: RealSetting): Promise<string[]>;
}

/** Chooses the grid. */
export async function openSnapshots(options: SnapshotOptions): Promise<Snapshots> {
  const { engine, body, dataset, folder, latentOf } = options;
  const grid = await snapshotGrid(dataset, latentOf);
  mkdirSync(folder, { recursive: true });
  const write = async (kind: string, seen: number, cells: readonly Cell[], remark = ''): Promise<string> => {
    const path = join(folder, snapshotFile(kind, seen));
    const choice = kind === 'turn' ? { only: true } : { only: true, shape: GRID };
    await writeSheet(path, cells, choice, `${kind}, ${kimgText(seen)}${remark}`, undefined);
    return path;
  };
  return {
    reals: async (seen) => [
      await write(
        'reals',
        seen,
        ofItems(grid, ({ item }) => item.image, dataset.resolution),
      ),
      await write(
        'masks',
        seen,
        ofItems(grid, ({ item }) => item.mask, dataset.resolution),
      ),
    ],
    async take({ generator, discriminator }, seen, setting) {
      const views = await snapshotViews(engine, body, generator, grid, setting.neuralResolution);
      const files: string[] = [];
      for (const [kind, cells] of Object.entries(views)) files.push(await write(kind, seen, cells));
      if (discriminator === undefined) return files;
      const { pictures, errorDegrees } = await snapshotBodies(engine, body, discriminator, grid, setting);
      const remark = `: pose seen (blue), labelled (orange), ${errorDegrees.toFixed(1)}° apart`;
      files.push(await write('bodies', seen, plain(pictures), remark));
      return files;
    },
  };
}

function ofItems(
  grid: readonly GridPlace[],
  planesOf: (place: GridPlace) => Uint8Array,
  side: number,
): Cell[] {
  return plain(grid.map((place) => rasterOfPlanes(planesOf(place), side)));
}
