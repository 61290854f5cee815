/** Sets of synthetic portraits: the same bytes however they are made, nothing lost when interrupted, clear refusals. */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { openDataset } from '../src/dataset/dataset.ts';
import { datasetPaths } from '../src/dataset/paths.ts';
import { installedAssets, readAssets } from '../src/dataset/synthetic/assets.ts';
import { personOf } from '../src/dataset/synthetic/person.ts';
import { latentOf, shotOf } from '../src/dataset/synthetic/shots.ts';
import { type SynthesisRequest, synthesise } from '../src/dataset/synthetic/synthesise.ts';
import { traitsOf } from '../src/dataset/synthetic/traits.ts';
import { partsFolder } from '../src/dataset/synthetic/unfinished.ts';
import { wardrobeOf } from '../src/dataset/synthetic/wardrobe.ts';
import { validateDataset } from '../src/dataset/validate.ts';
import { DatasetError, UsageError } from '../src/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'portraitgan-synth-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function request(out: string, more: Partial<SynthesisRequest> = {}): SynthesisRequest {
  return {
    seed: 5,
    count: 80,
    size: 32,
    views: 2,
    cameras: 'phq',
    poses: 'natural',
    heldOut: 0.2,
    cameraLight: false,
    backdrops: 'varied',
    format: 'png',
    depth: true,
    out: join(folder, out),
    assets: installedAssets(),
    workers: 2,
    resume: false,
    ...more,
  };
}

/** Names and hashes of everything that a set consists of. */
function hashes(stem: string): Record<string, string> {
  const files = readdirSync(folder).filter(
    (name) => name.startsWith(`${stem}.`) || name.startsWith(`${stem}-`),
  );
  return Object.fromEntries(
    files.map((name) => [
      name.slice(stem.length),
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    ]),
  );
}

