/** What a generator shows of the grid of snapshots: portraits at labelled poses, at rest, and turned. */

import type { BodyModel } from '../body/index.ts';
import { depthRaster, depthSpan, maskRaster } from '../picture/maps.ts';
import { rasterOf } from '../picture/quantise.ts';
import type { Raster } from '../picture/raster.ts';
import { viewCamera } from '../portrait/camera.ts';
import { type LoadedNetwork, type PortraitGenerator, portraitGenerator } from '../portrait/session.ts';
import { type Engine, type NdArray, ndarray } from '../tensor/index.ts';
import type { Cell } from './pictures.ts';
import { GRID, type GridPlace } from './snapshot-grid.ts';
import { conditionLabel, labelOf } from './views.ts';

const TURN = { people: 4, yaws: 8 } as const;

/** Cells of each sheet by its kind. */
export type SheetCells = Readonly<Record<string, readonly Cell[]>>;

/** Renders the grid: `fakes`, `raw`, `depth`, `mask` at the labelled cameras and poses, `unposed` the same people at
 * rest, `turn` some of them from all sides. Styles are those of the front camera and the body at rest. */
export async function snapshotViews(
  engine: Engine,
  body: BodyModel,
  network: LoadedNetwork,
  grid: readonly GridPlace[],
  neuralResolution: number,
): Promise<SheetCells> {
  const generator = portraitGenerator(engine, network, body);
  const fakes: Raster[] = [];
  const raw: Raster[] = [];
  const mask: Raster[] = [];
  const unposed: Raster[] = [];
  const depths: NdArray[] = [];
  const turn: Cell[] = [];
  try {
    for (const [i, { c, pose, z }] of grid.entries()) {
      await withParts(generator, z, async (parts) => {
        const posed = await generator.view(parts, c, { neuralResolution, pose });
        fakes.push(rasterOf(posed.image!));
        raw.push(rasterOf(posed.image_raw));
        mask.push(maskRaster(posed.image_mask));
        depths.push(posed.image_depth);
        unposed.push(rasterOf((await generator.view(parts, c, { neuralResolution })).image!));
        if (i % GRID.columns === 0 && i / GRID.columns < TURN.people)
          turn.push(...(await turned(generator, parts, neuralResolution, `person ${i}`)));
      });
    }
  } finally {
    await generator.dispose();
  }
  const span = depthSpan(depths.map(({ data }) => data));
  const depth = depths.map((map) => depthRaster(map, 0, span));
  return {
    fakes: plain(fakes),
    raw: plain(raw),
    depth: plain(depth),
    mask: plain(mask),
    unposed: plain(unposed),
    turn,
  };
}

/** Pictures without labels. */
export function plain(rasters: readonly Raster[]): Cell[] {
  return rasters.map((raster) => ({ row: '', column: '', raster }));
}

type Parts = Parameters<PortraitGenerator['view']>[0];

async function withParts(
  generator: PortraitGenerator,
  z: NdArray,
  use: (parts: Parts) => Promise<void>,
): Promise<void> {
  const ws = await generator.map(z, {
    c: conditionLabel(undefined),
    p: ndarray([1, 6], new Float32Array(6)),
  });
  const planes = await generator.planes(ws);
  const background = await generator.background(ws);
  try {
    await use({ ws, planes, background });
  } finally {
    await generator.release(planes, background);
  }
}

async function turned(
  generator: PortraitGenerator,
  parts: Parts,
  neuralResolution: number,
  row: string,
): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (let k = 0; k < TURN.yaws; k++) {
    const yaw = (360 * k) / TURN.yaws;
    const { image } = await generator.view(parts, labelOf(viewCamera(yaw, 0)), { neuralResolution });
    cells.push({ row, column: `${yaw}°`, raster: rasterOf(image!) });
  }
  return cells;
}
