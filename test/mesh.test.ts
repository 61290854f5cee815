/** `portraitgan mesh` from outside. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { measureMesh } from '../src/picture/mesh/mesh.ts';
import { cli, startCli } from './cli-run.ts';
import { parseGlb } from './mesh-glb.ts';
import { parityFile } from './parity-files.ts';

const ARGS = ['mesh', '--network', 'preset:tiny', '--level', '0.05', '--resolution', '40'];
const folder = (): string => mkdtempSync(join(tmpdir(), 'portraitgan-mesh-'));

test('all formats, a picture, and numbers that agree', async () => {
  const out = folder();
  const { code, stdout } = await cli(...ARGS, '--formats', 'glb,ply,obj,mrc', '--outdir', out, '--json');
  expect(code).toBe(0);
  expect(readdirSync(out).sort()).toEqual(
    ['.glb', '.mrc', '.obj', '.ply', '_mesh.png'].map((end) => `seed0000${end}`),
  );
  const { meshes } = JSON.parse(stdout);
  const [{ vertices, faces, range, samples, coloured }] = meshes;
  expect(samples).toBe(38 ** 3);
  expect(range[0]).toBeLessThan(0.05);
  expect(coloured).toBeGreaterThan(0.1);
  const glb = parseGlb(readFileSync(join(out, 'seed0000.glb')));
  expect([glb.positions.length / 3, glb.indices.length / 3]).toEqual([vertices, faces]);
  expect(measureMesh(glb)).toMatchObject({ openEdges: 0 });
  expect(measureMesh(glb).volume).toBeGreaterThan(0);
  expect(new Set(glb.colours).size).toBeGreaterThan(10);
  const ply = readFileSync(join(out, 'seed0000.ply')).toString('latin1');
  expect(ply).toContain(`element vertex ${vertices}\n`);
  expect(ply).toContain('property uchar red');
  const obj = readFileSync(join(out, 'seed0000.obj'), 'utf8');
  expect(obj.match(/^v /gm)).toHaveLength(vertices);
  expect(readFileSync(join(out, 'seed0000.mrc'))).toHaveLength(1024 + 4 * 40 ** 3);
  const picture = await sharp(join(out, 'seed0000_mesh.png')).metadata();
  expect(picture.width).toBeGreaterThan(1500);
});

test('the density alone asks for no surface', async () => {
  const out = folder();
  const args = ['--level', '99', '--formats', 'mrc', '--outdir', out];
  const { code, stdout } = await cli(...ARGS, ...args);
  expect([code, stdout]).toEqual([0, expect.stringContaining(`${38 ** 3} samples`)]);
  expect(readdirSync(out)).toEqual(['seed0000.mrc']);
});

test('one part or all, fewer triangles, no colours, no picture', async () => {
  const out = folder();
  const made = async (
    ...args: string[]
  ): Promise<{ vertices: number; faces: number; parts: number; files: string[] }> => {
    const { code, stdout } = await cli(
      ...ARGS,
      '--no-colour',
      '--no-picture',
      '--outdir',
      out,
      '--json',
      ...args,
    );
    expect(code).toBe(0);
    return JSON.parse(stdout).meshes[0];
  };
  const [largest, all, fewer] = [await made(), await made('--keep', 'all'), await made('--simplify', '0.3')];
  expect(largest.files).toEqual([join(out, 'seed0000.glb')]);
  expect(all.parts).toBe(largest.parts);
  expect(all.faces).toBeGreaterThanOrEqual(largest.faces);
  expect(fewer.faces).toBeLessThan(0.35 * largest.faces);
  expect(parseGlb(readFileSync(join(out, 'seed0000.glb'))).colours).toBeUndefined();
});

describe('what cannot be', () => {
  test.each([
    [['--level', '15'], 'there is no surface at level 15: the density goes from -'],
    [
      ['--grid', 'compatible', '--formats', 'glb'],
      '--grid compatible writes ply and mrc, as the original does, not glb',
    ],
    [['--grid', 'compatible', '--cube', '1'], '--grid compatible and --cube contradict each other'],
    [['--resolution', '8'], '--resolution is 8; expected 16 to 512'],
    [['--formats', 'stl'], '--formats is "stl"; expected glb, ply, obj, mrc'],
    [['--simplify', '2'], '--simplify is 2; expected 0.001 to 1'],
  ])('%j', async (args, message) => {
    const out = folder();
    const { code, stderr } = await cli(...ARGS, '--outdir', out, ...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(readdirSync(out)).toEqual([]);
  });

  test('a folder that cannot be written to', async () => {
    const out = folder();
    writeFileSync(join(out, 'file'), '');
    const finished = await cli(...ARGS, '--outdir', join(out, 'file', 'sub'));
    expect(finished).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot write to the folder'),
    });
  });

  test.skipIf(process.platform === 'win32')('an interruption leaves no half file', async () => {
    const out = join(folder(), 'meshes');
    const { child, done } = startCli([
      'mesh',
      '--level',
      '0.05',
      '--resolution',
      '512',
      '--dense',
      '--outdir',
      out,
    ]);
    while (!existsSync(out)) await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill('SIGINT');
    expect((await done).code).toBe(130);
    expect(readdirSync(out)).toEqual([]);
  });
});

const network = parityFile('tiny/network.pkl');
test.skipIf(network === undefined)("the original's own file: frame, padding and layout", async () => {
  const out = folder();
  const args = ['mesh', '--network', network!, '--grid', 'compatible', '--resolution', '48', '--outdir', out];
  const { code, stdout } = await cli(...args, '--formats', 'ply,mrc', '--json');
  expect(code).toBe(0);
  const [{ vertices, faces, parts }] = JSON.parse(stdout).meshes;
  expect(parts).toBeGreaterThan(1);
  const ply = readFileSync(join(out, 'seed0000.ply'));
  const header = ply.subarray(0, ply.indexOf('end_header\n') + 11);
  expect(header.toString()).not.toContain('uchar red');
  expect(ply.length).toBe(header.length + vertices * 12 + faces * 13);
  const positions = new Float32Array(
    ply.buffer.slice(ply.byteOffset + header.length, ply.byteOffset + header.length + vertices * 12),
  );
  const indices = Uint32Array.from({ length: faces * 3 }, (_, i) =>
    ply.readInt32LE(header.length + vertices * 12 + Math.floor(i / 3) * 13 + 1 + (i % 3) * 4),
  );
  // Triangles face inwards there.
  expect(measureMesh({ positions, indices })).toMatchObject({ openEdges: 0 });
  expect(measureMesh({ positions, indices }).volume).toBeLessThan(0);
  expect(Math.min(...positions)).toBeGreaterThan(4);
  expect(Math.max(...positions)).toBeLessThan(43);
  // The first axis is reversed and the border overwritten.
  const mrc = readFileSync(join(out, 'seed0000.mrc'));
  const value = (a: number, b: number, c: number): number =>
    mrc.readFloatLE(1024 + ((a * 48 + b) * 48 + c) * 4);
  expect([value(0, 20, 20), value(20, 4, 20), value(20, 20, 43)]).toEqual([-1000, -1000, -1000]);
  expect(value(20, 5, 42)).not.toBe(-1000);
});
