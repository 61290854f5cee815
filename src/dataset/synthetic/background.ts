/** Backgrounds low in detail: gradients, clouds and blurred shapes, painted small and enlarged smoothly. */

import type { Stream } from '../../random.ts';

/** Side of the canvas: what is enlarged from it is out of focus. */
const SIDE = 40;

/** A background.
 *
 * @returns [size, size, 3] linear light
 */
export function backgroundOf(own: Stream, size: number): Float32Array {
  const canvas = new Float32Array(SIDE * SIDE * 3);
  const brightness = 0.03 + 0.7 * own.uniform() ** 1.5;
  const corners = [0, 1, 2, 3].map(() => colourNear(own, brightness, 0.16));
  paintGradient(canvas, corners);
  const kind = own.uniform();
  if (kind > 0.3) paintClouds(canvas, own, brightness * 0.6);
  if (kind > 0.55) {
    const count = 3 + Math.floor(9 * own.uniform());
    for (let i = 0; i < count; i++)
      paintShape(canvas, own, colourNear(own, brightness * (0.3 + 1.5 * own.uniform()), 0.3));
    blur(canvas, 1 + Math.floor(3 * own.uniform()));
  }
  return enlarged(canvas, size);
}

function colourNear(own: Stream, brightness: number, saturation: number): number[] {
  return [0, 1, 2].map(() => brightness * Math.exp(saturation * own.normal()));
}

function paintGradient(canvas: Float32Array, corners: readonly number[][]): void {
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const [u, v] = [x / (SIDE - 1), y / (SIDE - 1)];
      for (let c = 0; c < 3; c++) {
        const top = corners[0][c] + u * (corners[1][c] - corners[0][c]);
        const bottom = corners[2][c] + u * (corners[3][c] - corners[2][c]);
        canvas[3 * (y * SIDE + x) + c] = top + v * (bottom - top);
      }
    }
  }
}

/** Value noise of two scales. */
function paintClouds(canvas: Float32Array, own: Stream, strength: number): void {
  for (const cells of [3, 7]) {
    const values = Float32Array.from({ length: (cells + 1) ** 2 }, () => own.uniform() - 0.5);
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        const value = bilinear(values, cells + 1, 1, (x / SIDE) * cells, (y / SIDE) * cells, 0);
        for (let c = 0; c < 3; c++) {
          const at = 3 * (y * SIDE + x) + c;
          canvas[at] = Math.max(0.002, canvas[at] + (strength * value * 3) / cells);
        }
      }
    }
  }
}

function paintShape(canvas: Float32Array, own: Stream, colour: readonly number[]): void {
  const [cx, cy] = [SIDE * own.uniform(), SIDE * own.uniform()];
  const [rx, ry] = [SIDE * (0.04 + 0.22 * own.uniform()), SIDE * (0.04 + 0.3 * own.uniform())];
  const round = own.uniform() < 0.5;
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const [u, v] = [(x - cx) / rx, (y - cy) / ry];
      const inside = round ? u * u + v * v < 1 : Math.abs(u) < 1 && Math.abs(v) < 1;
      if (inside) for (let c = 0; c < 3; c++) canvas[3 * (y * SIDE + x) + c] = colour[c];
    }
  }
}

/** Box blur, twice each way: nearly Gaussian. */
function blur(canvas: Float32Array, radius: number): void {
  const line = new Float32Array(SIDE);
  const pass = (start: number, step: number): void => {
    for (let i = 0; i < SIDE; i++) {
      let sum = 0;
      for (let k = -radius; k <= radius; k++)
        sum += canvas[start + step * Math.min(SIDE - 1, Math.max(0, i + k))];
      line[i] = sum / (2 * radius + 1);
    }
    for (let i = 0; i < SIDE; i++) canvas[start + step * i] = line[i];
  };
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < SIDE; i++) {
      for (let c = 0; c < 3; c++) {
        pass(3 * i * SIDE + c, 3);
        pass(3 * i + c, 3 * SIDE);
      }
    }
  }
}

function enlarged(canvas: Float32Array, size: number): Float32Array {
  const out = new Float32Array(size * size * 3);
  const step = (SIDE - 1) / size;
  for (let y = 0; y < size; y++) {
    const v = (y + 0.5) * step;
    const row = Math.min(SIDE - 2, Math.floor(v));
    const fy = smooth(v - row);
    for (let x = 0; x < size; x++) {
      const u = (x + 0.5) * step;
      const column = Math.min(SIDE - 2, Math.floor(u));
      const fx = smooth(u - column);
      const at = 3 * (row * SIDE + column);
      for (let c = 0; c < 3; c++) {
        const top = canvas[at + c] + fx * (canvas[at + 3 + c] - canvas[at + c]);
        const below = at + 3 * SIDE + c;
        const bottom = canvas[below] + fx * (canvas[below + 3] - canvas[below]);
        out[3 * (y * size + x) + c] = top + fy * (bottom - top);
      }
    }
  }
  return out;
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t);
}

function bilinear(
  values: Float32Array,
  width: number,
  channels: number,
  u: number,
  v: number,
  c: number,
): number {
  const [x, y] = [Math.min(width - 2, Math.floor(u)), Math.min(width - 2, Math.floor(v))];
  const [fx, fy] = [smooth(u - x), smooth(v - y)];
  const at = (y * width + x) * channels + c;
  const top = values[at] + fx * (values[at + channels] - values[at]);
  const below = at + width * channels;
  const bottom = values[below] + fx * (values[below + channels] - values[below]);
  return top + fy * (bottom - top);
}
