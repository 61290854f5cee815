/** `portraitgan export`: the networks of a training run as a model. */

import { resolve } from 'node:path';
import { Command } from 'commander';
import { UsageError } from '../errors.ts';
import { verifyState } from '../runs/latest.ts';
import { convertCheckpoint, NETWORK_NAMES, type NetworkName } from '../weights/index.ts';
import { readingFrom, requireFile } from './input.ts';
import { note, prepareFile, say, sayJson, showBytes } from './output.ts';
import { wordsOption } from './parse.ts';
import { newestOfRun } from './run-files.ts';

interface ExportFlags {
  readonly out: string;
  readonly networks: NetworkName[];
  readonly half?: boolean;
  readonly json?: boolean;
}

const EXAMPLES = `
Takes the newest checkpoint of a run that verifies, or the file that is named. The model works wherever a published
checkpoint does; it holds no optimiser state, so training cannot go on from it exactly.

Examples:
  portraitgan export runs/first --out model.safetensors
  portraitgan export runs/first --out small.safetensors --half --networks G_ema
  portraitgan generate --network model.safetensors --seeds 0-7`;

/** The command. */
export function exportCommand(): Command {
  return new Command('export')
    .description('write the networks of a training run as a model (.safetensors)')
    .argument('<run|checkpoint>', 'folder of a run, or a checkpoint file')
    .requiredOption('--out <file.safetensors>', 'file to write')
    .option(
      '--networks <list>',
      `networks to keep: ${NETWORK_NAMES.join(', ')}`,
      wordsOption('--networks', NETWORK_NAMES),
      ['G_ema', 'D_ema'] satisfies NetworkName[],
    )
    .option('--half', 'stores parameters in half precision')
    .option('--json', 'prints what was written as JSON')
    .addHelpText('after', EXAMPLES)
    .action(exportModel);
}

async function exportModel(source: string, { out, networks, half, json }: ExportFlags): Promise<void> {
  requireFile(source);
  const file = newestOfRun(source);
  if (resolve(file) === resolve(out))
    throw new UsageError('input and output are the same file; give the output another name');
  prepareFile(out);
  const report = await readingFrom(file, () => {
    const run = verifyState(file);
    const written = convertCheckpoint(file, out, {
      networks,
      finite: true,
      ...(half === undefined ? {} : { float16: half }),
    });
    return { ...written, ...run };
  });
  if (json) {
    sayJson({ ...report, source: file });
    return;
  }
  for (const warning of report.warnings) note(`warning: ${warning}`);
  say(`${out}: ${report.networks.join(' and ')}, ${report.tensorCount} tensors, ${showBytes(report.bytes)}`);
  say(`from "${file}"${report.seen === undefined ? '' : `, after ${report.seen} images`}`);
}
