/** The cells of a video's frames: people whose planes and backgrounds are kept while the camera moves or the body
 * follows a pose. */

import { depthRaster } from '../picture/maps.ts';
import { resizeRaster } from '../picture/png.ts';
import { rasterOf } from '../picture/quantise.ts';
import { blankRaster, drawRaster, type Raster } from '../picture/raster.ts';
import type { Parts, PortraitGenerator, ViewOptions } from '../portrait/session.ts';
import type { NdArray, Resident } from '../tensor/index.ts';
import type { GridShape, VideoMap } from './video-options.ts';
import type { Moment } from './video-path.ts';
import { blendStyles, keyframeWeights } from './video-spline.ts';
import { labelOf } from './views.ts';

/** Planes and backgrounds of people who stay the same are kept up to this size; others are made anew. */
const MOST_KEPT_BYTES = 1 << 30;

export interface CellOptions {
  readonly map: VideoMap;
  readonly size: number | undefined;
  readonly view: ViewOptions;
}

/** One place of the grid. */
export interface CellRenderer {
  draw(moment: Moment): Promise<Raster>;
  /** Gives back what was kept. */
  release(): Promise<void>;
}

/** Makes the cells of a video.
 *
 * @param people styles [1, rows, width] of each cell's keyframes.
 */
export function cellRenderers(
  generator: PortraitGenerator,
  people: readonly (readonly NdArray[])[],
  options: CellOptions,
): CellRenderer[] {
  const still = people.every((keyframes) => keyframes.length === 1);
  const bytes = partsBytes(generator);
  return people.map((keyframes, i) =>
    cellRenderer(generator, keyframes, options, still && (i + 1) * bytes <= MOST_KEPT_BYTES),
  );
}

function cellRenderer(
  generator: PortraitGenerator,
  keyframes: readonly NdArray[],
  { map, size, view }: CellOptions,
  keep: boolean,
): CellRenderer {
  const weights = keyframes.length > 1 ? keyframeWeights(keyframes.length) : undefined;
  let kept: (Parts & { planes: Resident; background: Resident | undefined }) | undefined;
  const release = async (): Promise<void> => {
    const parts = kept;
    kept = undefined;
    if (parts !== undefined) await generator.release(parts.planes, parts.background);
  };
  return {
    async draw({ position, camera, pose }) {
      if (kept === undefined) {
        const ws = weights === undefined ? keyframes[0] : blendStyles(keyframes, weights(position));
        const planes = await generator.planes(ws);
        kept = { ws, planes, background: await generator.background(ws) };
      }
      const rendered = await generator.view(kept, labelOf(camera), { ...view, pose });
      if (!keep) await release();
      const raster =
        map === 'depth'
          ? depthRaster(rendered.image_depth)
          : rasterOf(map === 'raw' ? rendered.image_raw : rendered.image!);
      return size === undefined ? raster : resizeRaster(raster, size);
    },
    release,
  };
}

function partsBytes({ config }: PortraitGenerator): number {
  const { planeResolution, rendering } = config;
  return 3 * 32 * rendering.depth * planeResolution ** 2 * 4;
}

/** Puts cells side by side, row by row. */
export function gridFrame(cells: readonly Raster[], { columns, rows }: GridShape): Raster {
  if (cells.length === 1) return cells[0];
  const { width, height } = cells[0];
  const frame = blankRaster(columns * width, rows * height, [0, 0, 0]);
  cells.forEach((cell, i) => {
    drawRaster(frame, cell, (i % columns) * width, Math.floor(i / columns) * height);
  });
  return frame;
}
