import { expect, test } from 'vitest';
import { frontView, MATTE, square, WHITE } from '../../../test/scene-support.ts';
import { NameError, ShapeError, UsageError } from '../../errors.ts';
import { createSceneRenderer } from './renderer.ts';
import type { DirectionalLight, ScenePart } from './types.ts';

const renderer = await createSceneRenderer();
const good = square(0.5, 0, MATTE);
const light: DirectionalLight = { direction: [0, 0, 1], colour: [1, 1, 1], shadow: true };
const draw = (parts: readonly ScenePart[], lighting = WHITE, view = frontView(4)) =>
  renderer.render(parts, lighting, view);

test('a wrong part is named with its array', () => {
  for (const [change, words] of [
    [{ positions: new Float32Array(11) }, 'part 1: positions has 11 numbers, not three a vertex'],
    [{ normals: new Float32Array(9) }, 'part 1: normals has 9 numbers but 4 vertices need 12'],
    [{ uvs: new Float32Array(7) }, 'part 1: uvs has 7 numbers but 4 vertices need 8'],
    [{ occlusion: new Float32Array(3) }, 'part 1: occlusion has 3 numbers but 4 vertices need 4'],
    [{ colours: new Float32Array(12) }, 'part 1: colours has 12 numbers but 4 vertices need 16'],
    [{ indices: Uint32Array.of(0, 1) }, 'part 1: indices has 2 numbers'],
    [{ indices: Uint32Array.of(0, 1, 4) }, 'part 1: indices points to vertex 4 but there are 4'],
  ] as const) {
    expect(() => draw([good, { ...good, ...change }])).toThrow(ShapeError);
    expect(() => draw([good, { ...good, ...change }])).toThrow(words);
  }
  const broken = good.positions.map((value, i) => (i === 4 ? Number.NaN : value));
  expect(() => draw([{ ...good, positions: broken }])).toThrow(UsageError);
  expect(() => draw([{ ...good, positions: broken }])).toThrow('part 0: ');
  expect(() => draw([{ ...good, uvs: good.uvs.map(() => Infinity) }])).toThrow('not finite');
  expect(() => draw([{ ...good, material: { ...MATTE, gloss: -1 } }])).toThrow(
    'part 0: every number of a material',
  );
  expect(() => draw(new Array(256).fill(good))).toThrow('at most 255 parts, not 256');
});

test('wrong views, lights and textures are refused', () => {
  expect(() => draw([good], WHITE, { ...frontView(4), supersampling: 5 })).toThrow(
    'supersampling is a whole number from 1 to 4, not 5',
  );
  expect(() => draw([good], WHITE, { ...frontView(4), supersampling: 1.5 })).toThrow(UsageError);
  expect(() => draw([good], WHITE, { ...frontView(4), width: 0 })).toThrow('0 x 4');
  expect(() => draw([good], WHITE, { ...frontView(4), label: [1, 2] })).toThrow('25 numbers');
  expect(() => draw([good], { ...WHITE, environment: new Float32Array(9) })).toThrow(
    'environment has 9 numbers',
  );
  expect(() => draw([good], { ...WHITE, lights: new Array(5).fill(light) })).toThrow('at most 4 lights');
  expect(() => draw([good], { ...WHITE, lights: new Array(3).fill(light) })).toThrow(
    'at most 2 lights cast shadows',
  );
  expect(() => draw([good], { ...WHITE, lights: [{ ...light, direction: [0, 0, 2] }] })).toThrow(
    'length 2, not 1',
  );
  const texture = renderer.upload({ width: 1, height: 1, data: new Uint8Array(4) });
  renderer.free(texture);
  expect(() => draw([{ ...good, material: { ...MATTE, texture } }])).toThrow(NameError);
  expect(() => renderer.free(texture)).toThrow(NameError);
  expect(() => renderer.upload({ width: 2, height: 2, data: new Uint8Array(12) })).toThrow('16 bytes');
  expect(() => renderer.upload({ width: 0, height: 2, data: new Uint8Array(0) })).toThrow(ShapeError);
});

test('an empty scene is an empty picture, and failures leave nothing behind', () => {
  const empty = draw([]);
  expect(empty.colour.every((value) => value === 0)).toBe(true);
  expect(empty.depth.every((value) => value === Infinity)).toBe(true);
  const nothing: ScenePart = {
    ...good,
    positions: new Float32Array(0),
    normals: new Float32Array(0),
    uvs: new Float32Array(0),
    indices: new Uint32Array(0),
  };
  const lit = { ...WHITE, lights: [light] };
  expect(draw([nothing, { ...nothing, material: { ...MATTE, mode: 'blend' } }], lit)).toEqual(empty);
});
