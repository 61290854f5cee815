/** Meshes carried to a pose: in memory on the body that ships, and through `portraitgan mesh`. */

import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { carryToPose } from '../src/cli/mesh-pose.ts';
import { defaultBody } from '../src/default-body.ts';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { initialNetworks } from '../src/load.ts';
import { type Mesh, measureMesh, vertexNormals } from '../src/picture/mesh/mesh.ts';
import { generatorConfig } from '../src/portrait/config.ts';
import { portraitGenerator } from '../src/portrait/session.ts';
import { ndarray } from '../src/tensor/index.ts';
import { cli } from './cli-run.ts';
import { parseGlb } from './mesh-glb.ts';

const engine = cpuEngine({ threads: 2 });
afterAll(() => engine.dispose());

const body = defaultBody();
const { thickness, rendering } = generatorConfig(initialNetworks('tiny').generator.record);

/** The body itself, grown along its normals. */
function grown(metres: number): Mesh {
  const mesh = { positions: body.canonical, indices: Uint32Array.from(body.faces) };
  const normals = vertexNormals(mesh);
  return { ...mesh, positions: mesh.positions.map((value, i) => value + metres * normals[i]) };
}

const posed = (mesh: Mesh, degrees: readonly number[]): Promise<Mesh> => {
  const pose = ndarray(
    [1, 6],
    degrees.map((angle) => (angle * Math.PI) / 180),
  );
  return carryToPose(engine, { thickness, rendering }, body, pose)(mesh);
};

describe('on the body that ships', () => {
  const mesh = grown(0.005);
  const everywhere = (): boolean => true;
  /** How far vertices that `choose` picks have gone, ascending. */
  const moves = (
    { positions }: Pick<Mesh, 'positions'>,
    choose: (x: number, y: number, z: number) => boolean,
  ): Float64Array => {
    const far: number[] = [];
    for (let v = 0; v < mesh.positions.length; v += 3) {
      const [x, y, z] = mesh.positions.subarray(v, v + 3);
      if (choose(x, y, z)) far.push(Math.hypot(positions[v] - x, positions[v + 1] - y, positions[v + 2] - z));
    }
    return Float64Array.from(far).sort();
  };

  test('the zero pose leaves every vertex', async () => {
    const moved = await posed(mesh, [0, 0, 0, 0, 0, 0]);
    expect(moved.indices).toBe(mesh.indices);
    // Measured 3e-17.
    expect(moves(moved, everywhere).at(-1)).toBeLessThan(1e-5);
  });

  test('a turning head takes the face along, and leaves the shoulders and the winding', async () => {
    const moved = await posed(mesh, [0, 0, 0, 0, 40, 0]);
    // The face, about .07 and more in front of the axis, goes by 2 .07 sin 20 degrees and more. Measured .0484.
    expect(moves(moved, (_, y, z) => y > 0.12 && z > 0.1)[0]).toBeGreaterThan(0.045);
    // So does the crown: a nod of 20 degrees about a joint .1 below it. Measured .037.
    const nodded = await posed(mesh, [0, 0, 0, 20, 0, 0]);
    expect(moves(nodded, (_, y) => y > 0.2)[0]).toBeGreaterThan(0.03);
    expect(moves(moved, (x, y) => Math.abs(x) > 0.13 && y < -0.03).at(-1)).toBeLessThan(1e-3);
    const [before, after] = [measureMesh(mesh), measureMesh(moved)];
    expect(after.openEdges).toBe(before.openEdges);
    // Measured .995.
    expect(after.volume / before.volume).toBeCloseTo(1, 1);
  });

  test('rendering carries nearly all of it back', async () => {
    const generator = portraitGenerator(engine, initialNetworks('tiny').generator, body);
    const angles = [10, 20, 0, 0, 20, 10];
    const { positions } = await posed(mesh, angles);
    const pose = ndarray(
      [1, 6],
      angles.map((angle) => (angle * Math.PI) / 180),
    );
    const back = await generator.deformation(pose, ndarray([1, positions.length / 3, 3], positions));
    const apart = moves({ positions: back.moved.data as Float32Array }, everywhere);
    // Measured 1e-4, the median 1e-8; folds are nearest to other faces from the other side: up to .01.
    expect(apart[Math.floor(0.9 * apart.length)]).toBeLessThan(1e-3);
  });

  test('vertices beyond the thickness stay', async () => {
    const far = { positions: Float32Array.of(0, 0.3 + thickness, 0), indices: new Uint32Array() };
    expect((await posed(far, [0, 0, 0, 30, 0, 0])).positions).toEqual(far.positions);
  });
});

describe('portraitgan mesh', () => {
  const ARGS = ['mesh', '--network', 'preset:tiny', '--level', '0.05', '--resolution', '40'];
  const folder = (): string => mkdtempSync(join(tmpdir(), 'portraitgan-mesh-'));
  const made = async (...args: string[]) => {
    const out = folder();
    expect((await cli(...ARGS, '--outdir', out, ...args)).code).toBe(0);
    expect(readdirSync(out).sort()).toEqual(['seed0000.glb', 'seed0000_mesh.png']);
    return parseGlb(readFileSync(join(out, 'seed0000.glb')));
  };

  test('canonical by default; a pose moves vertices and keeps colours, triangles and winding', async () => {
    const [plain, zero, turned] = [
      await made(),
      await made('--neck', '0,0,0'),
      await made('--head', '0,40,0'),
    ];
    const apart = (other: Mesh): number =>
      plain.positions.reduce((most, value, i) => Math.max(most, Math.abs(value - other.positions[i])), 0);
    expect(apart(zero)).toBeLessThan(1e-5);
    expect(apart(turned)).toBeGreaterThan(0.03);
    expect(turned.indices).toEqual(plain.indices);
    expect(turned.colours).toEqual(plain.colours);
    expect(measureMesh(turned).volume).toBeGreaterThan(0.5 * measureMesh(plain).volume);
  });

  test.each([
    [
      ['--grid', 'compatible', '--head', '0,1,0'],
      '--grid compatible and --neck/--head contradict each other',
    ],
    [['--formats', 'mrc', '--head', '0,1,0'], '--neck and --head have no effect on mrc'],
    [['--body', 'nobody.npz'], '--body has no effect without a pose'],
    [['--body', 'nobody.npz', '--head', '0,1,0'], 'nobody.npz'],
    [['--head', '0,1'], '--head is "0,1"; expected three numbers of degrees'],
  ])('%j', async (args, message) => {
    const out = folder();
    const { code, stderr } = await cli(...ARGS, '--outdir', out, ...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(readdirSync(out)).toEqual([]);
  });
});
