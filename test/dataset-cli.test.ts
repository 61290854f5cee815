/** The commands about data sets from outside: exit codes, words and files. */

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeEach, describe, expect, test } from 'vitest';
import { createDatasetWriter } from '../src/dataset/index.ts';
import { cli, startCli } from './cli-run.ts';
import { filesOf, freshFolder, jsonOf, sampleEntries, writeZip } from './dataset-files.ts';

let folder: string;
let set: string;
beforeEach(async () => {
  folder = freshFolder();
  set = join(folder, 'set.zip');
  const writer = await createDatasetWriter(set);
  for (const entry of await sampleEntries([0, 45, -60, 170], 16)) await writer.add(entry);
  await writer.finish();
});

describe('validate', () => {
  test('a good one', async () => {
    const { code, stdout, stderr } = await cli('dataset', 'validate', set);
    expect([code, stdout, stderr]).toEqual([0, '4 good pictures of 16 x 16, 0 problems, 0 remarks\n', '']);
  });

  test('a bad one lists everything and exits with 2', async () => {
    const { images, masks, labels } = filesOf(await sampleEntries([0, 45, -60], 16));
    const names = [...images.keys()];
    labels[0][1].pop();
    masks.delete(names[1]);
    images.set(names[2], 'x');
    images.set('dataset.json', jsonOf(labels));
    const bad = join(folder, 'bad.zip');
    await writeZip(bad, images);
    await writeZip(join(folder, 'bad-masks.zip'), masks);
    const { code, stdout, stderr } = await cli('dataset', 'validate', bad);
    expect(stdout.split('\n')).toEqual([
      expect.stringContaining(`${names[0]}: the label has 30 numbers`),
      expect.stringMatching(`${names[1]}: ".*bad-masks.zip" has no mask for it`),
      expect.stringContaining(`${names[2]}: the picture cannot be decoded`),
      '0 good pictures, 3 problems, 0 remarks',
      '',
    ]);
    expect([code, stderr]).toEqual([2, `portraitgan: "${bad}" has 3 problems\n`]);
    const json = await cli('dataset', 'validate', bad, '--json', '--max-problems', '1');
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      problemCount: 3,
      problems: [{ name: names[0] }],
    });
    expect(json.code).toBe(2);
  });

  test('masks missing altogether', async () => {
    rmSync(join(folder, 'set-masks.zip'));
    const { code, stdout } = await cli('dataset', 'validate', set);
    expect([code, stdout]).toEqual([2, expect.stringContaining('there is no file or folder')]);
    expect(await cli('dataset', 'inspect', set)).toMatchObject({ code: 2 });
  });
});

describe('inspect', () => {
  test('writes a sheet and plots', async () => {
    const out = join(folder, 'look');
    const { code, stdout } = await cli('dataset', 'inspect', set, '--out', out);
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining('4 pictures of 16 x 16, 3 channels; 1 from behind'),
    ]);
    expect(readdirSync(out).sort()).toEqual(['cameras.png', 'poses.png', 'sheet.png']);
    for (const name of readdirSync(out)) {
      const { dominant } = await sharp(join(out, name)).stats();
      expect(dominant.r + dominant.g + dominant.b).toBeGreaterThan(200);
    }
    const json = JSON.parse((await cli('dataset', 'inspect', set, '--json')).stdout);
    expect(json).toMatchObject({ pictures: 4, resolution: 16, channels: 3, rear: 1, skipped: [], files: [] });
    expect(json.degrees.yaw.max).toBeCloseTo(170, 3);
    expect(json.degrees.pitch.mean).toBeCloseTo(5, 3);
  });

  test.each(['no.zip', 'broken.zip'])('%s: exit 2', async (name) => {
    const path = join(folder, name);
    if (name === 'broken.zip') writeFileSync(path, 'PK');
    const { code, stderr } = await cli('dataset', 'inspect', path);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`"${path}"`)]);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('pack', () => {
  test('a zip to a smaller zip', async () => {
    const out = join(folder, 'small.zip');
    const { code, stdout } = await cli('dataset', 'pack', '--images', set, '--out', out, '--resolution', '8');
    expect([code, stdout]).toEqual([
      0,
      `${out}, ${join(folder, 'small-masks.zip')}: 4 pictures of 8 x 8, 3 channels\n`,
    ]);
    expect((await cli('dataset', 'validate', out)).code).toBe(0);
  });

  test.each<[string[], string]>([
    [['--transform', 'center-crop'], 'the transform center-crop needs a resolution'],
    [['--transform', 'x'], '--transform is "x"; expected none, center-crop, center-crop-wide'],
    [['--labels', 'none.json'], 'there is no file "none.json" (--labels)'],
    [['--masks', 'none.zip'], 'there is no file or folder "none.zip"'],
    [['--on-bad', 'x'], '--on-bad is "x"; expected refuse, skip'],
  ])('wrong request %j', async (args, message) => {
    const out = join(folder, 'out.zip');
    const { code, stderr } = await cli('dataset', 'pack', '--images', set, '--out', out, ...args);
    expect([code, stderr]).toEqual([2, `portraitgan: ${message}\n`]);
    expect(readdirSync(folder).sort()).toEqual(['set-masks.zip', 'set.zip']);
  });

  test('a bad picture is refused, or skipped with a report', async () => {
    const { images, masks, labels } = filesOf(await sampleEntries([0, 45], 16));
    const [, second] = images.keys();
    images.set(second, 'x');
    images.set('dataset.json', jsonOf(labels));
    const bad = join(folder, 'bad.zip');
    await writeZip(bad, images);
    await writeZip(join(folder, 'bad-masks.zip'), masks);
    const args = ['dataset', 'pack', '--images', bad, '--out', join(folder, 'out')];
    expect(await cli(...args)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${second}: the picture`),
    });
    expect(readdirSync(folder)).not.toContain('out');
    const skipped = await cli(...args, '--on-bad', 'skip');
    expect(skipped).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`left out: ${second}: the picture`),
    });
    expect(skipped.stdout).toContain('1 picture of 16 x 16, 3 channels');
  });
});

test.each(['out.zip', 'out'])('Ctrl-C while packing %s: 130, and nothing is left', async (name) => {
  const [{ image, mask, label }] = await sampleEntries([0], 64);
  const many = join(folder, 'many.zip');
  const writer = await createDatasetWriter(many);
  for (let i = 0; i < 500; i++) await writer.add({ name: `${i}.png`, image, mask, label });
  await writer.finish();
  const target = join(folder, 'target');
  mkdirSync(target);
  const args = ['--images', many, '--out', join(target, name), '--resolution', '512'];
  const { child, done } = startCli(['dataset', 'pack', ...args]);
  while (readdirSync(target).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(readdirSync(target).join()).toMatch(/\.tmp-\d+/);
  child.kill('SIGINT');
  expect((await done).code).toBe(130);
  expect(readdirSync(target)).toEqual([]);
});

test('help of every command has examples', async () => {
  for (const command of [[], ['pack'], ['inspect'], ['validate']]) {
    const { code, stdout } = await cli('dataset', ...command, '--help');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/Examples?:\n {2}portraitgan dataset /)]);
  }
});