describe('a set', async () => {
  const report = await synthesise(request('two.zip'));

  test('holds what was asked for', async () => {
    expect(report).toEqual({
      made: 80,
      found: 0,
      datasets: [
        { path: join(folder, 'two.zip'), pictures: 64 },
        { path: join(folder, 'two-held-out.zip'), pictures: 16 },
      ],
    });
    expect(Object.keys(hashes('two')).sort()).toEqual(
      ['', '-held-out'].flatMap((set) =>
        ['-depth.zip', '-identities.jsonl', '-masks.zip', '-pictures.jsonl', '.zip'].map((file) => `${set}${file}`),
      ).sort(), // biome-ignore format: one list
    );
    for (const { path, pictures } of report.datasets) {
      const { problems } = await validateDataset(datasetPaths(path));
      expect(problems).toEqual([]);
      const dataset = await openDataset(path);
      expect(dataset.count).toBe(pictures);
      for (const i of [0, pictures - 1]) {
        const { name, label, pose, mask } = await dataset.item(i);
        const { label: wanted } = shotOf(request('two.zip'), Number(/(\d{8})/.exec(name)?.[1]));
        expect([...label, ...pose]).toEqual(wanted.map(Math.fround));
        // Somebody is there, and does not fill the picture.
        const share = mask.reduce((sum, value) => sum + value, 0) / (255 * mask.length);
        expect(share).toBeGreaterThan(0.2);
        expect(share).toBeLessThan(0.9);
      }
      await dataset.close();
    }
  });

  test('keeps people apart: nobody is in both sets, all views of a person in one', () => {
    const people = (file: string): number[] =>
      readFileSync(join(folder, file), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).identity);
    const [train, apart] = ['two-identities.jsonl', 'two-held-out-identities.jsonl'].map(people);
    expect(train.length + apart.length).toBe(40);
    expect(train.filter((identity) => apart.includes(identity))).toEqual([]);
    const pictures = people('two-pictures.jsonl');
    for (const identity of train) expect(pictures.filter((one) => one === identity).length).toBe(2);
  });

  test('is the same with one worker', async () => {
    await synthesise(request('one.zip', { workers: 1 }));
    expect(hashes('one')).toEqual(hashes('two'));
  });

  test('is the same when it was interrupted', async () => {
    const out = request('again.zip', { resume: true });
    // An interruption in the middle: one part is complete, one was being written.
    const controller = new AbortController();
    const stopped = synthesise({
      ...out,
      resume: false,
      workers: 1,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('interrupted')),
    });
    await expect(stopped).rejects.toThrow('interrupted');
    const parts = readdirSync(partsFolder(out.out)).filter((name) => name.endsWith('.zip'));
    expect(parts.length).toBeGreaterThan(0);
    expect(existsSync(out.out)).toBe(false);
    await expect(synthesise({ ...out, resume: false })).rejects.toThrow(
      /unfinished run: go on with --resume/,
    );
    await expect(synthesise({ ...out, seed: 6 })).rejects.toThrow(/other settings: seed was 5, not 6/);
    const { made, found } = await synthesise(out);
    expect(found).toBeGreaterThan(0);
    expect(made + found).toBe(80);
    expect(hashes('again')).toEqual(hashes('two'));
    expect(existsSync(partsFolder(out.out))).toBe(false);
  });

  test.each(['', '-masks', '-depth', '-held-out', '-held-out-masks'])(
    'does not replace NAME%s.zip',
    async (what) => {
      const name = `here${what}`;
      writeFileSync(join(folder, `${name}.zip`), 'mine');
      await expect(synthesise(request('here.zip'))).rejects.toThrow(
        `${name}.zip" is there already; remove it or choose another --out`,
      );
      expect(readFileSync(join(folder, `${name}.zip`), 'utf8')).toBe('mine');
      expect(existsSync(join(folder, 'here.zip.parts'))).toBe(false);
      unlinkSync(join(folder, `${name}.zip`));
    },
  );

  test('refuses to keep nobody, or everybody, apart', async () => {
    await expect(synthesise(request('none.zip', { count: 6, heldOut: 0.02 }))).rejects.toThrow(
      '--held-out 0.02 of 3 people is nobody: make at least 100 pictures',
    );
    expect(existsSync(join(folder, 'none.zip.parts'))).toBe(false);
  });
});

describe('unfinished work', async () => {
  const small = { count: 40, size: 16, heldOut: 0, depth: true };
  await synthesise(request('whole.zip', small));

  /** A run that was stopped after its first part. */
  async function interrupted(name: string): Promise<SynthesisRequest> {
    const controller = new AbortController();
    const wanted = request(name, { ...small, workers: 1 });
    const onProgress = (): void => controller.abort(new Error('stopped'));
    await expect(synthesise({ ...wanted, signal: controller.signal, onProgress })).rejects.toThrow('stopped');
    return { ...wanted, resume: true };
  }

  test('with a damaged part is made again there', async () => {
    const wanted = await interrupted('damaged.zip');
    const [part] = readdirSync(partsFolder(wanted.out)).filter((name) => name.endsWith('.zip'));
    const file = join(partsFolder(wanted.out), part);
    writeFileSync(file, readFileSync(file).subarray(0, 900));
    expect((await synthesise(wanted)).found).toBe(0);
    expect(hashes('damaged')).toEqual(hashes('whole'));
  });

  test('is gone on with wherever the last step, moving the files, was stopped', async () => {
    const names = ['-masks.zip', '-pictures.jsonl', '-identities.jsonl', '-depth.zip', '.zip'];
    const wanted = await interrupted('moving.zip');
    const parts = partsFolder(wanted.out);
    const plan = readFileSync(join(parts, 'plan.json'));
    for (let moved = 0; moved <= names.length; moved++) {
      // As it is when everything was written and the first so many files had been moved.
      mkdirSync(join(parts, 'ready'), { recursive: true });
      writeFileSync(join(parts, 'plan.json'), plan);
      writeFileSync(join(parts, 'complete.json'), JSON.stringify([{ path: wanted.out, pictures: 40 }]));
      names.forEach((name, i) => {
        const to = i < moved ? folder : join(parts, 'ready');
        copyFileSync(join(folder, `whole${name}`), join(to, `moving${name}`));
      });
      expect(await synthesise(wanted)).toMatchObject({ made: 0, found: 40 });
      expect(hashes('moving')).toEqual(hashes('whole'));
      expect(existsSync(parts)).toBe(false);
      for (const name of names) unlinkSync(join(folder, `moving${name}`));
    }
  });

  test('belongs to one process, and to one set of assets', async () => {
    const wanted = await interrupted('held.zip');
    const lock = join(partsFolder(wanted.out), 'lock');
    writeFileSync(lock, String(process.ppid));
    await expect(synthesise(wanted)).rejects.toThrow(`process ${process.ppid} is working on`);
    // A process that is gone.
    writeFileSync(lock, '999999999');
    const plan = join(partsFolder(wanted.out), 'plan.json');
    const before = readFileSync(plan, 'utf8');
    writeFileSync(plan, before.replace(/"assets":"\w+"/, '"assets":"0123"'));
    await expect(synthesise(wanted)).rejects.toThrow('with other settings: assets was 0123');
    for (const broken of ['', 'null']) {
      writeFileSync(plan, broken);
      await expect(synthesise(wanted)).rejects.toThrow(
        /plan\.json" does not say what the unfinished run was/,
      );
    }
    expect(existsSync(lock)).toBe(false);
  });
});

