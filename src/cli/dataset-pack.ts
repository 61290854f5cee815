/** `portraitgan dataset pack`: pictures, masks and labels to the two zips that training reads. */

import { Command } from 'commander';
import { packDataset } from '../dataset/pack.ts';
import { datasetPaths, isZipPath } from '../dataset/paths.ts';
import { sourcePaths } from '../dataset/sources.ts';
import { TRANSFORMS, type Transform } from '../dataset/transform.ts';
import { counted, noteProblems, ON_BAD } from './dataset-options.ts';
import { requireFile } from './input.ts';
import { note, prepareFile, say, sayJson } from './output.ts';
import { wholeOption, wordOption } from './parse.ts';
import { startCount } from './progress.ts';

interface Flags {
  readonly images: string;
  readonly masks?: string;
  readonly labels?: string;
  readonly out: string;
  readonly resolution?: number;
  readonly transform: Transform;
  readonly maxImages?: number;
  readonly onBad: (typeof ON_BAD)[number];
  readonly json?: boolean;
}

const HELP = `
Pictures are PNG or JPEG, in sub-folders or not; a mask has the name of its picture, but for the extension: grey,
0 background, 255 person. Labels are those of the dataset.json: {"labels": [["name.png", [31 numbers]], ...]}, 16 of
the camera to world matrix, 9 of the intrinsics, 6 of the pose. They are copied: a crop does not change the camera.
As in the original's tool pictures are numbered in the order of their names, masks are resized like pictures (their
edges become grey), and results must be square with a power of two pixels a side.
--transform center-crop takes the middle square; center-crop-wide the middle rows of pictures that are higher than
wide, and leaves out those smaller than the resolution.

Examples:
  portraitgan dataset pack --images photos/images --masks photos/masks --labels photos/dataset.json --out set.zip
  portraitgan dataset pack --images raw --masks raw-masks --out set.zip --resolution 256 --transform center-crop
  portraitgan dataset pack --images set-512.zip --out set-128.zip --resolution 128`;

/** The command. */
export function datasetPackCommand(): Command {
  return new Command('pack')
    .description('make a dataset from folders or zips of pictures and masks')
    .requiredOption('--images <path>', 'folder or zip of pictures')
    .option('--masks <path>', 'folder or zip of masks; NAME-masks.zip beside NAME.zip by default')
    .option('--labels <file>', 'dataset.json; the one with the pictures by default')
    .requiredOption('--out <path>', 'NAME.zip, which makes NAME-masks.zip too, or a new folder')
    .option('--resolution <pixels>', 'side of the pictures', wholeOption('--resolution', 4, 8192))
    .option('--transform <kind>', TRANSFORMS.join(', '), wordOption('--transform', TRANSFORMS), 'none')
    .option('--max-images <count>', 'packs the first ones only', wholeOption('--max-images', 1))
    .option(
      '--on-bad <what>',
      'refuse: nothing is packed when a picture has something wrong; skip: the others are',
      wordOption('--on-bad', ON_BAD),
      'refuse',
    )
    .option('--json', 'prints what was packed as JSON')
    .addHelpText('after', HELP)
    .action(pack);
}

async function pack({ images, masks, json, ...options }: Flags): Promise<void> {
  const from = sourcePaths(images, masks);
  if (options.labels !== undefined) requireFile(options.labels, '--labels');
  prepareFile(options.out);
  const progress = startCount('pack');
  const report = await packDataset({ ...options, from, onProgress: progress.at });
  progress.end();
  const { written, resolution, channels, dropped, skipped, remarks } = report;
  if (json) {
    sayJson({ out: options.out, ...report });
    return;
  }
  noteProblems('remark', remarks);
  noteProblems('left out', skipped);
  if (dropped.length > 0) note(`left out by the transform: ${counted(dropped.length, 'picture')}`);
  const target = isZipPath(options.out) ? datasetPaths(options.out) : undefined;
  const where = target === undefined ? options.out : `${target.images}, ${target.masks}`;
  say(
    `${where}: ${counted(written, 'picture')} of ${resolution} x ${resolution}, ${counted(channels, 'channel')}`,
  );
}
