/** Looking through all numbers of a checkpoint for what arithmetic cannot use. */

import { toFloat32 } from './elements.ts';
import { materialize } from './lazy-tensor.ts';
import { openCheckpoint } from './open-checkpoint.ts';

export interface BadTensor {
  /** Network and tensor, `G_ema.backbone...`. */
  readonly name: string;
  readonly nan: number;
  readonly infinite: number;
  /** Flat index of the first one. */
  readonly first: number;
}

/** Tensors of a checkpoint that hold NaN or infinities, and how many numbers were looked at. One tensor is in
 * memory at a time.
 *
 * @throws FormatError, NetworkError as `openCheckpoint` does.
 */
export function findBadValues(file: string): {
  readonly checked: number;
  readonly bad: readonly BadTensor[];
} {
  const checkpoint = openCheckpoint(file);
  const bad: BadTensor[] = [];
  let checked = 0;
  try {
    for (const [network, found] of Object.entries(checkpoint.networks)) {
      for (const [name, tensor] of found.tensors) {
        const data = toFloat32(materialize(tensor));
        checked += data.length;
        let [nan, infinite, first] = [0, 0, -1];
        for (let i = 0; i < data.length; i++) {
          if (Number.isFinite(data[i])) continue;
          if (Number.isNaN(data[i])) nan++;
          else infinite++;
          if (first < 0) first = i;
        }
        if (first >= 0) bad.push({ name: `${network}.${name}`, nan, infinite, first });
      }
    }
  } finally {
    checkpoint.close();
  }
  return { checked, bad };
}
