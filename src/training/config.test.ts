import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { UsageError } from '../errors.ts';
import { PRESET_NAMES, presetOf } from '../portrait/presets.ts';
import { NETWORK_SETTINGS } from './common-settings.ts';
import type { TeachConfig, TrainConfig } from './config.ts';
import { remarksOn } from './config-rules.ts';
import { configDifferences, parseConfig, printConfig, resumedConfig } from './config-text.ts';
import { TEACH_SETTINGS } from './teach-settings.ts';
import { teachConfig, trainConfig } from './train-defaults.ts';
import { TRAIN_SETTINGS } from './train-settings.ts';

const data = 'people.zip';

test.each(PRESET_NAMES)('a configuration of %s is the same after it was printed and read', (preset) => {
  for (const stage of [1, 2, 3] as const) {
    const config = trainConfig({ data, preset, stage });
    expect(Object.keys(config)).toEqual(Object.keys(TRAIN_SETTINGS));
    expect(parseConfig(JSON.parse(printConfig(config)))).toEqual(config);
  }
  const taught = teachConfig({ data, preset });
  expect(Object.keys(taught)).toEqual(Object.keys(TEACH_SETTINGS));
  expect(parseConfig(JSON.parse(printConfig(taught)))).toEqual(taught);
});

test('the published presets get the published stages', () => {
  const published = { data, preset: '512-64' } as const;
  expect(trainConfig(published)).toMatchObject({
    ...{ kimg: 6000, batch: 32, r1Gamma: 1, r1GammaSeg: 1, trainPoseBranch: true, emaKimg: 10 },
    ...{ blurInitSigma: 10, blurFadeKimg: 200, densityNoiseFadeKimg: 200, gpcRegFadeKimg: 1000 },
    ...{ inputPoseParamsRegLossWeight: 0.5, inputPoseParamsRegLossKimg: 200 },
    ...{ inputPoseParamsRegLossFadeKimg: 200, tickKimg: 4 },
    ...{ neuralRenderingResolutionInitial: 64, neuralRenderingResolutionFinal: null },
  });
  const second = trainConfig({ ...published, stage: 2, init: 'a', startKimg: 6000 });
  expect(second).toMatchObject({
    ...{ kimg: 16000, trainPoseBranch: false, emaRampup: null, blurInitSigma: 0, blurFadeKimg: 0 },
    ...{ densityNoiseFadeKimg: 0, gpcRegFadeKimg: 0, inputPoseParamsRegLossWeight: 0 },
  });
  const third = trainConfig({ data, preset: '512-128', stage: 3, init: 'a', startKimg: 10000 });
  expect(third).toMatchObject({
    ...{ kimg: 14000, neuralRenderingResolutionInitial: 64, neuralRenderingResolutionFinal: 128 },
    neuralRenderingResolutionFadeKimg: 1000,
  });
});

test('small presets get what fits their size and the length of the run', () => {
  expect(trainConfig({ data, preset: '128-32', kimg: 60, batch: 16 })).toMatchObject({
    ...{ r1Gamma: 0.125, emaKimg: 5, blurInitSigma: 2.5, blurFadeKimg: 6, densityNoiseFadeKimg: 6 },
    ...{
      gpcRegFadeKimg: 10,
      inputPoseParamsRegLossKimg: 200,
      inputPoseParamsRegLossFadeKimg: 200,
      tickKimg: 0.3,
    },
  });
  expect(trainConfig({ data, preset: '128-32', stage: 3 })).toMatchObject({
    ...{ neuralRenderingResolutionInitial: 32, neuralRenderingResolutionFinal: 64 },
    neuralRenderingResolutionFadeKimg: 20,
  });
  expect(trainConfig({ data, init: 'a' }).blurFadeKimg).toBe(0);
  expect(trainConfig({ data, init: 'a', resumeBlur: true }).blurFadeKimg).toBe(12);
  expect(trainConfig({ data, r1Gamma: 3 }).r1GammaSeg).toBe(3);
});

test('what is given counts, null too', () => {
  const given: Partial<TrainConfig> = { data, gpcRegProb: null, emaRampup: null, dRegEvery: null, seed: 7 };
  expect(trainConfig(given)).toMatchObject(given);
  expect(teachConfig({ data, weights: { depth: 1 } as TeachConfig['weights'] }).weights).toMatchObject({
    ...{ depth: 1, edges: 1 },
  });
});

