/** `portraitgan dataset validate`: everything that is wrong with a dataset. */

import { Command } from 'commander';
import { datasetPaths } from '../dataset/paths.ts';
import { sourcePaths } from '../dataset/sources.ts';
import { problemLine } from '../dataset/survey.ts';
import { validateDataset } from '../dataset/validate.ts';
import { DatasetError } from '../errors.ts';
import { counted, noteProblems } from './dataset-options.ts';
import { requireFile } from './input.ts';
import { say, sayJson } from './output.ts';
import { wholeOption } from './parse.ts';
import { startCount } from './progress.ts';

interface Flags {
  readonly masks?: string;
  readonly resolution?: number;
  readonly maxProblems: number;
  readonly json?: boolean;
}

const HELP = `
Every picture and mask is decoded and every label checked. Exit code 2 when there is a problem. Remarks are what
training can live with: labels and masks without a picture, masks that show nobody.

Examples:
  portraitgan dataset validate set.zip
  portraitgan dataset validate photos --resolution 512
  portraitgan dataset validate images.zip --masks masks.zip --json`;

/** The command. */
export function datasetValidateCommand(): Command {
  return new Command('validate')
    .description('list what is wrong with a dataset')
    .argument('<dataset>', 'NAME.zip, or a folder with images, masks and dataset.json')
    .option('--masks <path>', 'zip or folder of masks; NAME-masks.zip beside NAME.zip by default')
    .option('--resolution <pixels>', 'side that pictures must have', wholeOption('--resolution', 1))
    .option('--max-problems <count>', 'problems that are listed', wholeOption('--max-problems', 1), 100)
    .option('--json', 'prints everything as JSON')
    .addHelpText('after', HELP)
    .action(validate);
}

async function validate(dataset: string, { masks, json, ...options }: Flags): Promise<void> {
  requireFile(dataset);
  const paths = masks === undefined ? datasetPaths(dataset) : sourcePaths(dataset, masks);
  const progress = startCount('validate');
  const report = await validateDataset(paths, { ...options, onProgress: progress.at });
  progress.end();
  const { good, resolution, problems, problemCount, remarks, remarkCount } = report;
  if (json) sayJson({ ok: problemCount === 0, ...report });
  else {
    noteProblems('remark', remarks);
    for (const problem of problems) say(problemLine(problem));
    if (problemCount > problems.length) say(`and ${problemCount - problems.length} more`);
    const size = resolution === undefined ? '' : ` of ${resolution} x ${resolution}`;
    say(
      `${counted(good, 'good picture')}${size}, ${counted(problemCount, 'problem')}, ${counted(remarkCount, 'remark')}`,
    );
  }
  if (problemCount > 0) throw new DatasetError(`"${dataset}" has ${counted(problemCount, 'problem')}`);
}
