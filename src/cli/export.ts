/** `portraitgan export`: the networks of a training run as a model. */

import { resolve } from 'node:path';
import { Command } from 'commander';
import { UsageError } from '../errors.ts';
import { writeCarry } from '../runs/carry.ts';
import { openCheckpointState, verifyState } from '../runs/latest.ts';
import { convertCheckpoint, NETWORK_NAMES, type NetworkName } from '../weights/index.ts';
import { readingFrom, requireFile } from './input.ts';
import { note, prepareFile, say, sayJson, showBytes } from './output.ts';
import { refuseTogether, wordsOption } from './parse.ts';
import { newestOfRun } from './run-files.ts';

interface ExportFlags {
  readonly out: string;
  readonly networks?: NetworkName[];
  readonly half?: boolean;
  readonly carry?: boolean;
  readonly json?: boolean;
}

/** What was written. */
interface Exported {
  readonly bytes: number;
  readonly tensorCount: number;
  readonly networks: readonly NetworkName[];
  readonly warnings: readonly string[];
  /** Images shown, where the file says so. */
  readonly seen?: number;
}

const AVERAGES: readonly NetworkName[] = ['G_ema', 'D_ema'];

const EXAMPLES = `
Takes the newest checkpoint of a run that verifies, or the file that is named. The model works wherever a published
checkpoint does; it holds no optimiser state, so training cannot go on from it exactly. With --carry the file is no
model but the run itself in at most 30 MB, for another machine to go on with: see docs/checkpoints.md.

Examples:
  portraitgan export runs/first --out model.safetensors
  portraitgan export runs/first --out small.safetensors --half --networks G_ema
  portraitgan export runs/first --out carry.safetensors --carry
  portraitgan generate --network model.safetensors --seeds 0-7`;

/** The command. */
export function exportCommand(): Command {
  return new Command('export')
    .description('write the networks of a training run as a model (.safetensors)')
    .argument('<run|checkpoint>', 'folder of a run, or a checkpoint file')
    .requiredOption('--out <file.safetensors>', 'file to write')
    .option(
      '--networks <list>',
      `networks to keep: ${NETWORK_NAMES.join(', ')} (default: ${AVERAGES.join(',')})`,
      wordsOption('--networks', NETWORK_NAMES),
    )
    .option('--half', 'stores parameters in half precision')
    .option('--carry', 'a carry checkpoint: half precision, no moments; not the exact resume')
    .option('--json', 'prints what was written as JSON')
    .addHelpText('after', EXAMPLES)
    .action(exportModel);
}

async function exportModel(source: string, flags: ExportFlags): Promise<void> {
  const { out, networks = AVERAGES, half = false, carry = false, json } = flags;
  const isModel = flags.networks !== undefined || half;
  refuseTogether(
    { '--carry': carry, '--networks or --half': isModel },
    'it has its own networks and precision',
  );
  requireFile(source);
  const file = newestOfRun(source);
  if (resolve(file) === resolve(out))
    throw new UsageError('input and output are the same file; give the output another name');
  prepareFile(out);
  const report = await readingFrom<Exported>(file, () =>
    carry ? carryOf(file, out) : { ...verifyState(file), ...modelOf(file, out, networks, half) },
  );
  if (json) {
    sayJson({ path: out, source: file, ...report });
    return;
  }
  for (const warning of report.warnings) note(`${carry ? '' : 'warning: '}${warning}`);
  say(`${out}: ${report.networks.join(', ')}, ${report.tensorCount} tensors, ${showBytes(report.bytes)}`);
  say(`from "${file}"${report.seen === undefined ? '' : `, after ${report.seen} images`}`);
}

function modelOf(file: string, out: string, networks: readonly NetworkName[], float16: boolean) {
  return convertCheckpoint(file, out, { networks, finite: true, float16 });
}

async function carryOf(file: string, out: string): Promise<Exported> {
  const { state } = openCheckpointState(file);
  const { bytes, left, tensorCount } = await writeCarry(out, state);
  return {
    bytes,
    tensorCount,
    networks: NETWORK_NAMES.filter((name) => !left.some((other) => other === name)),
    warnings: left.map((name) => `${name} was left out: a resume takes it from ${name}_ema`),
    seen: state.record.seen as number,
  };
}