test('a preset has every number that a network setting may change', () => {
  const names = Object.keys(NETWORK_SETTINGS).filter((name) => name !== 'preset');
  expect(Object.keys(presetOf('64-32'))).toEqual(expect.arrayContaining(names));
});

const REFUSED: readonly (readonly [unknown, RegExp])[] = [
  [{}, /data is missing/],
  [{ data: '' }, /data is ""; expected a text that is not empty/],
  [{ data, batchh: 8 }, /"batchh" is not a setting; did you mean batch\?/],
  [{ data, colour: 1 }, /"colour" is not a setting$/],
  [{ data, gamma_seg: 1 }, /"gamma_seg" is called r1GammaSeg here/],
  [{ data, 'batch-gpu': 1 }, /"batch-gpu" is called microBatch here/],
  [{ data, preset: '65-32' }, /preset is "65-32"; expected 512-128, .*tiny/],
  [{ data, stage: 4 }, /stage is 4; expected a whole number from 1 to 3/],
  [{ data, batch: 8.5 }, /batch is 8.5; expected a whole number/],
  [{ data, batch: '8' }, /batch is "8"; expected a whole number/],
  [{ data, kimg: null }, /kimg is null; expected a number of at least 0$/],
  [{ data, kimg: 0 }, /kimg is 0 and startKimg 0: nothing is left to do/],
  [{ data, kimg: 5, startKimg: 6 }, /kimg is 5 and startKimg 6/],
  [{ data, mirror: 1 }, /mirror is 1; expected true or false/],
  [{ data, glr: Number.NaN }, /glr is null; expected a number from 0 to 1/],
  [{ data, beta2: 1 }, /beta2 is 1; expected a number from 0 to 0.999999/],
  [{ data, styleMixingProb: 1.1 }, /styleMixingProb is 1.1; expected a number from 0 to 1/],
  [{ data, gpcRegProb: 2 }, /expected a number from 0 to 1 or null \(no conditioning at all\)/],
  [{ data, filterMode: 'soft' }, /filterMode is "soft"; expected a number from 0 to 1, antialiased, none/],
  [{ data, densityRegType: 'l2' }, /densityRegType is "l2"; expected l1, /],
  [{ data, lrScales: { 'torgb.': -1 } }, /lrScales is .*; expected an object of numbers, none negative/],
  [{ data, lrScales: { 'to_rgb.': 1 } }, /lrScales: no parameter begins with "to_rgb."/],
  [{ data, batch: 6 }, /batch is 6, which is no multiple of microBatch 4/],
  [{ data, microBatch: 2 }, /microBatch is 2, which is no multiple of mbstdGroup 4/],
  [{ data, microBatch: 1, mbstdGroup: 1, conditionNoise: 0.1 }, /conditionNoise is 0.1 and microBatch 1/],
  [{ data, useBackground: false, bcgRegProb: 0.2 }, /bcgRegProb is 0.2, but useBackground is false/],
  [{ data, channelBase: 63 }, /channelBase is 63; with 64-32 it must be at least 64/],
  [{ data, freezeD: 14 }, /freezeD is 14, but the discriminator of 64-32 has 13 layers/],
  [{ data, neuralRenderingResolutionFinal: 65 }, /Final is 65, larger than the picture, whose side is 64/],
  [{ data, checkpointMinutes: null }, /checkpointMinutes and checkpointKimg are both null/],
];

test.each(REFUSED)('%j is refused', (given, message) => {
  expect(() => trainConfig(given as Partial<TrainConfig>)).toThrow(UsageError);
  expect(() => trainConfig(given as Partial<TrainConfig>)).toThrow(message);
});

test('what teaching refuses', () => {
  const refused =
    (given: object): (() => unknown) =>
    () =>
      teachConfig({ data, ...given });
  expect(refused({ rays: 33 })).toThrow('rays is 33, but the whole picture has 32 (across)');
  expect(refused({ lr: 0.001, lrEnd: 0.01 })).toThrow('lrEnd is 0.01, above lr, which is 0.001');
  expect(refused({ weights: { hair: 1 } })).toThrow(/by image, raw, edges, mask, depth, person/);
  expect(refused({ batch: 8 })).toThrow('"batch" is not a setting');
});

test('processes share a batch evenly', () => {
  expect(trainConfig({ data, batch: 8 }, 2).microBatch).toBe(4);
  expect(() => trainConfig({ data, batch: 8 }, 3)).toThrow('microBatch 4 times 3 processes');
});

