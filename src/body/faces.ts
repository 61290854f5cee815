/** Which faces take part in the deformation (spec page 3.3). */

import type { BodyModel } from './model.ts';

/** The faces, in file order, whose three rest vertices lie strictly inside the box of this side.
 *
 * Face numbers everywhere else count in this list.
 *
 * @returns [K, 3] vertex numbers
 */
export function facesInBox(model: BodyModel, boxWarp: number): Int32Array {
  const mask = faceMask(model, boxWarp);
  const kept: number[] = [];
  mask.forEach((keep, f) => {
    if (keep) kept.push(model.faces[3 * f], model.faces[3 * f + 1], model.faces[3 * f + 2]);
  });
  return Int32Array.from(kept);
}

/** 1 for every face inside of the box: the checkpoint buffer `renderer.face_mask`. */
export function faceMask({ canonical, faces, faceCount }: BodyModel, boxWarp: number): Uint8Array {
  const half = boxWarp / 2;
  const mask = new Uint8Array(faceCount).fill(1);
  for (let i = 0; i < faces.length; i++) {
    const at = 3 * faces[i];
    for (let k = 0; k < 3; k++) {
      if (!(Math.abs(canonical[at + k]) < half)) mask[Math.floor(i / 3)] = 0;
    }
  }
  return mask;
}
