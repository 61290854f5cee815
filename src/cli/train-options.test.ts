import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import type { RunConfig } from '../training/config.ts';
import { printConfig } from '../training/config-text.ts';
import { trainConfig } from '../training/train-defaults.ts';
import { TRAIN_SETTINGS } from '../training/train-settings.ts';
import { flagOf } from './setting-options.ts';
import { teachConfigOf, teachOptions } from './teach-options.ts';
import { givenTraining, type RunFlags, trainConfigOf, trainOptions } from './train-options.ts';

function parsed(options: (command: Command) => Command, args: readonly string[]): RunFlags {
  const command = options(new Command('run').exitOverride().configureOutput({ writeErr: () => {} }));
  return command.parse([...args], { from: 'user' }).opts<RunFlags>();
}

const train = (...args: string[]): RunConfig => trainConfigOf(parsed(trainOptions, args));
const teach = (...args: string[]): RunConfig => teachConfigOf(parsed(teachOptions, args));

function fileOf(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'portraitgan-config-')), 'config.json');
  writeFileSync(file, text);
  return file;
}

test('options are settings, and nothing else is said', () => {
  expect(train('--data', 'a.zip')).toEqual(trainConfig({ data: 'a.zip' }));
  const flags = [
    '--data',
    'a.zip',
    '--no-mirror',
    '--r1-gamma-seg',
    '2',
    '--freeze-d',
    '3',
    '--d-reg-every',
    'none',
  ];
  const more = [
    '--lr-scales',
    'backbone.mapping.=100, G/torgb.=.5',
    '--filter-mode',
    'none',
    '--beta1',
    '.5',
  ];
  expect(givenTraining(parsed(trainOptions, [...flags, ...more, '--out', 'x', '--threads', '1']))).toEqual({
    ...{ command: 'train', data: 'a.zip', mirror: false, r1GammaSeg: 2, freezeD: 3, dRegEvery: null },
    ...{ lrScales: { 'backbone.mapping.': 100, 'G/torgb.': 0.5 }, filterMode: 'none', beta1: 0.5 },
  });
  expect(train('--data', 'a', '--filter-mode', '.25')).toMatchObject({ filterMode: 0.25 });
  expect(teach('--data', 'a', '--weights', 'depth=2')).toMatchObject({ weights: { depth: 2, image: 1 } });
});

test('every setting has its option', () => {
  const known = trainOptions(new Command('run')).options.map(({ long, attributeName }) => [
    long,
    attributeName,
  ]);
  const flags = new Set(known.map(([long]) => long));
  for (const name of Object.keys(TRAIN_SETTINGS))
    if (name !== 'command') expect(flags, name).toContain(flagOf(name));
});

test('a file gives settings, options count more', () => {
  const file = fileOf('{ "data": "b.zip", "kimg": 5, "emaRampup": null }');
  expect(train('--config', file, '--kimg', '7')).toMatchObject({ data: 'b.zip', kimg: 7, emaRampup: null });
  const whole = trainConfig({ data: 'a.zip', batch: 16, mirror: false });
  expect(train('--config', fileOf(printConfig(whole)))).toEqual(whole);
});

const REFUSED: readonly (readonly [readonly string[], RegExp])[] = [
  [['--batch', '6'], /batch is 6, which is no multiple of microBatch 4/],
  [['--batch', 'six'], /--batch is "six"; expected a whole number/],
  [['--kimg', '-1'], /--kimg is -1; expected at least 0/],
  [['--preset', 'huge'], /--preset is "huge"; expected 512-128/],
  [['--data', ''], /--data is empty/],
  [['--gpc-reg-prob', 'off'], /--gpc-reg-prob is "off"; expected a number/],
  [['--lr-scales', 'torgb.'], /--lr-scales: "torgb." is not of the form name=number/],
  [['--lr-scales', 'torgb.=1,torgb.=2'], /--lr-scales names "torgb." twice/],
  [['--gamma', '1'], /unknown option '--gamma'/],
  [['--config', 'missing.json'], /missing.json/],
  [['--config', fileOf('{ "batch" }')], /config.json": /],
  [['--config', fileOf('{ "snapp": 1 }')], /config.json": "snapp" is not a setting/],
  [['--config', fileOf('{ "command": "teach" }')], /command is "teach"; expected train/],
  [['--config', fileOf('[]')], /an object with settings is expected/],
];

test.each(REFUSED)('%j is refused', (args, message) => {
  expect(() => train('--data', 'a.zip', ...args)).toThrow(message);
});

test('teaching refuses a weight that it has not', () => {
  expect(() => teach('--data', 'a', '--weights', 'hair=1')).toThrow(
    '--weights names "hair"; there are image, raw',
  );
  expect(() => teach('--data', 'a', '--batch', '8')).toThrow("unknown option '--batch'");
});
