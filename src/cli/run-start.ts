/** Where a run begins: in a folder of its own with new networks or given ones, or where a checkpoint left it. */

import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import { initialNetworks, loadNetwork } from '../load.ts';
import { LOCK } from '../lock.ts';
import type { JsonObject } from '../portrait/config.ts';
import type { Preset } from '../portrait/presets.ts';
import {
  checkpointsOf,
  type OpenedState,
  openCheckpointState,
  openLatest,
  tellPassedOver,
} from '../runs/latest.ts';
import { type RunFolder, runFolder, runsAt } from '../runs/run-folder.ts';
import type { NdArray } from '../tensor/index.ts';
import { quietPoses } from '../training/adversarial-start.ts';
import type { RunConfig } from '../training/config.ts';
import { parseConfig, resumedConfig } from '../training/config-text.ts';
import type { TrainingState } from '../training/state.ts';
import { taughtStart } from '../training/taught-start.ts';
import { openCheckpoint } from '../weights/index.ts';
import { readingFrom, requireFile } from './input.ts';
import { note, prepareFolder } from './output.ts';
import { newestOfRun } from './run-files.ts';
import type { RunFlags } from './train-options.ts';

/** A run that goes on. */
export interface Resumed {
  readonly opened: OpenedState;
  /** The run that the checkpoint belongs to; undefined for one that lies elsewhere: it begins a run of its own. */
  readonly folder: string | undefined;
}

/** What `--resume` names; undefined without it.
 *
 * @throws UsageError when there is no run, or no checkpoint that verifies.
 */
export function resumedState({ resume, out, name }: RunFlags): Resumed | undefined {
  if (resume === undefined) return undefined;
  if (resume !== 'latest') {
    requireFile(resume, '--resume');
    if (statSync(resume).isDirectory()) return latestOf(resume);
    const opened = openCheckpointState(resume);
    const run = dirname(dirname(resolve(resume)));
    const isInRun =
      resolve(checkpointsOf(run)) === dirname(resolve(resume)) && existsSync(runFolder(run).config);
    return tell({ opened, folder: isInRun ? run : undefined });
  }
  return latestOf(name === undefined ? newestRun(out) : join(out, name));
}

function latestOf(run: string): Resumed {
  const folder = checkpointsOf(run);
  if (!existsSync(folder)) throw new UsageError(`--resume: "${run}" is no run: it has no checkpoints`);
  const { opened, passedOver } = openLatest(folder);
  for (const one of passedOver) note(tellPassedOver(one));
  if (opened === undefined)
    throw new UsageError(
      `--resume: no checkpoint in "${folder}" ${passedOver.length === 0 ? 'was written' : 'is intact'}`,
    );
  return tell({ opened, folder: run });
}

function tell(resumed: Resumed): Resumed {
  const { file, remarks, state } = resumed.opened;
  note(`going on from "${basename(file)}", after ${state.record.seen} images`);
  for (const remark of remarks) note(remark);
  return resumed;
}

function newestRun(out: string): string {
  const runs = existsSync(out) ? [...runsAt(out).values()].filter(({ root }) => hasCheckpoints(root)) : [];
  const [newest] = runs
    .map(({ root, config }) => ({ root, time: existsSync(config) ? statSync(config).mtimeMs : 0 }))
    .sort((a, b) => b.time - a.time);
  if (newest === undefined)
    throw new UsageError(`--resume latest: there is no run in "${out}"; --out and --name say where one is`);
  return newest.root;
}

/** The configuration to go on with.
 *
 * @throws UsageError for a run of the other command, or listing settings that a resumed run cannot have otherwise.
 */
export function configOfResumed<T extends RunConfig>({ opened }: Resumed, asked: Partial<T>): T {
  const settings = opened.state.record.settings as JsonObject | undefined;
  if (settings === undefined)
    throw new UsageError(`"${opened.file}" does not say which settings its run had`);
  const stored = parseConfig(settings, `the settings in "${opened.file}"`);
  if (stored.command !== asked.command)
    throw new UsageError(
      `the run was made by "${stored.command}": go on with portraitgan ${stored.command} --resume`,
    );
  return resumedConfig(stored, asked as Parameters<typeof resumedConfig>[1]) as T;
}

