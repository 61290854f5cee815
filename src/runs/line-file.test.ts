import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLineFile } from './line-file.ts';

const freshPath = (): string => join(mkdtempSync(join(tmpdir(), 'portraitgan-lines-')), 'log.txt');

test('appends to what is there', () => {
  const path = freshPath();
  for (const words of [['one', 'zwei ü'], ['three']]) {
    const file = openLineFile(path);
    expect(file.removed).toBe(0);
    for (const word of words) file.append(word);
    file.close();
  }
  expect(readFileSync(path, 'utf8')).toBe('one\nzwei ü\nthree\n');
});

test('a torn last line goes, unless it is whole', () => {
  const path = freshPath();
  writeFileSync(path, 'one\ntw');
  const file = openLineFile(path, { isWhole: (line) => line === 'two' });
  expect(file.removed).toBe(1);
  file.append('three');
  file.close();
  expect(readFileSync(path, 'utf8')).toBe('one\nthree\n');

  writeFileSync(path, 'one\ntwo');
  const again = openLineFile(path, { isWhole: (line) => line === 'two' });
  expect(again.removed).toBe(0);
  again.append('three');
  again.close();
  expect(readFileSync(path, 'utf8')).toBe('one\ntwo\nthree\n');
});

test('every cut of a line leaves a file that goes on', () => {
  const whole = 'alpha\nbeta\n';
  for (let cut = 0; cut <= whole.length; cut++) {
    const path = freshPath();
    writeFileSync(path, whole.slice(0, cut));
    const file = openLineFile(path);
    file.append('gamma');
    file.close();
    const lines = whole.slice(0, cut).split('\n').slice(0, -1);
    expect(readFileSync(path, 'utf8')).toBe([...lines, 'gamma', ''].join('\n'));
  }
});
