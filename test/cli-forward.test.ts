/** `forward` against the recorded outputs of the original program, on every engine, and its own rules. */

import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type NpyArray, readNpz, toFloat32, writeNpz } from '../src/weights/index.ts';
import { cli, freshFolder } from './cli-run.ts';
import { parityFile } from './parity-files.ts';
import { GPU_REMARKS, gpuEngineNames } from './webgpu/adapter.ts';

/** The tolerances of the recorded files' own description: absolute, or in standard deviations. Behind them the
 * worst error measured over all cases and engines. */
const TOLERANCES: Readonly<Record<string, { readonly absolute?: number; readonly deviations?: number }>> = {
  ws: { absolute: 1e-5 }, // 1.1e-6
  planes_sub: { deviations: 2e-4 }, // 3.3e-6
  image: { deviations: 1e-3 }, // 3.9e-5
  image_raw: { deviations: 1e-3 }, // 8.6e-5
  image_background: { deviations: 1e-3 }, // 3.9e-6
  image_mask: { absolute: 1e-4 }, // 2.9e-5
  image_depth: { absolute: 1e-4 }, // 1.7e-5
  pose_G: { absolute: 1e-4 }, // 3.3e-7
  field_sigma: { deviations: 1e-3 }, // 4.6e-6
  field_rgb: { deviations: 1e-3 }, // 2.5e-6
  D_logits: { absolute: 1e-4 }, // 1.4e-5
  D_pose: { absolute: 1e-4 }, // 2.4e-6
};

const network = parityFile('tiny/network.pkl');
const gpus = await gpuEngineNames();
const CASES = ['front_nodef', 'right_nodef', 'mixed_nodef', 'trunc_nodef', 'front_nodef_nr64'];

function error(got: Float32Array, want: Float32Array, relative: boolean): number {
  let [largest, sum, squares] = [0, 0, 0];
  want.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value - got[i]));
    sum += value;
    squares += value * value;
  });
  const deviation = Math.sqrt(squares / want.length - (sum / want.length) ** 2);
  return relative ? largest / deviation : largest;
}

/** `planes[:, :, 5::32, 5::32]` of [1, C, 256, 256]. */
function subsampled({ shape, data }: NpyArray): Float32Array {
  const [, channels, side] = shape;
  const values: number[] = [];
  for (let c = 0; c < channels; c++)
    for (let y = 5; y < side; y += 32)
      for (let x = 5; x < side; x += 32) values.push(Number(data[(c * side + y) * side + x]));
  return Float32Array.from(values);
}

