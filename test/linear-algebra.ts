/** Small dense linear algebra for tests: eigenvectors, rotations between point sets, cameras from points. */

type Vec3 = readonly [number, number, number];

/** Eigenvalues, ascending, and eigenvectors (rows) of a symmetric matrix, by Jacobi's rotations. */
export function symmetricEigen(matrix: readonly (readonly number[])[]): {
  values: number[];
  vectors: number[][];
} {
  const n = matrix.length;
  const a = matrix.map((row) => [...row]);
  const v = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => Number(i === j)));
  for (let sweep = 0; sweep < 60; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(a[p][q]) < 1e-300) continue;
        const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < n; k++)
          [a[k][p], a[k][q]] = [c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]];
        for (let k = 0; k < n; k++)
          [a[p][k], a[q][k]] = [c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]];
        for (let k = 0; k < n; k++)
          [v[p][k], v[q][k]] = [c * v[p][k] - s * v[q][k], s * v[p][k] + c * v[q][k]];
      }
    }
  }
  const order = a.map((_, i) => i).sort((i, j) => a[i][i] - a[j][j]);
  return { values: order.map((i) => a[i][i]), vectors: order.map((i) => v[i]) };
}

/** The rotation R (row-major) with b = R a in the least squares sense: Horn 1987, by quaternions. */
export function rotationBetween(a: readonly Vec3[], b: readonly Vec3[]): number[] {
  const s = Array.from({ length: 9 }, (_, k) =>
    a.reduce((sum, point, i) => sum + point[Math.floor(k / 3)] * b[i][k % 3], 0),
  );
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = s;
  const { vectors } = symmetricEigen([
    [xx + yy + zz, yz - zy, zx - xz, xy - yx],
    [yz - zy, xx - yy - zz, xy + yx, zx + xz],
    [zx - xz, xy + yx, yy - xx - zz, yz + zy],
    [xy - yx, zx + xz, yz + zy, zz - xx - yy],
  ]);
  const [w, x, y, z] = vectors[3];
  return [
    1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
    2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
    2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
  ]; // biome-ignore format: rows of the matrix
}

/** A 25-number label from points of the world and where they are in the picture: the direct linear transform. */
export function cameraFromPoints(
  world: readonly Vec3[],
  image: readonly (readonly [number, number])[],
): number[] {
  const rows = world.flatMap(([x, y, z], i) => {
    const [u, v] = image[i];
    return [
      [x, y, z, 1, 0, 0, 0, 0, -u * x, -u * y, -u * z, -u],
      [0, 0, 0, 0, x, y, z, 1, -v * x, -v * y, -v * z, -v],
    ];
  });
  const normal = Array.from({ length: 12 }, (_, i) =>
    Array.from({ length: 12 }, (_, j) => rows.reduce((sum, row) => sum + row[i] * row[j], 0)),
  );
  let p = symmetricEigen(normal).vectors[0];
  const m = (q: readonly number[]): number[] => [0, 1, 2, 4, 5, 6, 8, 9, 10].map((k) => q[k]);
  // Points lie in front of the camera, and its axes are right-handed.
  const scale = Math.hypot(p[8], p[9], p[10]);
  const [x, y, z] = world[0];
  const sign = Math.sign(p[8] * x + p[9] * y + p[10] * z + p[11]);
  p = p.map((value) => (sign * value) / scale);
  // K K' = M M', with K upper triangular and its last entry 1.
  const k = m(p);
  const dot = (i: number, j: number): number =>
    k[3 * i] * k[3 * j] + k[3 * i + 1] * k[3 * j + 1] + k[3 * i + 2] * k[3 * j + 2];
  const [cx, cy] = [dot(0, 2), dot(1, 2)];
  const fy = Math.sqrt(dot(1, 1) - cy * cy);
  const skew = (dot(0, 1) - cx * cy) / fy;
  const fx = Math.sqrt(dot(0, 0) - cx * cx - skew * skew);
  const forward = [k[6], k[7], k[8]];
  const down = [0, 1, 2].map((i) => (k[3 + i] - cy * forward[i]) / fy);
  const right = [0, 1, 2].map((i) => (k[i] - skew * down[i] - cx * forward[i]) / fx);
  // t = K^-1 p4, centre = -R' t
  const tz = p[11];
  const ty = (p[7] - cy * tz) / fy;
  const tx = (p[3] - skew * ty - cx * tz) / fx;
  const centre = [0, 1, 2].map((i) => -(right[i] * tx + down[i] * ty + forward[i] * tz));
  const cam2world = [0, 1, 2].flatMap((i) => [right[i], down[i], forward[i], centre[i]]);
  return [...cam2world, 0, 0, 0, 1, fx, skew, cx, 0, fy, cy, 0, 0, 1];
}

/** The rotation vector of a rotation matrix, for angles well below pi. */
export function rotationVector(r: readonly number[]): Vec3 {
  const axis: Vec3 = [r[7] - r[5], r[2] - r[6], r[3] - r[1]];
  const sine = Math.hypot(...axis) / 2;
  const angle = Math.atan2(sine, (r[0] + r[4] + r[8] - 1) / 2);
  const by = sine > 1e-12 ? angle / (2 * sine) : 0.5;
  return [axis[0] * by, axis[1] * by, axis[2] * by];
}

/** a' b, row-major 3 x 3. */
export function transposeProduct(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: 9 }, (_, at) => {
    const [i, j] = [Math.floor(at / 3), at % 3];
    return a[i] * b[j] + a[3 + i] * b[3 + j] + a[6 + i] * b[6 + j];
  });
}
