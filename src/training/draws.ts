/** The random draws of a phase (spec page 5.4, "Inputs and outputs per phase"), made elsewhere: what is not given is
 * deterministic where that makes sense, and asked for where it does not. */

import { ShapeError, UsageError } from '../errors.ts';
import type { GivenFaces } from '../portrait/posing.ts';
import { type NdArray, sameShape } from '../tensor/index.ts';

export interface DensityDraws {
  /** [1, 1] uniform: one swap decides for the whole batch. */
  readonly swapU?: NdArray | undefined;
  /** [N, P, 3] uniform */
  readonly points: NdArray;
  /** [N, P, 3] standard normals */
  readonly displacement?: NdArray | undefined;
  /** [N, Q, 1] standard normals for all points looked at; left out: no noise on densities. */
  readonly noise?: NdArray | undefined;
}

export interface Draws {
  /** [N, 1] uniform: whose condition is a neighbour's. */
  readonly swapU?: NdArray | undefined;
  /** [N, 1, 1] uniform: whose background is a neighbour's. */
  readonly backgroundU?: NdArray | undefined;
  /** Style mixing: `u` uniform decides whether, `cut` from 1 to numWs - 1 where, `z` [N, zDim] what. */
  readonly mixing?: { readonly u: number; readonly cut: number; readonly z: NdArray } | undefined;
  /** Noise images [N, r, r] by layer, when they are not the stored ones. */
  readonly noise?: Readonly<Record<string, NdArray>> | undefined;
  /** [N, rays, samples] and [N * rays, samples] uniform; left out: .5, and evenly spaced. */
  readonly jitter?: NdArray | undefined;
  readonly quantiles?: NdArray | undefined;
  /** [N, rays * samples, 1] standard normals; left out: no noise on densities. */
  readonly coarseNoise?: NdArray | undefined;
  readonly fineNoise?: NdArray | undefined;
  /** Faces that carry the samples; left out: the nearest ones. */
  readonly faces?: GivenFaces | undefined;
  /** [N, 31] standard normals for each call of the discriminator. */
  readonly labelNoise?: readonly NdArray[] | undefined;
  readonly variation?: DensityDraws | undefined;
  readonly monotonic?: DensityDraws | undefined;
}

/** A draw that must be there. @throws UsageError, ShapeError naming it. */
export function needDraw(draws: Draws, name: 'backgroundU', shape: readonly number[]): NdArray {
  const value = draws[name];
  if (value === undefined) throw new UsageError(`the draw "${name}" [${shape.join(', ')}] is missing`);
  if (!sameShape(value.shape, shape))
    throw new ShapeError(`the draw "${name}" is [${value.shape.join(', ')}]; expected [${shape.join(', ')}]`);
  return value;
}