describe('assets', () => {
  const copy = join(folder, 'assets');
  const fresh = (): Record<string, never> => {
    rmSync(copy, { recursive: true, force: true });
    cpSync(installedAssets(), copy, { recursive: true });
    return JSON.parse(readFileSync(join(copy, 'manifest.json'), 'utf8'));
  };

  test('names the file that is missing and says where to get it', () => {
    fresh();
    unlinkSync(join(copy, 'textures/teeth.jpg'));
    expect(() => readAssets(copy)).toThrow(UsageError);
    expect(() => readAssets(copy)).toThrow(
      /no asset file ".*teeth\.jpg"; the package portraitgan-assets holds them/,
    );
    expect(() => readAssets(join(folder, 'nowhere'))).toThrow(/no asset file ".*manifest\.json"/);
  });

  test('refuses a damaged folder', () => {
    fresh();
    writeFileSync(join(copy, 'mesh.bin'), readFileSync(join(copy, 'mesh.bin')).subarray(0, 1000));
    expect(() => readAssets(copy)).toThrow(/mesh\.bin" has 1000 bytes, the manifest says 3384372/);
    writeFileSync(join(copy, 'manifest.json'), '{"format":"zoo"}');
    expect(() => readAssets(copy)).toThrow(/is not the manifest of an asset folder \(format "zoo"\)/);
    writeFileSync(join(copy, 'manifest.json'), '{');
    expect(() => readAssets(copy)).toThrow(DatasetError);
  });

  test.each<[string, unknown, RegExp]>([
    ['files', undefined, /root\.files of the manifest is missing; expected an object/],
    ['rig', undefined, /root\.rig of the manifest is missing/],
    [
      'rig.bones.5.parent',
      5,
      /bones\[5\]\.parent of the manifest is 5; expected a whole number from -1 to 4/,
    ],
    ['rig.bones.5.head', '__proto__', /joints\.__proto__ of the manifest is missing/],
    ['base.vertexCount', 1e9, /vertexCount of the manifest is 1000000000/],
    ['base.quads.dtype', 'constructor', /dtype of the manifest is "constructor"; expected u16/],
    ['base.quads.offset', -4, /offset of the manifest is -4/],
    ['base.quads.offset', 2, /indices below 8683|expected an array inside/],
    ['base.quads.shape', [-1, 4], /shape\[0\] of the manifest is -1/],
    ['base.quads.file', 'targets.bin', /indices below 8683/],
    ['proxies.3.refs.offset', 0, /indices below 8683/],
    ['proxies.3.scale', undefined, /scale of the manifest is missing; expected a list/],
    ['proxies.3.textures', ['nothing'], /there is no texture "nothing"/],
    ['skins.0.color', '../../../../etc/hostname', /expected the name of a file in the folder/],
    ['skins.0.age', 'ancient', /is "ancient"; expected young, middleage, old/],
  ])('refuses a manifest whose %s is %j', (path, value, message) => {
    const manifest = fresh();
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    const holder = keys.reduce<Record<string, unknown>>((at, key) => at[key] as never, manifest);
    holder[last] = value;
    writeFileSync(join(copy, 'manifest.json'), JSON.stringify(manifest));
    expect(() => readAssets(copy)).toThrow(DatasetError);
    expect(() => readAssets(copy)).toThrow(message);
  });

  test.each([
    ['proxies', 'part'],
    ['modifiers', 'modifier'],
  ])('says which of the %s is missing', (list, what) => {
    const manifest = fresh();
    (manifest as Record<string, unknown>)[list] = [];
    writeFileSync(join(copy, 'manifest.json'), JSON.stringify(manifest));
    expect(() => personOf(wardrobeOf(readAssets(copy)), traitsOf(latentOf(1, 0)))).toThrow(
      new RegExp(`there is no ${what} "`),
    );
  });

  test('a damaged picture stops the run, naming it, and leaves no dataset', async () => {
    fresh();
    writeFileSync(join(copy, 'textures/teeth.jpg'), 'no picture');
    const run = synthesise(request('broken.zip', { assets: copy, count: 2, heldOut: 0 }));
    await expect(run).rejects.toThrow(/asset ".*teeth\.jpg"/);
    await expect(run).rejects.toBeInstanceOf(DatasetError);
    expect(existsSync(join(folder, 'broken.zip'))).toBe(false);
  });
});

describe('the command', () => {
  const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
  const run = async (...args: string[]): Promise<{ code: number; text: string }> => {
    try {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [
        main,
        'dataset',
        'synth',
        ...args,
      ]);
      return { code: 0, text: stdout + stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, text: stdout + stderr };
    }
  };

  test('writes a folder, with light that comes along', async () => {
    const out = join(folder, 'people');
    const args = [
      '--count',
      '3',
      '--size',
      '16',
      '--format',
      'jpeg',
      '--camera-light',
      '--cameras',
      'uniform',
    ];
    const { code, text } = await run('--out', out, ...args);
    expect([code, text]).toEqual([0, expect.stringContaining(`${out}: 3 pictures`)]);
    expect(readdirSync(out).sort()).toEqual(['dataset.json', 'images', 'masks']);
    expect(readdirSync(join(out, 'images/00000'))).toEqual([
      'img00000000.jpg',
      'img00000001.jpg',
      'img00000002.jpg',
    ]);
  });

  test.each([
    [['--count', '3'], /required option '--out/],
    [['--count', '0', '--out', 'x.zip'], /--count is 0; expected 1 to 100000000/],
    [
      ['--count', '3', '--out', 'x.zip', '--cameras', 'front'],
      /--cameras is "front"; expected phq, uniform, ring/,
    ],
    [
      ['--count', '3', '--out', join(folder, 'y.zip'), '--assets', folder],
      /there is no asset file ".*manifest\.json"/,
    ],
    [['--count', '3', '--out', join(folder, 'two.zip')], /is there already/],
    [['--count', '3', '--out', ''], /--out is empty/],
  ])('refuses %j', async (args, message) => {
    mkdirSync(folder, { recursive: true });
    const { code, text } = await run(...args);
    expect([code, text]).toEqual([2, expect.stringMatching(message)]);
  });
});
