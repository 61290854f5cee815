/**
 * `npm run train:default [-- --ranks N]`: makes the set and teaches the model that ships, stage by stage.
 *
 * It can be stopped at any time and started again: what is there is gone on with. Options go to `portraitgan teach`.
 * At the end: out/default/portrait.safetensors.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setup } from '../setup.mjs';

const STAGES = ['stage1', 'stage2', 'stage3'];

setup();
const root = fileURLToPath(new URL('../..', import.meta.url));
const out = join(root, 'out/default');
const given = process.argv.slice(2);
mkdirSync(out, { recursive: true });

/** Runs a command of portraitgan; ends this program when it fails or was interrupted. */
function portraitgan(...args) {
  console.log(`\nportraitgan ${args.join(' ')}`);
  const command = [join(root, 'dist/cli/main.js'), ...args];
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const synth = ['dataset', 'synth', '--size', '128', '--poses', 'none', '--backdrops', 'identity', '--depth'];
const people = join(out, 'people.zip');
if (!existsSync(people)) {
  const unfinished = existsSync(`${people}.parts`) ? ['--resume'] : [];
  const spread = ['--count', '32000', '--views', '4', '--held-out', '0.016', '--seed', '1'];
  portraitgan(...synth, ...spread, '--out', people, ...unfinished);
}
const ring = join(out, 'ring.zip');
if (!existsSync(ring))
  portraitgan(...synth, '--count', '512', '--views', '8', '--cameras', 'ring', '--seed', '99', '--out', ring);

let init = [];
for (const stage of STAGES) {
  const run = join(out, stage);
  const model = join(out, `${stage}.safetensors`);
  if (!existsSync(model)) {
    const begun = existsSync(join(run, 'checkpoints'));
    const config = join(root, 'scripts/train-default', `${stage}.json`);
    const fresh = ['--config', config, '--data', people, '--out', out, '--name', stage, ...init];
    portraitgan('teach', ...(begun ? ['--resume', run] : fresh), ...given);
    if (!isComplete(run)) process.exit(0);
    portraitgan('export', run, '--out', model);
  }
  init = ['--init', model];
}
portraitgan(
  'export',
  join(out, STAGES.at(-1)),
  '--networks',
  'G_ema',
  '--half',
  '--out',
  join(out, 'portrait.safetensors'),
);

/** Whether a run has shown all its images; one that ran out of time has not. */
function isComplete(run) {
  const { kimg } = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8'));
  const lines = readFileSync(join(run, 'stats.jsonl'), 'utf8').trimEnd().split('\n');
  return JSON.parse(lines.at(-1))['Progress/kimg'].mean >= kimg;
}