test('a stored configuration says what it is; one that is older gets defaults', () => {
  expect(parseConfig({ command: 'train', data })).toEqual(trainConfig({ data }));
  expect(() => parseConfig({ data }, '"a.json"')).toThrow('"a.json": "command" says train or teach');
  expect(() => parseConfig({ command: 'teach', data, stage: 1 })).toThrow('"stage" is not a setting');
  expect(() => parseConfig([])).toThrow('"command" says');
});

test('differences fall into those that a resumed run may have and those that it may not', () => {
  const before = trainConfig({ data, lrScales: { 'torgb.': 1, 'decoder.': 2 } });
  const after = { ...before, kimg: 500, batch: 16, lrScales: { 'decoder.': 2, 'torgb.': 1 }, seed: 3 };
  expect(configDifferences(before, after)).toEqual({
    free: [{ name: 'kimg', before: '120', after: '500' }],
    fixed: [
      { name: 'seed', before: '0', after: '3' },
      { name: 'batch', before: '8', after: '16' },
    ],
  });
  const { fixed } = configDifferences(before, teachConfig({ data }));
  expect(fixed).toContainEqual({ name: 'command', before: '"train"', after: '"teach"' });
});

test('a resumed run keeps its settings, takes new intervals and refuses another network', () => {
  const stored = trainConfig({ data, kimg: 20 });
  expect(resumedConfig(stored, { kimg: 40, keepCheckpoints: 9 })).toEqual({
    ...stored,
    ...{ kimg: 40, keepCheckpoints: 9 },
  });
  expect(() => resumedConfig(stored, { preset: '128-32', batch: 16 })).toThrow(
    'preset "128-32" (the run has "64-32"), batch 16 (the run has 8)',
  );
  expect(() => resumedConfig(stored, { kimg: -1 })).toThrow('kimg is -1');
  const taught = teachConfig({ data });
  const weights = { depth: 9 } as TeachConfig['weights'];
  expect(resumedConfig(taught, { weights })).toEqual({ ...taught, weights: { ...taught.weights, depth: 9 } });
});

test('what is hardly meant is remarked upon', () => {
  expect(remarksOn(trainConfig({ data }))).toEqual([]);
  expect(remarksOn(trainConfig({ data, stage: 2 }))).toHaveLength(1);
  expect(remarksOn(trainConfig({ data, stage: 3, init: 'a' }))[0]).toMatch(/stage 3 does not raise it/);
});

/** Options of the published trainer, as its help names them. */
const PUBLISHED =
  `outdir cfg data seg_data gpus batch gamma gamma_seg cond mirror aug p target resume resume_kimg resume_blur
freezed data_rebalance data_rebalance_idx_file batch-gpu cbase cmax glr dlr map-depth mbstd-group desc metrics kimg tick snap
image-snap seed nobench workers dry-run neural_rendering_resolution_initial neural_rendering_resolution_final
neural_rendering_resolution_fade_kimg blur_fade_kimg gen_pose_cond c-scale c-noise gpc_reg_prob gpc_reg_fade_kimg disc_c_noise
sr_noise_mode sr_num_fp16_res g_num_fp16_res d_num_fp16_res sr_first_cutoff sr_first_stopband style_mixing_prob sr-module
density_reg density_reg_every density_reg_p_dist reg_type decoder_lr_mul thickness pose_loss_weight
input_pose_params_reg_loss_weight input_pose_params_reg_loss_kimg explicitly_symmetry train_g_pose_branch
metric_pose_sample_mode seg_channels decoder_activation use_torgb_raw use_background bcg_reg_prob density_noise_fade_kimg
triplane_depth back_repeat`.split(/\s+/);

test('the documentation names every setting and every option of the published trainer', () => {
  const docs = readFileSync(new URL('../../docs/training.md', import.meta.url), 'utf8');
  const cells = docs
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .flatMap((line) => line.split('|').slice(1, 3));
  const named = new Set(cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name)));
  const settings = Object.keys({ ...TRAIN_SETTINGS, ...TEACH_SETTINGS }).filter((name) => name !== 'command');
  expect([...settings, ...PUBLISHED].filter((name) => !named.has(name))).toEqual([]);
  const starred = Object.entries({ ...TRAIN_SETTINGS, ...TEACH_SETTINGS })
    .filter(([name, { fixed }]) => fixed && name !== 'command')
    .map(([name]) => name);
  expect(starred.filter((name) => !docs.includes(`\n| \`${name}\` *`))).toEqual([]);
});
