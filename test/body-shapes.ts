/** Closed meshes made of formulas, for tests and benchmarks of the body room. */

export interface Shape {
  readonly vertices: Float32Array;
  readonly faces: Int32Array;
}

/** A sphere with bumps: 2 `rings` meridians, `rings` - 1 circles of latitude and two poles. */
export function bumpySphere(rings: number, radius: number): Shape {
  const around = 2 * rings;
  const vertices: number[] = [0, radius, 0];
  for (let i = 1; i < rings; i++) {
    for (let j = 0; j < around; j++) {
      const [polar, azimuth] = [(Math.PI * i) / rings, (2 * Math.PI * j) / around];
      const r =
        radius * (1 + 0.1 * Math.sin(3 * azimuth) * Math.sin(2 * polar) + 0.02 * Math.sin(31 * (i + j)));
      vertices.push(r * Math.sin(polar) * Math.sin(azimuth), r * Math.cos(polar));
      vertices.push(r * Math.sin(polar) * Math.cos(azimuth));
    }
  }
  vertices.push(0, -radius, 0);
  const last = vertices.length / 3 - 1;
  const at = (i: number, j: number): number => 1 + (i - 1) * around + (j % around);
  const faces: number[] = [];
  for (let j = 0; j < around; j++) faces.push(0, at(1, j), at(1, j + 1));
  for (let i = 1; i < rings - 1; i++) {
    for (let j = 0; j < around; j++) {
      faces.push(at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j), at(i + 1, j + 1), at(i, j + 1));
    }
  }
  for (let j = 0; j < around; j++) faces.push(last, at(rings - 1, j + 1), at(rings - 1, j));
  return { vertices: Float32Array.from(vertices), faces: Int32Array.from(faces) };
}