describe.skipIf(network === undefined)('the recorded checkpoint', () => {
  let converted = '';

  beforeAll(async () => {
    converted = join(freshFolder(), 'tiny.safetensors');
    const { code, stderr } = await cli('convert', network!, converted);
    expect([code, stderr]).toEqual([0, expect.stringContaining('SMPL licence')]);
  });

  const table = CASES.flatMap((name) =>
    [
      ['cpu', 'pkl'],
      ['reference', 'pkl'],
      ['cpu', 'safetensors'],
    ].map(([engine, form]) => [name, engine, form]),
  );

  const others = ['web', ...gpus].map((engine) => ['right_nodef', engine, 'pkl']);
  test.each([...table, ...others])('%s on %s from %s', async (name, engine, form) => {
    const recorded = await readNpz(parityFile(`tiny/gen_${name}.npz`)!);
    const folder = freshFolder();
    const given = recorded.has('z') ? ['z', 'c_cond', 'p_cond', 'c', 'points'] : ['ws', 'c', 'points'];
    await writeNpz(
      join(folder, 'in.npz'),
      Object.fromEntries(given.flatMap((key) => (recorded.has(key) ? [[key, recorded.get(key)!]] : []))),
    );
    const truncation = recorded.get('truncation');
    const [psi, cutoff] = truncation === undefined ? [1, -1] : toFloat32(truncation);
    const flags = psi === 1 ? [] : ['--trunc', String(Math.fround(psi)), '--trunc-cutoff', String(cutoff)];
    if (name.endsWith('nr64')) flags.push('--neural-resolution', '64');
    const out = join(folder, 'out.npz');
    const { code, stderr } = await cli(
      ...['forward', '--network', form === 'pkl' ? network! : converted, '--engine', engine],
      ...['--inputs', join(folder, 'in.npz'), '--outputs', out, '--planes', '--discriminate', '--no-deform'],
      ...flags,
    );
    expect([code, stderr.replace(/^forward: .*\n/gm, '').replace(GPU_REMARKS, '')]).toEqual([0, '']);
    const outputs = await readNpz(out);
    const judged: string[] = [];
    for (const [key, tolerance] of Object.entries(TOLERANCES)) {
      if (!recorded.has(key)) continue;
      const want = recorded.get(key)!;
      const array = outputs.get(key === 'planes_sub' ? 'planes' : key);
      expect(array, key).toBeDefined();
      expect(array!.dtype).toBe('float32');
      if (key !== 'planes_sub') expect(array!.shape, key).toEqual(want.shape);
      const got = key === 'planes_sub' ? subsampled(array!) : toFloat32(array!);
      const relative = tolerance.deviations !== undefined && want.data.length > 1;
      const measured = error(got, toFloat32(want), relative);
      expect(measured, key).toBeLessThanOrEqual(tolerance.deviations ?? tolerance.absolute!);
      judged.push(key);
    }
    expect(judged.length).toBeGreaterThanOrEqual(
      name === 'front_nodef_nr64' || name === 'mixed_nodef' ? 9 : 12,
    );
  });

  test('the whole recorded file as input, pictures alone, and poses', async () => {
    const folder = freshFolder();
    const recorded = await readNpz(parityFile('tiny/gen_front_nodef.npz')!);
    const pick = async (file: string, names: readonly string[], extra: Record<string, NpyArray> = {}) => {
      const arrays = Object.fromEntries(names.map((name) => [name, recorded.get(name)!]));
      await writeNpz(join(folder, file), { ...arrays, ...extra });
      return join(folder, file);
    };
    const out = join(folder, 'out.npz');
    const forward = (inputs: string, ...flags: string[]) =>
      cli('forward', '--network', network!, '--inputs', inputs, '--outputs', out, ...flags);

    const whole = await forward(parityFile('tiny/gen_front_nodef.npz')!);
    expect(whole).toMatchObject({ code: 0, stderr: expect.stringContaining('"ws" is taken as it is') });
    expect([...(await readNpz(out)).keys()]).toEqual([
      ...['ws', 'image', 'image_raw', 'image_mask', 'image_depth', 'image_background', 'pose_G'],
      ...['field_sigma', 'field_rgb'],
    ]);

    const pictures = await pick('pictures.npz', ['image', 'image_raw', 'image_mask', 'c']);
    expect(await forward(pictures, '--discriminate')).toMatchObject({ code: 0 });
    const judged = await readNpz(out);
    expect([...judged.keys()]).toEqual(['D_logits', 'D_pose']);
    const logits = toFloat32(judged.get('D_logits')!);
    expect(Math.abs(logits[0] - Number(recorded.get('D_logits')!.data[0]))).toBeLessThan(1e-4);

    expect(await forward(await pick('a.npz', ['z', 'c']))).toMatchObject({
      code: 2,
      stderr: 'portraitgan: "z" needs its conditions: "c_cond", "p_cond" are missing\n',
    });
    expect(await forward(await pick('b.npz', ['c']))).toMatchObject({ code: 2 });
    expect(await forward(await pick('c.npz', ['ws']))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('"c" [N, 25] is missing'),
    });
    expect(await forward(await pick('d.npz', ['ws', 'c']), '--trunc', '0.5')).toMatchObject({ code: 2 });
    expect(await forward(await pick('e.npz', ['ws', 'points']))).toMatchObject({ code: 0 });
    expect([...(await readNpz(out)).keys()]).toEqual(['ws', 'field_sigma', 'field_rgb']);
    expect(await forward(await pick('f.npz', ['image', 'c']), '--discriminate')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('"image_raw", "image_mask" are missing'),
    });
    const wide = { c: { dtype: 'float64' as const, shape: [2, 25], data: new Float64Array(50) } };
    expect(await forward(await pick('g.npz', ['ws'], wide))).toMatchObject({
      code: 1,
      stderr: 'portraitgan: "ws" has a batch of 1, "c" of 2; they must agree\n',
    });

    const p = { p: { dtype: 'float64' as const, shape: [1, 6], data: Float64Array.of(0, 0.1, 0, 0, 0, 0) } };
    const posed = await pick('posed.npz', ['ws', 'c'], p);
    expect(await forward(posed)).toMatchObject({ code: 0 });
    expect([...(await readNpz(out)).keys()]).toContain('posed_vertices');
    expect(await forward(posed, '--no-deform')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('leave out one of the two'),
    });
    const bad = {
      p: { dtype: 'float64' as const, shape: [1, 6], data: Float64Array.of(0, Number.NaN, 0, 0, 0, 0) },
    };
    expect(await forward(await pick('nan.npz', ['ws', 'c'], bad))).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/NaN/),
    });
    const face = {
      face_index_coarse: { dtype: 'int16' as const, shape: [1, 3], data: Int16Array.of(0, 1, 2) },
    };
    expect(await forward(await pick('one.npz', ['ws', 'c'], { ...p, ...face }))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('faces are needed for both passes'),
    });
  });

  test('converted in half precision, and with the training networks', async () => {
    const folder = freshFolder();
    const half = join(folder, 'half.safetensors');
    const { code, stdout } = await cli('convert', network!, half, '--training', '--float16', '--json');
    expect([code, JSON.parse(stdout).networks]).toEqual([0, ['G', 'D', 'G_ema', 'D_ema']]);
    const made = await cli('generate', '--network', half, '--grid', '--outdir', folder);
    expect(made.code).toBe(0);
    const { stdout: described } = await cli('inspect', half, '--json');
    expect(Object.keys(JSON.parse(described).networks)).toEqual(['G', 'D', 'G_ema', 'D_ema']);
  });
});
