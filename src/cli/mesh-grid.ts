/** The grids a density is sampled on (spec page 7.5), and the way from grid indices to metres. */

import type { Mesh } from '../picture/mesh/mesh.ts';
import type { Sampler } from '../picture/mesh/volume.ts';
import type { PortraitGenerator, Value } from '../portrait/session.ts';
import { ndarray } from '../tensor/index.ts';

/** Samples on a cube round the origin; flat indices have x slowest and z fastest. */
export interface MeshGrid {
  /** Samples a side. */
  readonly side: number;
  /** Side of the cube, metres. */
  readonly cube: number;
  /** Layers at the border that count as empty. */
  readonly pad: number;
  /** Writes the position of sample `index` to `to`, from `at` on. */
  place(index: number, to: Float32Array, at: number): void;
}

/** Points of one call of the field, large and small: each number is a program of its own. */
const BATCHES = { large: 65_536, small: 8_192 } as const;

/** Samples asked for at once. */
export const GRID_BATCH = BATCHES.large;

/** Samples where they should be. The outermost layer is empty, so that the surface is closed. */
export function exactGrid(side: number, cube: number): MeshGrid {
  const step = cube / (side - 1);
  return {
    side,
    cube,
    pad: 1,
    place(index, to, at) {
      to[at] = Math.floor(index / side / side) * step - cube / 2;
      to[at + 1] = (Math.floor(index / side) % side) * step - cube / 2;
      to[at + 2] = (index % side) * step - cube / 2;
    },
  };
}

/** The original's samples, number for number: x and y are not rounded down, so the grid is a little sheared,
 * and indices pass through single precision. */
export function compatibleGrid(side: number, boxWarp: number): MeshGrid {
  const f = Math.fround;
  const cube = 0.8 * boxWarp;
  const [step, corner] = [f(cube / (side - 1)), f(-cube / 2)];
  return {
    side,
    cube,
    pad: Math.floor((30 * side) / 256),
    place(index, to, at) {
      const rows = f(f(index) / side);
      const slabs = f(rows / side);
      to[at] = f(f((slabs % side) * step) + corner);
      to[at + 1] = f(f((rows % side) * step) + corner);
      to[at + 2] = f(f((index % side) * step) + corner);
    },
  };
}

/** The density of a generator at the samples of a grid. */
export function densitySampler(generator: PortraitGenerator, planes: Value, grid: MeshGrid): Sampler {
  return async (indices) => {
    const out = new Float32Array(indices.length);
    for (let start = 0; start < indices.length; ) {
      const left = indices.length - start;
      const size = left > BATCHES.small ? BATCHES.large : BATCHES.small;
      const count = Math.min(size, left);
      // What is left over of a batch stays at the origin.
      const points = new Float32Array(size * 3);
      for (let i = 0; i < count; i++) grid.place(indices[start + i], points, i * 3);
      const { sigma } = await generator.field(planes, ndarray([1, size, 3], points));
      out.set((sigma.data as Float32Array).subarray(0, count), start);
      start += count;
    }
    return out;
  };
}

/** A mesh in grid indices to metres: x to the body's left, y up, z to the front. */
export function meshInMetres({ positions, indices }: Mesh, { side, cube }: MeshGrid): Mesh {
  const step = cube / (side - 1);
  return { positions: positions.map((value) => value * step - cube / 2), indices };
}

/** A mesh in grid indices to the original's frame: units of voxels, axes z, y and reversed x. */
export function meshInOriginalFrame({ positions, indices }: Mesh, { side }: MeshGrid): Mesh {
  const out = new Float32Array(positions.length);
  for (let v = 0; v < positions.length; v += 3) {
    out[v] = positions[v + 2];
    out[v + 1] = positions[v + 1];
    out[v + 2] = side - 1 - positions[v];
  }
  return { positions: out, indices };
}

/** A volume with its first axis reversed, as the original writes it. */
export function reversedVolume(values: Float32Array, side: number): Float32Array {
  const out = new Float32Array(values.length);
  const slab = side * side;
  for (let x = 0; x < side; x++) out.set(values.subarray(x * slab, (x + 1) * slab), (side - 1 - x) * slab);
  return out;
}
