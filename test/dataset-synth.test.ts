/** Sets of synthetic portraits: the same bytes however they are made, nothing lost when interrupted, clear refusals. */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
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
import { shotOf } from '../src/dataset/synthetic/set.ts';
import { partsFolder, type SynthesisRequest, synthesise } from '../src/dataset/synthetic/synthesise.ts';
import { validateDataset } from '../src/dataset/validate.ts';
import { UsageError } from '../src/errors.ts';

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

  test('does not replace what is there', async () => {
    await expect(synthesise(request('two.zip'))).rejects.toThrow(
      /is there already; remove it or choose another --out/,
    );
  });
});

describe('assets', () => {
  const copy = join(folder, 'assets');
  cpSync(installedAssets(), copy, { recursive: true });

  test('names the file that is missing and says where to get it', () => {
    unlinkSync(join(copy, 'textures/teeth.jpg'));
    expect(() => readAssets(copy)).toThrow(UsageError);
    expect(() => readAssets(copy)).toThrow(
      /no asset file ".*teeth\.jpg"; the package portraitgan-assets holds them/,
    );
    expect(() => readAssets(join(folder, 'nowhere'))).toThrow(/no asset file ".*manifest\.json"/);
  });

  test('refuses a damaged folder', () => {
    cpSync(installedAssets(), copy, { recursive: true });
    writeFileSync(join(copy, 'mesh.bin'), readFileSync(join(copy, 'mesh.bin')).subarray(0, 1000));
    expect(() => readAssets(copy)).toThrow(/mesh\.bin" has 1000 bytes, the manifest says 3384372/);
    writeFileSync(join(copy, 'manifest.json'), '{"format":"zoo"}');
    expect(() => readAssets(copy)).toThrow(/is not the manifest of an asset folder \(format "zoo"\)/);
  });

  test('a damaged picture stops the run, naming it, and leaves no dataset', async () => {
    rmSync(copy, { recursive: true });
    cpSync(installedAssets(), copy, { recursive: true });
    writeFileSync(join(copy, 'textures/teeth.jpg'), 'no picture');
    const run = synthesise(request('broken.zip', { assets: copy, count: 2 }));
    await expect(run).rejects.toThrow(/asset ".*teeth\.jpg"/);
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
  ])('refuses %j', async (args, message) => {
    mkdirSync(folder, { recursive: true });
    const { code, text } = await run(...args);
    expect([code, text]).toEqual([2, expect.stringMatching(message)]);
  });
});
