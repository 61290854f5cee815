/**
 * Search and deformation as operations of programs: a mesh block and points in, faces or moved points out.
 *
 * Fused operations, so that an engine runs its kernel; the definition is `search.ts`. No gradient: the pose of a
 * block is fixed. Where gradient must reach the pose, move by `faceMaps` of the posed vertices: {@link carryByMaps}.
 */

import { ShapeError } from '../errors.ts';
import { apply, fused, less, maximum, type Primitive, showAval, type Tensor } from '../tensor/index.ts';
import { moveByMaps } from './deform.ts';
import { deformPoints, nearestFaces } from './search.ts';

/** Runs `each` on the block and the points of every item of the batch. */
function perItem(
  mesh: Int32Array,
  points: Float64Array,
  batch: number,
  each: (block: Int32Array, points: Float64Array, item: number) => void,
): void {
  const words = mesh.length / batch;
  const numbers = points.length / batch;
  for (let n = 0; n < batch; n++) {
    // Copied: a block's float view needs its own start.
    const block = mesh.slice(n * words, (n + 1) * words);
    each(block, points.subarray(n * numbers, (n + 1) * numbers), n);
  }
}

const nearestPrimitive: Primitive = {
  name: 'nearestFaces',
  infer: ([, points]) => {
    const shape = points.shape.slice(0, 2);
    return [
      { dtype: 'float32', shape },
      { dtype: 'int32', shape },
    ];
  },
  reference: ([mesh, points]) => {
    const [batch, count] = points.shape;
    const sqdist = new Float64Array(batch * count);
    const face = new Int32Array(batch * count);
    perItem(mesh.data as Int32Array, points.data as Float64Array, batch, (block, own, n) => {
      const found = nearestFaces(block, own);
      sqdist.set(found.sqdist, n * count);
      face.set(found.face, n * count);
    });
    return [sqdist, face];
  },
  flops: () => 0,
};

const deformPrimitive: Primitive = {
  name: 'deformPoints',
  infer: ([, points]) => [{ dtype: 'float32', shape: points.shape }],
  reference: ([mesh, points]) => {
    const moved = new Float64Array(points.data.length);
    const [batch, count] = points.shape;
    perItem(mesh.data as Int32Array, points.data as Float64Array, batch, (block, own, n) => {
      moved.set(deformPoints(block, own), 3 * n * count);
    });
    return [moved];
  },
  flops: () => 0,
};

/** Squared distances (Infinity beyond the block's radius) and faces (-1 there) of points, both [N, P].
 *
 * @param mesh   [N, words] int32, a `meshBlock` for each item
 * @param points [N, P, 3]
 */
export function findFaces(mesh: Tensor, points: Tensor): { sqdist: Tensor; face: Tensor } {
  requireShapes('findFaces', mesh, points);
  const [sqdist, face] = fused('nearestFaces', {}, { mesh, points }, (given) => {
    const [near, number] = apply(nearestPrimitive, [given.mesh, given.points]).outputs;
    return { near, number };
  });
  return { sqdist, face };
}

/** Points carried from the posed to the rest body [N, P, 3]; those beyond the thickness stay.
 *
 * @param mesh   [N, words] int32, a `meshBlock` for each item
 * @param points [N, P, 3]
 */
export function carryPoints(mesh: Tensor, points: Tensor): Tensor {
  requireShapes('carryPoints', mesh, points);
  return fused('deformPoints', {}, { mesh, points }, (given) => ({
    moved: apply(deformPrimitive, [given.mesh, given.points]).outputs[0],
  }))[0];
}

/** `carryPoints` by given motions of the faces, which gradients reach; face numbers and mask have none.
 *
 * @param maps [N, K, 12], `faceMaps` of the bodies that the blocks were made of
 * @param face [N, P] int32, the faces that carry the points instead of the nearest
 */
export function carryByMaps(mesh: Tensor, points: Tensor, maps: Tensor, face?: Tensor): Tensor {
  const near = findFaces(mesh, points);
  const index = maximum(face ?? near.face, 0);
  return moveByMaps(maps, points, index, less(near.sqdist, Number.POSITIVE_INFINITY));
}

function requireShapes(name: string, mesh: Tensor, points: Tensor): void {
  const fits =
    mesh.dtype === 'int32' &&
    mesh.shape.length === 2 &&
    points.shape.length === 3 &&
    points.shape[2] === 3 &&
    points.shape[0] === mesh.shape[0];
  if (!fits) {
    throw new ShapeError(
      `${name}: the mesh is ${showAval(mesh)} and the points ${showAval(points)}; expected i32[N,words] and f32[N,P,3]`,
    );
  }
}
