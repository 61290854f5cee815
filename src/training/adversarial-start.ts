/**
 * Where a short adversarial training starts: new networks whose pose branches answer with nearly nothing.
 *
 * As they are initialised, both give poses of several radians, and the pose loss begins a thousand times larger than
 * it will be. Adam remembers the squares of such gradients for thousands of steps, in which the discriminator's trunk
 * hardly moves: fakes and reals had the same scores after 600 of them. The published runs are long enough to forget.
 */

import type { ParameterShapes } from '../portrait/parameters.ts';
import type { NdArray } from '../tensor/index.ts';

/** What the last layers of the pose branches are multiplied by. */
const QUIET = 0.01;

/** The weights that begin otherwise, by name. */
export function quietPoses(shapes: ParameterShapes, read: (name: string) => NdArray): Map<string, NdArray> {
  const layers = [...shapes.keys()].filter((name) => /^pose_branch\.net\.\d+\.weight$/.test(name));
  const last = layers.sort((a, b) => layerOf(a) - layerOf(b)).at(-1);
  if (last === undefined) return new Map();
  const { dtype, shape, data } = read(last);
  return new Map([[last, { dtype, shape, data: Float32Array.from(data, (x) => QUIET * x) }]]);
}

function layerOf(name: string): number {
  return Number(/\d+/.exec(name)![0]);
}
