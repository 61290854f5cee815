/** `portraitgan convert`: a published pickle to safetensors. */

import { resolve } from 'node:path';
import { Command } from 'commander';
import { UsageError } from '../errors.ts';
import { convertCheckpoint } from '../weights/index.ts';
import { readingFrom, requireFile } from './input.ts';
import { note, prepareFile, say, sayJson, showBytes, showSeconds } from './output.ts';
import { startCount } from './progress.ts';

interface ConvertFlags {
  readonly training?: boolean;
  readonly float16?: boolean;
  readonly json?: boolean;
}

const EXAMPLES = `
The file holds G_ema and D_ema with the body model's buffers and all options; nothing of the pickle is run.

Examples:
  portraitgan convert network.pkl network.safetensors
  portraitgan convert network.pkl network.safetensors --training --float16`;

/** The command. */
export function convertCommand(): Command {
  return new Command('convert')
    .description('turn a published checkpoint (.pkl) into .safetensors')
    .argument('<in.pkl>', 'checkpoint')
    .argument('<out.safetensors>', 'file to write')
    .option('--training', 'also keeps G and D, which only training needs')
    .option('--float16', 'stores parameters in half precision')
    .option('--json', 'prints what was written as JSON')
    .addHelpText('after', EXAMPLES)
    .action(convert);
}

async function convert(source: string, target: string, { json, ...options }: ConvertFlags): Promise<void> {
  requireFile(source);
  if (resolve(source) === resolve(target))
    throw new UsageError('input and output are the same file; give the output another name');
  prepareFile(target);
  const started = performance.now();
  const progress = startCount('convert');
  const report = await readingFrom(source, () =>
    convertCheckpoint(source, target, { ...options, onProgress: progress.at }),
  );
  progress.end();
  const seconds = (performance.now() - started) / 1000;
  if (json) {
    sayJson({ ...report, seconds });
    return;
  }
  for (const warning of report.warnings) note(`warning: ${warning}`);
  say(
    `${target}: ${report.networks.join(' and ')}, ${report.tensorCount} tensors, ${showBytes(report.bytes)}, ${showSeconds(seconds)}`,
  );
}
