/** `portraitgan dataset synth`: a set of synthetic portraits, labelled exactly. */

import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { installedAssets } from '../dataset/synthetic/assets.ts';
import { BACKDROPS, type BackdropKind } from '../dataset/synthetic/backdrop.ts';
import { PICTURE_FORMATS, type PictureFormat } from '../dataset/synthetic/part.ts';
import { synthesise } from '../dataset/synthetic/synthesise.ts';
import { CAMERAS, type CameraSpread, POSES, type PoseSpread } from '../dataset/synthetic/viewpoint.ts';
import { UsageError } from '../errors.ts';
import { counted } from './dataset-options.ts';
import { prepareFolder, say, sayJson } from './output.ts';
import { numberOption, wholeOption, wordOption } from './parse.ts';
import { startCount } from './progress.ts';

const EXAMPLES = `
Writes NAME.zip and NAME-masks.zip (or a folder) in the form that training reads, NAME-pictures.jsonl with keypoints and
NAME-identities.jsonl with the latent and the traits of each person; with --held-out the same again as NAME-held-out.
The same seed gives the same files, whatever the number of workers. docs/dataset.md says what everything means.

Examples:
  portraitgan dataset synth --count 1000 --size 128 --out out/people.zip
  portraitgan dataset synth --count 80000 --views 8 --cameras uniform --held-out 0.02 --out out/people.zip
  portraitgan dataset synth ... --resume              goes on after an interruption`;

interface SynthOptions {
  readonly assets?: string;
  readonly count: number;
  readonly size: number;
  readonly seed: number;
  readonly out: string;
  readonly views: number;
  readonly cameras: CameraSpread;
  readonly poses: PoseSpread;
  readonly heldOut: number;
  readonly format: PictureFormat;
  readonly cameraLight?: boolean;
  readonly backdrops: BackdropKind;
  readonly depth?: boolean;
  readonly workers: number;
  readonly resume?: boolean;
  readonly json?: boolean;
}

/** The command. */
export function datasetSynthCommand(): Command {
  return new Command('synth')
    .description('make synthetic portraits with exact cameras, poses and masks')
    .requiredOption('--out <path>', 'NAME.zip, or a folder')
    .requiredOption('--count <n>', 'pictures in all', wholeOption('--count', 1, 100_000_000))
    .option('--size <pixels>', 'side of a picture', wholeOption('--size', 16, 1024), 256)
    .option('--seed <n>', 'another seed, another set', wholeOption('--seed', 0, 0xffffffff), 0)
    .option('--views <n>', 'pictures of each person', wholeOption('--views', 1, 10_000), 1)
    .option('--cameras <spread>', CAMERAS.join(', '), wordOption('--cameras', CAMERAS), 'phq')
    .option('--poses <spread>', POSES.join(', '), wordOption('--poses', POSES), 'natural')
    .option('--held-out <share>', 'people kept apart, 0 to 0.9', numberOption('--held-out', 0, 0.9), 0)
    .option('--format <format>', PICTURE_FORMATS.join(', '), wordOption('--format', PICTURE_FORMATS), 'png')
    .option(
      '--backdrops <kind>',
      `${BACKDROPS.join(', ')}: drawn for each picture, or the person's own, without grain (for portraitgan teach)`,
      wordOption('--backdrops', BACKDROPS),
      'varied',
    )
    .option('--camera-light', 'light comes along with the camera (for detectors, not for generators)')
    .option('--depth', 'depth pictures too: NAME-depth.zip, 16 bits, units of 0.05 mm')
    .option('--assets <folder>', 'the people’s parts; default: the package portraitgan-assets')
    .option(
      '--workers <n>',
      'threads; default: one a core',
      wholeOption('--workers', 1, 256),
      availableParallelism(),
    )
    .option('--resume', 'goes on with an interrupted run')
    .option('--json', 'prints the report as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (options: SynthOptions) => {
      const { cameraLight = false, depth = false, resume = false, json = false, ...rest } = options;
      if (options.out === '') throw new UsageError('--out is empty; expected NAME.zip or a folder');
      prepareFolder(dirname(options.out));
      const assets = options.assets ?? installedAssets();
      let step = 'painting';
      let progress = startCount(step);
      const started = performance.now();
      const report = await synthesise({
        ...rest,
        assets,
        cameraLight,
        depth,
        resume,
        onFolder: prepareFolder,
        onProgress: (at) => {
          if (at.step !== step) {
            progress.end();
            step = at.step;
            progress = startCount(step);
          }
          progress.at(at);
        },
      }).finally(() => progress.end());
      const seconds = (performance.now() - started) / 1000;
      if (json) {
        sayJson({ ...report, seconds });
        return;
      }
      for (const { path, pictures } of report.datasets) say(`${path}: ${counted(pictures, 'picture')}`);
      if (report.found > 0) say(`${report.found} were painted before`);
      if (report.made > 0) {
        const rate = (report.made / seconds).toFixed(1);
        say(`${report.made} painted in ${seconds.toFixed(1)} s, ${rate} a second`);
      }
    });
}
