/** The command line from outside: what it says to wrong requests, what it writes, and that it leaves no half files. */

import { copyFileSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { cameraLabel, focalOfLegacyFov, intrinsics, viewCamera } from '../src/portrait/camera.ts';
import { type NpyArray, randomState, readNpz, writeNpz } from '../src/weights/index.ts';
import { cli, freshFolder, startCli } from './cli-run.ts';
import { parityFile } from './parity-files.ts';

const TINY = ['--network', 'preset:tiny'];

describe('wrong requests: exit 2 and one message', () => {
  const generate = ['generate', ...TINY];
  test.each([
    [['--seeds', '3-1'], '--seeds: the range "3-1" runs backwards; write 1-3'],
    [['--seeds', 'x'], '--seeds: "x" is neither a number nor a range; expected a list such as 0-3,7'],
    [['--seeds', '-1'], '--seeds: "-1" is negative; seeds start at 0'],
    [['--seeds', ''], '--seeds is empty; expected a list such as 0-3,7'],
    [['--seeds', '1,,2'], '--seeds: "" is neither a number nor a range; expected a list such as 0-3,7'],
    [['--seeds', '4294967296'], '--seeds: "4294967296" goes beyond 4294967295, the largest seed'],
    [
      ['--views', 'front', '--yaw', '10'],
      '--yaw/--pitch and --views contradict each other: each says where the camera is',
    ],
    [
      ['--fov', '10', '--fov-legacy', '12'],
      '--fov and --fov-legacy contradict each other: each says how wide the camera looks',
    ],
    [
      ['--seeds', '1', '--latents', 'a.npz'],
      '--seeds and --latents contradict each other: each says whom to show',
    ],
    [['--mix', '3'], '--mix needs --mix-layers: which rows come from the other seed, such as 0-6'],
    [['--mix-layers', '0-3'], '--mix-layers needs --mix SEED: the seed that gives these rows'],
    [['--interpolate', '3'], '--interpolate needs at least two seeds'],
    [['--trunc', 'a'], '--trunc is "a"; expected a number'],
    [['--trunc-cutoff', '3'], '--trunc-cutoff without --trunc has no effect; give --trunc too'],
    [['--views', 'top'], '--views is "top"; expected front, left, back, right'],
    [['--maps', 'image,colour'], '--maps is "colour"; expected image, raw, mask, depth, background, normals'],
    [['--fov', '180'], 'field of view is 180 degrees; it must be between 0 and 180'],
    [['--engine', 'gpu'], '--engine is "gpu"; expected auto, cpu, webgpu, web, reference'],
    [['--threads', '0'], '--threads is 0; expected 1 to 1024'],
    [['--ray-start', '9'], '--ray-start is 9; rays of this network end at 3.02 metres'],
    [['--grid', '2'], '--grid is "2"; expected WxH such as 4x2, or nothing after it'],
    [['--seeds', '0-3', '--grid', '1x2'], '--grid 1x2 has 2 places for 4 pictures'],
    [['--mix', '1', '--mix-layers', '0-9'], '--mix-layers ends at 9; this network has rows 0 to 7'],
    [
      ['--camera', 'none.json'],
      "cannot read the camera file: ENOENT: no such file or directory, open 'none.json'",
    ],
  ])('generate %j', async (args, message) => {
    const folder = freshFolder();
    const { code, stderr, stdout } = await cli(...generate, ...args, '--outdir', join(folder, 'o'));
    expect(stderr.split('\n').filter((line) => !line.includes('never trained'))).toEqual([
      `portraitgan: ${message}`,
      '',
    ]);
    expect([code, stdout]).toEqual([2, '']);
    expect(readdirSync(folder).flatMap((name) => readdirSync(join(folder, name)))).toEqual([]);
  });

  test('unknown commands and options', async () => {
    expect(await cli('generat')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Did you mean generate?'),
    });
    expect(await cli('generate', '--seed', '1')).toMatchObject({ code: 2 });
    expect(await cli('presets', 'x')).toMatchObject({ code: 2 });
    expect(await cli('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('generate') });
  });

  test('a folder that cannot be written to', async () => {
    const folder = freshFolder();
    writeFileSync(join(folder, 'file'), '');
    const { code, stderr } = await cli('generate', '--outdir', join(folder, 'file', 'out'));
    expect(code).toBe(2);
    expect(stderr).toContain(`cannot write to the folder "${join(folder, 'file', 'out')}"`);
    if (process.platform === 'linux')
      expect(await cli('generate', '--outdir', '/proc/none')).toMatchObject({ code: 2 });
    const missing = join(folder, 'none', 'out.npz');
    const forward = await cli('forward', ...TINY, '--inputs', 'x.npz', '--outputs', missing);
    expect(forward).toMatchObject({
      code: 2,
      stderr: `portraitgan: cannot write "${missing}": no such folder\n`,
    });
  });
});

describe('files that are no checkpoints', () => {
  test.each([
    ['text', Buffer.from('hello'), 'neither a pickle'],
    ['empty', Buffer.alloc(0), 'the file is empty'],
    ['web page', Buffer.from('<!DOCTYPE html><p>'), 'web page'],
  ])('%s', async (_, bytes, message) => {
    const file = join(freshFolder(), 'network.pkl');
    writeFileSync(file, bytes);
    for (const command of [
      ['generate', '--network', file, '--outdir', join(freshFolder(), 'o')],
      ['convert', file, join(freshFolder(), 'o.safetensors')],
    ]) {
      const { code, stderr } = await cli(...command);
      expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
      expect(stderr).toContain(`"${file}"`);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    }
  });

  test('a missing file', async () => {
    expect(await cli('generate', '--network', 'no.pkl', '--outdir', freshFolder())).toMatchObject({
      code: 2,
      stderr: 'portraitgan: there is no file "no.pkl" (--network)\n',
    });
  });

  const network = parityFile('tiny/network.pkl');
  test.skipIf(network === undefined)('a truncated download', async () => {
    const folder = freshFolder();
    const file = join(folder, 'network.pkl');
    copyFileSync(network!, file);
    truncateSync(file, 3_000_000);
    const { code, stderr } = await cli('convert', file, join(folder, 'out.safetensors'));
    expect([code, stderr]).toEqual([1, expect.stringMatching(/truncated|missing|bytes/)]);
    expect(readdirSync(folder)).toEqual(['network.pkl']);
  });
});

describe('generate', () => {
  test('writes pictures, a sheet and latents that give the same pictures again', async () => {
    const folder = freshFolder();
    const out = (name: string): string => join(folder, name);
    const args = [
      'generate',
      ...TINY,
      '--views',
      'front,back',
      '--maps',
      'image,depth,normals',
      '--noise',
      'none',
    ];
    const first = await cli(
      ...args,
      '--seeds',
      '2-3',
      '--outdir',
      out('a'),
      '--save-latents',
      out('l.npz'),
      '--json',
    );
    expect(first.code).toBe(0);
    const names = ['seed0002', 'seed0003'].flatMap((seed) =>
      ['back', 'back_depth', 'back_normals', 'front', 'front_depth', 'front_normals'].map(
        (end) => `${seed}_${end}.png`,
      ),
    );
    expect(readdirSync(out('a')).sort()).toEqual([...names, 'sheet.png']);
    expect(JSON.parse(first.stdout).pictures).toHaveLength(12);
    const arrays = await readNpz(out('l.npz'));
    expect([...arrays].map(([name, { shape }]) => [name, ...shape])).toEqual([
      ['ws', 2, 8, 32],
      ['z', 2, 16],
      ['seeds', 2],
    ]);
    expect((await cli(...args, '--latents', out('l.npz'), '--outdir', out('b'))).code).toBe(0);
    const pixels = (file: string): Promise<Buffer> => sharp(file).raw().toBuffer();
    expect(await pixels(out('b/latent0001_back.png'))).toEqual(await pixels(out('a/seed0003_back.png')));
    expect(await sharp(out('a/seed0002_front.png')).metadata()).toMatchObject({ width: 32, height: 32 });
  });

  test('sheets alone, sizes, sweeps, mixing and interpolation', async () => {
    const folder = freshFolder();
    for (const args of [
      ['--seeds', '0-3', '--grid'],
      ['--seeds', '0-3', '--trunc', '0,1', '--trunc-cutoff', '4', '--grid', '4x2', '--size', '80'],
    ]) {
      expect((await cli('generate', ...TINY, ...args, '--outdir', folder)).code).toBe(0);
      expect(readdirSync(folder)).toEqual(['sheet.png']);
    }
    const made = async (...args: string[]): Promise<string[]> => {
      const outdir = freshFolder();
      expect((await cli('generate', ...TINY, ...args, '--outdir', outdir)).code).toBe(0);
      return readdirSync(outdir).sort();
    };
    expect(await made('--seeds', '1', '--trunc', '0.5,1')).toEqual([
      'seed0001_psi0.5_front.png',
      'seed0001_psi1_front.png',
      'sheet.png',
    ]);
    expect(await made('--seeds', '1', '--mix', '2', '--mix-layers', '0-3')).toEqual([
      'seed0001_mix0002_front.png',
      'sheet.png',
    ]);
    expect(await made('--seeds', '1,5', '--interpolate', '1', '--yaw', '-30', '--pitch', '10')).toEqual([
      'frame0000_yaw-30_pitch10.png',
      'frame0001_yaw-30_pitch10.png',
      'frame0002_yaw-30_pitch10.png',
      'sheet.png',
    ]);
  });

  test('camera files: 25 numbers, matrices, result.json; the front camera equals the front view', async () => {
    const folder = freshFolder();
    const s = 0.0649 / Math.hypot(2.7, 0.0649);
    const k = Math.sqrt(1 - s * s);
    const pose = [
      [1, 0, 0, 0],
      [0, -k, s, 0],
      [0, -s, -k, 2.7],
      [0, 0, 0, 1],
    ];
    const f = 5000 / 1024 / 0.75;
    const intrinsics = [f, 0, 0.5, 0, f, 0.5, 0, 0, 1];
    const forms = {
      list: [...pose.flat(), ...intrinsics],
      parts: {
        cam2world: pose,
        intrinsics: [intrinsics.slice(0, 3), intrinsics.slice(3, 6), intrinsics.slice(6)],
      },
      result: { 'a.png': { camera_pose: pose }, 'b.png': { camera_pose: pose } },
    };
    const outdir = join(folder, 'o');
    const front = join(folder, 'front');
    expect((await cli('generate', ...TINY, '--outdir', front)).code).toBe(0);
    for (const [name, value] of Object.entries(forms)) {
      const file = join(folder, `${name}.json`);
      writeFileSync(file, JSON.stringify(value));
      expect((await cli('generate', ...TINY, '--camera', file, '--outdir', outdir)).code).toBe(0);
    }
    const wanted = readFileSync(join(front, 'seed0000_front.png'));
    for (const name of ['list', 'parts', 'a', 'b']) {
      const got = await sharp(join(outdir, `seed0000_${name}.png`))
        .raw()
        .toBuffer();
      const same = await sharp(wanted).raw().toBuffer();
      expect(Math.max(...got.map((value, i) => Math.abs(value - same[i])))).toBeLessThanOrEqual(1);
    }
    writeFileSync(join(folder, 'bad.json'), '[1, 2]');
    expect(await cli('generate', ...TINY, '--camera', join(folder, 'bad.json'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('holds no camera'),
    });
  });

  test('a picture is what forward computes for the seed, by the 8-bit rule', async () => {
    const folder = freshFolder();
    const f32 = (...numbers: number[]): NpyArray => ({
      dtype: 'float32',
      shape: [1, numbers.length],
      data: Float32Array.from(numbers),
    });
    const standard = f32(...cameraLabel(viewCamera(0, 0)));
    const zoomed = f32(...cameraLabel(viewCamera(-90, 0, { intrinsics: intrinsics(focalOfLegacyFov(12)) })));
    const legacy = f32(...cameraLabel(viewCamera(0, 0, { intrinsics: intrinsics(focalOfLegacyFov(12)) })));
    const z = f32(...randomState(7).randn(16));
    const p = f32(0, 0, 0, 0, 0, 0);
    for (const [inputs, flags, view] of [
      [{ z, c_cond: standard, p_cond: p, c: standard }, [], 'front'],
      [{ z, c_cond: legacy, p_cond: p, c: zoomed }, ['--views', 'right', '--fov-legacy', '12'], 'right'],
    ] as const) {
      const [arrays, results] = [join(folder, 'in.npz'), join(folder, 'out.npz')];
      await writeNpz(arrays, inputs);
      expect((await cli('forward', ...TINY, '--inputs', arrays, '--outputs', results)).code).toBe(0);
      expect((await cli('generate', ...TINY, '--seeds', '7', '--outdir', folder, ...flags)).code).toBe(0);
      const { data } = (await readNpz(results)).get('image')!;
      const pixels = await sharp(join(folder, `seed0007_${view}.png`))
        .raw()
        .toBuffer();
      const plane = pixels.length / 3;
      pixels.forEach((value, i) => {
        const x = Number(data[(i % 3) * plane + Math.floor(i / 3)]);
        expect(value).toBe(Math.trunc(Math.min(Math.max(x * 127.5 + 128, 0), 255)));
      });
    }
  });

  test('Ctrl-C ends it with 130 and no half files, also on the reference engine', async () => {
    for (const engine of ['reference', 'cpu']) {
      const outdir = join(freshFolder(), 'o');
      const args = ['--network', 'preset:64-32', '--seeds', '0-500', '--engine', engine, '--outdir', outdir];
      const { child, done } = startCli(['generate', ...args]);
      while (!existsSync(outdir)) await new Promise((resolve) => setTimeout(resolve, 20));
      await new Promise((resolve) => setTimeout(resolve, 2500));
      child.kill('SIGINT');
      const { code, stderr } = await done;
      expect(code).toBe(130);
      expect(stderr).toContain('portraitgan: interrupted');
      for (const name of readdirSync(outdir)) {
        expect(name).toMatch(/\.png$/);
        expect((await sharp(join(outdir, name)).raw().toBuffer()).length).toBeGreaterThan(0);
      }
    }
  });
});

describe('the other commands', () => {
  test('presets: parameters and GMAC of the published configuration', async () => {
    const { code, stdout } = await cli('presets', '--json');
    const [full] = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(full).toMatchObject({ name: '512-128', generatorParameters: 53_816_172 });
    // 166.6 in the table of the published network; 167.4 counted, with the edges that up-sampling pads.
    expect(Math.abs(full.macs.total / 1e9 - 166.6)).toBeLessThan(1.7);
    expect((await cli('presets')).stdout).toContain('53.82 M');
  });

  test('doctor names every engine', async () => {
    const { code, stdout } = await cli('doctor', '--json');
    expect(code).toBe(0);
    const names = JSON.parse(stdout).findings.map(({ what }: { what: string }) => what);
    expect(names).toEqual(
      expect.arrayContaining(['Node', 'engine cpu', 'engine web', 'engine reference', 'memory']),
    );
  });

  test('help of every command has examples', async () => {
    for (const command of ['generate', 'forward', 'inspect', 'convert', 'presets', 'doctor']) {
      const { code, stdout } = await cli(command, '--help');
      expect([code, stdout]).toEqual([0, expect.stringMatching(/Examples?:\n {2}portraitgan /)]);
    }
  });

  test('inspect', async () => {
    const file = join(freshFolder(), 'a.json');
    writeFileSync(file, '{}');
    expect(await cli('inspect', file)).toMatchObject({ code: 0, stdout: expect.stringContaining('JSON') });
    expect(await cli('inspect', 'none')).toMatchObject({ code: 2 });
  });
});
