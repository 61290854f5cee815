/** What losses report, under the published names (spec page 5.10): values before they are averaged. */

import {
  abs,
  mean,
  mul,
  type NdArray,
  ndarray,
  reshape,
  sign,
  sliceAxis,
  sub,
  type Tensor,
} from '../tensor/index.ts';

/** Statistics by name, without the prefix that programs give them. */
export type Statistics = Readonly<Record<string, Tensor>>;

const DEGREES = 180 / Math.PI;

/** Mean magnitude of each of the six numbers of poses [N, 6], degrees. */
export function poseStatistics(name: string, pose: Tensor): Statistics {
  const means = mul(mean(abs(pose), [0]), DEGREES); // [6]
  return Object.fromEntries(
    Array.from({ length: 6 }, (_, k) => [`${name}_${k}`, reshape(sliceAxis(means, 0, k, k + 1), [])]),
  );
}

/** Scores and their signs. */
export function scoreStatistics(kind: 'fake_posed' | 'fake' | 'real', logits: Tensor): Statistics {
  return { [`Loss/scores/${kind}`]: logits, [`Loss/signs/${kind}`]: sign(logits) };
}

/** How large predicted poses are and how far from what they should be. */
export function predictionStatistics(kind: 'fake' | 'real', predicted: Tensor, wanted: Tensor): Statistics {
  return {
    ...poseStatistics(`Loss_pose/${kind}`, sub(predicted, wanted)),
    ...poseStatistics(`pose_scale/${kind}`, predicted),
  };
}

/** The same of poses that are at hand. */
export function poseArrayStatistics(name: string, { shape, data }: NdArray): [string, NdArray][] {
  const [batch, width] = shape;
  return Array.from({ length: width }, (_, k) => {
    let sum = 0;
    for (let n = 0; n < batch; n++) sum += Math.abs(data[n * width + k]);
    return [`${name}_${k}`, ndarray([], [(sum / batch) * DEGREES])];
  });
}
