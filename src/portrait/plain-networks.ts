/** The generator's two small networks in plain code: `generatorPose` and `mapToW` say the same as tensor programs. */

import { type NdArray, ndarray } from '../tensor/index.ts';
import { MIRRORED_LABEL_ENTRIES, MIRRORED_POSE_ENTRIES } from './camera.ts';
import { MAPPING_LR_MULTIPLIER } from './mapping.ts';
import { plainLayer, plainNormalize } from './plain-layers.ts';
import { SIDE_SLACK } from './pose.ts';

/** Gives weights of the generator by name. */
export type ReadWeight = (name: string) => NdArray;

function rowOf({ shape, data }: NdArray, n: number): Float32Array {
  return Float32Array.from(data.subarray(n * shape[1], (n + 1) * shape[1]));
}

/** Poses [N, 6] of latents z [N, zDim] under cameras c [N, 25]. */
export function plainPoses(read: ReadWeight, z: NdArray, c: NdArray): NdArray {
  const poses = new Float32Array(z.shape[0] * 6);
  for (let n = 0; n < z.shape[0]; n++) {
    const camera = rowOf(c, n);
    const left = camera[3] + Math.abs(camera[11]) * Math.tan(SIDE_SLACK) >= 0;
    if (left) for (const entry of MIRRORED_LABEL_ENTRIES) camera[entry] *= -1;
    let x = Float32Array.of(...rowOf(z, n), ...camera);
    for (let layer = 0; layer < 3; layer++) {
      const name = `pose_branch.net.${layer}`;
      const [weight, bias] = [read(`${name}.weight`), read(`${name}.bias`)];
      x = Float32Array.from(plainLayer(x, { weight, bias, lrelu: layer < 2 }));
    }
    if (left) for (const entry of MIRRORED_POSE_ENTRIES) x[entry] *= -1;
    poses.set(x, 6 * n);
  }
  return ndarray([z.shape[0], 6], poses);
}

/** Styles [N, W] before they are repeated, of latents z [N, zDim] and scaled labels [N, K].
 *
 * @param label undefined for a network without `embed`
 */
export function plainStyles(
  read: ReadWeight,
  z: NdArray,
  label: NdArray | undefined,
  layers: number,
): NdArray {
  const mapping = (name: string): NdArray => read(`backbone.mapping.${name}`);
  const rows = Array.from({ length: z.shape[0] }, (_, n) => {
    let x = plainNormalize(rowOf(z, n));
    if (label !== undefined) {
      const [weight, bias] = [mapping('embed.weight'), mapping('embed.bias')];
      const embedded = plainLayer(rowOf(label, n), { weight, bias, lrelu: false });
      x = Float32Array.of(...x, ...plainNormalize(embedded));
    }
    for (let i = 0; i < layers; i++) {
      const [weight, bias] = [mapping(`fc${i}.weight`), mapping(`fc${i}.bias`)];
      x = plainLayer(x, { weight, bias, lrMultiplier: MAPPING_LR_MULTIPLIER, lrelu: true });
    }
    return x;
  });
  const width = rows[0].length;
  const data = new Float32Array(rows.length * width);
  rows.forEach((row, n) => {
    data.set(row, n * width);
  });
  return ndarray([rows.length, width], data);
}
