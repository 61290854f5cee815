import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { fromBase64, golden } from '../../test/corpus/golden.ts';
import * as p from '../../test/corpus/pickle-builder.ts';
import { zipBytes } from '../../test/corpus/zip-builder.ts';
import { parityFile } from '../../test/parity-files.ts';
import { readBodyFile } from './body-file.ts';
import { convertCheckpoint } from './convert.ts';
import { toFloat32 } from './elements.ts';
import { describeFile } from './inspect.ts';
import { writeSafetensors } from './safetensors-write.ts';

const folder = mkdtempSync(join(tmpdir(), 'inspect-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function describe(bytes: Uint8Array) {
  const path = join(folder, 'file.wrong-name');
  writeFileSync(path, bytes);
  const found = await describeFile(path);
  expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  return found;
}

test('a checkpoint: modules, parameters, settings', async () => {
  const found = await describe(p.smallCheckpoint());
  expect(found.kind).toBe('checkpoint');
  expect(found.details.networks).toMatchObject({
    G_ema: {
      className: 'TriPlaneGenerator',
      parameters: 6,
      parametersPerModule: { renderer: 0, backbone: 6 },
    },
  });
  expect(found.lines).toContain('G_ema: TriPlaneGenerator, 3 tensors, 6 parameters');
  expect(found.lines).toContain('    backbone.weight  float32 [3, 2]');
  expect(found.lines).toContain('  renderer.thickness = 0.25');
});

test('our own checkpoint says the same', async () => {
  const pkl = join(folder, 'a.pkl');
  writeFileSync(pkl, p.smallCheckpoint());
  convertCheckpoint(pkl, join(folder, 'b.pkl'), { training: true });
  const [a, b] = [await describeFile(pkl), await describeFile(join(folder, 'b.pkl'))];
  expect(b.details).toEqual({ ...a.details, format: 'safetensors' });
});

test('npy, npz, zip, safetensors, pickles', async () => {
  expect((await describe(fromBase64(golden.npy.fortran))).lines[1]).toBe('array  float64 [2, 3]');
  expect(await describe(fromBase64(golden.npz))).toMatchObject({
    kind: 'npz',
    details: { arrays: [{ name: 'a', dtype: 'float32', shape: [2, 3] }, { name: 'b' }] },
  });
  expect(await describe(zipBytes([{ name: 'x.txt', data: p.ascii('hello') }]))).toMatchObject({
    kind: 'zip',
    details: { members: [{ name: 'x.txt', bytes: 5 }] },
  });
  const path = join(folder, 'st');
  writeSafetensors(
    path,
    [{ name: 'a', dtype: 'float16', shape: [2] }],
    { by: 'someone' },
    () => new Uint8Array(4),
  );
  expect((await describeFile(path)).lines.slice(1)).toEqual(['a  float16 [2]', 'by: someone']);
  expect((await describe(p.pickle(p.dict({ k: p.callNamed('os', 'system') })))).lines[1]).toBe(
    'k: an object made by os.system',
  );
});

test('other files are named, not thrown', async () => {
  expect((await describe(new Uint8Array(0))).lines[1]).toMatch(/is empty/);
  expect((await describe(p.ascii('<html>'))).kind).toBe('html');
});

const bodyPickle = parityFile('tiny/body.pkl');
const bodyArchive = parityFile('tiny/body.npz');

test.skipIf(!bodyPickle || !bodyArchive)('the recorded body reads the same from both forms', async () => {
  expect((await describeFile(bodyPickle as string)).kind).toBe('body');
  expect((await describeFile(bodyArchive as string)).kind).toBe('body');
  const fromPickle = await readBodyFile(bodyPickle as string);
  const fromArchive = await readBodyFile(bodyArchive as string);
  for (const name of ['v_template', 'f', 'shapedirs', 'posedirs', 'J_regressor', 'weights', 'J']) {
    const [a, b] = [fromPickle.get(name), fromArchive.get(name)];
    if (!a || !b) throw new Error(`no ${name}`);
    expect(a.shape, name).toEqual(b.shape);
    expect(toFloat32(a), name).toEqual(toFloat32(b));
  }
});

test('a file that is no body says what is missing', async () => {
  await expect(readBodyFile(fromBase64(golden.npz))).rejects.toThrow(
    /not a body model: it has no v_template, f/,
  );
  await expect(readBodyFile(p.ascii('<html>'))).rejects.toThrow(/this file is: html/);
});
