/** `portraitgan train` and `teach` from the command line: what they refuse, and that two cannot share a run. */

import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openLatest } from '../src/runs/latest.ts';
import { cli, freshFolder } from './cli-run.ts';

const folder = freshFolder();
const small = ['--data', 'data/small.zip', '--preset', 'tiny'];
const runs = (name: string): string[] => ['--out', join(folder, 'runs'), '--name', name];

async function refused(args: readonly string[], text: RegExp): Promise<void> {
  const { code, stderr } = await cli(...args);
  expect(stderr).toMatch(text);
  expect(code).toBe(2);
}

describe('train refuses', () => {
  test('what does not divide, what does not exist, what nobody knows', async () => {
    await Promise.all([
      refused(
        ['train', ...small, '--batch', '6', ...runs('a')],
        /batch is 6, which is no multiple of microBatch 4/,
      ),
      refused(
        ['train', ...small, '--ranks', '3', ...runs('a')],
        /batch is 8, .*microBatch 4 times 3 processes/,
      ),
      refused(['train', '--data', 'nowhere.zip', '--preset', 'tiny', ...runs('b')], /nowhere/),
      refused(['train', ...small, '--colour', 'red'], /unknown option '--colour'/),
      refused(['train', ...small, '--resume', 'latest', ...runs('none')], /is no run: it has no checkpoints/),
      refused(['train', ...small, '--init', 'nowhere.pkl', ...runs('c')], /nowhere\.pkl/),
      refused(
        ['teach', ...small, '--people', '3', '--ranks', '2', ...runs('d')],
        /people is 3, which 2 ranks/,
      ),
    ]);
    expect(existsSync(join(folder, 'runs', 'a'))).toBe(false);
  });

  test('pictures that are too small, or not a multiple', async () => {
    const out = join(folder, 'p24.zip');
    expect((await cli('dataset', 'synth', '--count', '4', '--size', '24', '--out', out)).code).toBe(0);
    await refused(
      ['train', '--data', out, '--preset', 'tiny', ...runs('e')],
      /has pictures of 24 px; 32 px are needed, or a whole multiple/,
    );
    await refused(
      ['teach', '--data', 'data/small.zip', '--preset', 'tiny', ...runs('f')],
      /the loss weighs depths, but the set has none/,
    );
  }, 30_000);
});

describe('a run', () => {
  test('trains, refuses another preset and a second program, and goes on', async () => {
    const name = 'run';
    const first = await cli(
      'train',
      ...small,
      '--kimg',
      '0.008',
      '--image-snapshot-ticks',
      'none',
      ...runs(name),
    );
    expect(first.stderr).toContain('done after 0.008 kimg');
    expect(first.code).toBe(0);
    const run = join(folder, 'runs', name);
    expect(readdirSync(run).sort()).toEqual([
      'checkpoints',
      'config.json',
      'log.txt',
      'snapshots',
      'stats.jsonl',
    ]);

    await refused(
      ['train', '--resume', 'latest', '--preset', '64-32', '--seed', '9', ...runs(name)],
      /preset "64-32" \(the run has "tiny"\), seed 9 \(the run has 0\)/,
    );
    await refused(['teach', '--resume', run], /made by "train"/);
    await refused(['train', ...small, ...runs(name)], /is there already: --resume goes on with it/);

    writeFileSync(join(run, 'lock'), String(process.pid));
    await refused(
      ['train', '--resume', run, '--kimg', '0.016'],
      new RegExp(`process ${process.pid} is working`),
    );

    // Nobody has this number: what a dead process left is taken over.
    writeFileSync(join(run, 'lock'), '4194303');
    const again = await cli('train', '--resume', run, '--kimg', '0.016', '--image-snapshot-ticks', 'none');
    expect(again.stderr).toContain('after 8 images');
    expect(again.stdout).toContain('done, 0.016 kimg');
    expect(existsSync(join(run, 'lock'))).toBe(false);
  }, 90_000);

  test('two ranks share batches, and the same ones give the same bits', async () => {
    const states = [];
    for (const name of ['ranks1', 'ranks2']) {
      const flags = ['--ranks', '2', '--kimg', '0.016', '--image-snapshot-ticks', 'none', ...runs(name)];
      const { code, stderr } = await cli('train', ...small, ...flags);
      expect(stderr).toContain('done after 0.016 kimg');
      expect(code).toBe(0);
      states.push(openLatest(join(folder, 'runs', name, 'checkpoints')).opened!.state);
    }
    const [first, second] = states;
    expect(first.record.ranks).toBe(2);
    for (const [name, { data }] of first.tensors) expect(second.tensors.get(name)!.data, name).toEqual(data);
    const moved = first.tensors.get('first/D/b4.fc.weight')!.data;
    expect(moved.some((value) => value !== 0)).toBe(true);
  }, 90_000);

  test('an empty folder of data is refused with its name', async () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    await refused(['train', '--data', empty, '--preset', 'tiny', ...runs('g')], /empty/);
  });
});