/** Makes the folder of a run. @throws UsageError when it is there already. */
export function newRunFolder({ out, name }: RunFlags, config: RunConfig): RunFolder {
  prepareFolder(out);
  const called = name ?? `${nextNumber(out)}-${config.command}-${config.preset}`;
  const root = join(out, called);
  if (existsSync(root) && !isAbandoned(root))
    throw new UsageError(
      `"${root}" is there already: --resume goes on with it, another --name begins a new run`,
    );
  mkdirSync(root, { recursive: true });
  return runFolder(root);
}

/** What a run leaves that ended before its first checkpoint: there is nothing to go on from. */
const LEFT = ['config.json', 'log.txt', 'stats.jsonl', 'snapshots', 'checkpoints', LOCK];

function isAbandoned(root: string): boolean {
  const strange = readdirSync(root).filter((name) => !LEFT.includes(name));
  return strange.length === 0 && !hasCheckpoints(root);
}

function hasCheckpoints(root: string): boolean {
  const folder = checkpointsOf(root);
  return existsSync(folder) && readdirSync(folder).length > 0;
}

function nextNumber(out: string): string {
  const taken = readdirSync(out).map((known) => Number(/^(\d{5})-/.exec(known)?.[1] ?? -1));
  return String(Math.max(-1, ...taken) + 1).padStart(5, '0');
}

/** The state that a new run begins with: random networks, or those of `init`. */
export async function initialState(config: RunConfig, preset: Preset): Promise<TrainingState> {
  const { init, seed, startKimg } = config;
  const tensors = new Map<string, NdArray>();
  const fresh = initialNetworks(preset, seed);
  const networks = { G: fresh.generator, D: fresh.discriminator() };
  for (const [kind, network] of Object.entries(networks))
    for (const name of network.record.shapes.keys()) tensors.set(`${kind}/${name}`, network.read(name));
  for (const [kind, { record, read }] of Object.entries(networks))
    for (const [name, value] of quietPoses(record.shapes, read)) tensors.set(`${kind}/${name}`, value);
  if (init !== null) await takeNetworks(init, tensors);
  else if (config.command === 'teach') {
    const { shapes } = networks.G.record;
    const read = (name: string): NdArray => tensors.get(`G/${name}`)!;
    for (const [name, value] of taughtStart({ shapes, zDim: preset.zDim }, read))
      tensors.set(`G/${name}`, value);
  }
  const seen = Math.round(startKimg * 1000);
  return { tensors, record: { seen, start: seen, iteration: 0, steps: {} } };
}

/** Puts what a checkpoint has in the place of what is there: by name, as the published trainer resumes. */
async function takeNetworks(named: string, tensors: Map<string, NdArray>): Promise<void> {
  requireFile(named, '--init');
  const file = newestOfRun(named);
  await readingFrom(file, () => {
    const checkpoint = openCheckpoint(file);
    const missing: string[] = [];
    try {
      for (const kind of ['G', 'D'] as const) {
        const average = checkpoint.networks[`${kind}_ema`];
        const found = checkpoint.networks[kind] ?? average;
        if (found === undefined) {
          note(`"${file}" has no network ${kind}: it begins with random weights`);
          continue;
        }
        missing.push(...takeNetwork(kind, loadNetwork(found), tensors, kind));
        if (average !== undefined) takeNetwork(kind, loadNetwork(average), tensors, `${kind}_ema`);
      }
    } finally {
      checkpoint.close();
    }
    if (missing.length > 0)
      note(`"${file}" lacks ${missing.length} tensors, which begin anew: ${missing.slice(0, 5).join(', ')}`);
  });
}

function takeNetwork(
  kind: string,
  { record, read }: ReturnType<typeof loadNetwork>,
  tensors: Map<string, NdArray>,
  to: string,
): string[] {
  const missing: string[] = [];
  for (const [name, { shape }] of [...tensors]) {
    if (!name.startsWith(`${kind}/`)) continue;
    const own = name.slice(kind.length + 1);
    const found = record.shapes.get(own);
    if (found === undefined) missing.push(name);
    else if (found.shape.join() !== shape.join())
      throw new UsageError(
        `--init: "${own}" of ${kind} is [${found.shape.join(', ')}] there, but [${shape.join(', ')}] in this run: another preset?`,
      );
    else tensors.set(`${to}/${own}`, read(own));
  }
  return missing;
}
