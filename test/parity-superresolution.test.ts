/** The three super-resolution networks against recorded pictures (`parity/units/sr_*.npz`). */

import { afterAll, describe, expect, it } from 'vitest';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { referenceEngine } from '../src/engines/reference/index.ts';
import { parametersOf } from '../src/portrait/parameters.ts';
import { type SuperresolutionModule, superresolve } from '../src/portrait/superresolution.ts';
import { fromHalfBits } from '../src/tensor/half.ts';
import * as t from '../src/tensor/index.ts';
import { toNdArray } from '../src/weights/elements.ts';
import { readNpz } from '../src/weights/npz.ts';
import { parityFile } from './parity-files.ts';

const FILES: Record<string, { module: SuperresolutionModule; resolution: number }> = {
  sr_2x: { module: '2X', resolution: 128 },
  sr_4x: { module: '4X', resolution: 256 },
  sr_8xdc: { module: '8XDC', resolution: 512 },
};

const engines: Record<string, t.Engine> = { cpu: cpuEngine({ threads: 2 }), reference: referenceEngine() };
afterAll(async () => {
  for (const engine of Object.values(engines)) await engine.dispose();
});

/** Every `step`-th pixel, or a window, of [N, C, H, W]. */
function pixels(image: t.NdArray, at: readonly number[]): number[] {
  const [batch, channels, height, width] = image.shape;
  const values: number[] = [];
  for (let plane = 0; plane < batch * channels; plane++) {
    for (const row of at)
      for (const column of at) values.push(image.data[(plane * height + row) * width + column]);
  }
  return values;
}

const range = (start: number, count: number, step = 1): number[] =>
  Array.from({ length: count }, (_, i) => start + i * step);

for (const [file, { module, resolution }] of Object.entries(FILES)) {
  const path = parityFile(`units/${file}.npz`);
  describe.skipIf(path === undefined)(file, () => {
    for (const name of Object.keys(engines)) {
      // The reference takes half a minute for a 512 px picture: its share is the small network.
      it.skipIf(name === 'reference' && file !== 'sr_2x')(`on ${name}`, async () => {
        const raw = await readNpz(path!);
        const arrays = new Map(
          [...raw].map(([key, array]) => [
            key,
            array.dtype === 'float16' ? widened(array) : toNdArray(array),
          ]),
        );
        const shapes = new Map<string, t.Aval>();
        const parameters: Record<string, t.NdArray> = {};
        for (const [key, array] of arrays) {
          if (!key.startsWith('param/')) continue;
          shapes.set(key.slice(6), array);
          parameters[key.slice(6)] = array;
        }
        const cases = [
          ...new Set([...arrays.keys()].filter((key) => key.endsWith('/ws')).map((key) => key.split('/')[0])),
        ];
        expect(cases.length).toBeGreaterThan(1);
        for (const label of cases) {
          const [x, rgb, ws] = ['x', 'rgb', 'ws'].map((role) => arrays.get(`${label}/${role}`)!);
          const graph = t.trace(file, { x, rgb, ws }, (given) => ({
            ...superresolve(parametersOf(shapes), given.rgb, given.x, given.ws, {
              module,
              resolution,
              antialias: true,
              block: { noise: 'none', clamp: 256 },
            }),
          }));
          const needed = Object.fromEntries(
            graph.parameters.map((entry) => [entry.name, parameters[entry.name]]),
          );
          const program = await engines[name].compile(graph, { parameters: needed });
          const { image, raw: after } = await program.run({ x, rgb, ws });
          await program.dispose();
          compare(after.data, arrays.get(`${label}/rgb_after`)!.data, `${label}/rgb_after`);
          const full = arrays.get(`${label}/image`);
          if (full !== undefined) compare(image.data, full.data, label);
          const step = file === 'sr_8xdc' ? 4 : 2;
          const sub = arrays.get(`${label}/image_sub`);
          if (sub !== undefined)
            compare(pixels(image, range(0, resolution / step, step)), sub.data, `${label}/sub`);
          const corner = arrays.get(`${label}/image_corner`);
          if (corner !== undefined) compare(pixels(image, range(0, 48)), corner.data, `${label}/corner`);
          const middle = arrays.get(`${label}/image_center`);
          if (middle !== undefined)
            compare(pixels(image, range(resolution / 2 - 24, 48)), middle.data, `${label}/centre`);
        }
      });
    }
  });
}

function widened(array: { shape: readonly number[]; data: ArrayLike<number | bigint> }): t.NdArray {
  return t.ndarray(
    array.shape,
    Array.from(array.data, (bits) => fromHalfBits(Number(bits))),
  );
}

/** Within 1e-3 of the recorded standard deviation; the worst seen is 3e-6. */
function compare(got: ArrayLike<number>, want: ArrayLike<number>, name: string): void {
  expect(got.length, name).toBe(want.length);
  const values = Array.from(want);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
  const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i])), 0);
  expect(worst / deviation, name).toBeLessThan(1e-4);
}
