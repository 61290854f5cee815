/** `portraitgan dataset inspect`: counts, a sheet of pictures, and plots of cameras and poses. */

import { basename, join } from 'node:path';
import { Command } from 'commander';
import { type Dataset, type DatasetItem, openDataset } from '../dataset/dataset.ts';
import { inOrder } from '../dataset/limiter.ts';
import { datasetPaths } from '../dataset/paths.ts';
import { sourcePaths } from '../dataset/sources.ts';
import { type DatasetStatistics, datasetStatistics, POSE_NAMES, spreadOf } from '../dataset/statistics.ts';
import { DatasetError } from '../errors.ts';
import { writePng } from '../picture/png.ts';
import { counted, noteProblems, ON_BAD } from './dataset-options.ts';
import { cameraPlots, itemSheet, posePlots } from './dataset-plots.ts';
import { requireFile } from './input.ts';
import { prepareFolder, say, sayJson } from './output.ts';
import { wholeOption, wordOption } from './parse.ts';

interface Flags {
  readonly masks?: string;
  readonly out?: string;
  readonly pictures: number;
  readonly onBad: (typeof ON_BAD)[number];
  readonly json?: boolean;
}

const HELP = `
With --out: sheet.png, pictures from all sides in the order of their yaw, labelled with yaw and pitch, tinted where
the mask shows no person; cameras.png and poses.png, how views and poses are distributed.
Labels of all pictures are read; only those on the sheet are decoded: "dataset validate" decodes all.

Examples:
  portraitgan dataset inspect set.zip
  portraitgan dataset inspect set.zip --out look --pictures 60
  portraitgan dataset inspect images.zip --masks masks.zip --json`;

/** The command. */
export function datasetInspectCommand(): Command {
  return new Command('inspect')
    .description('say what a dataset holds, and draw it')
    .argument('<dataset>', 'NAME.zip, or a folder with images, masks and dataset.json')
    .option('--masks <path>', 'zip or folder of masks; NAME-masks.zip beside NAME.zip by default')
    .option('--out <folder>', 'writes sheet.png, cameras.png and poses.png there')
    .option('--pictures <count>', 'pictures on the sheet', wholeOption('--pictures', 1, 600), 24)
    .option(
      '--on-bad <what>',
      'refuse or skip pictures with something wrong',
      wordOption('--on-bad', ON_BAD),
      'refuse',
    )
    .option('--json', 'prints everything as JSON')
    .addHelpText('after', HELP)
    .action(inspect);
}

async function inspect(path: string, { masks, out, pictures, onBad, json }: Flags): Promise<void> {
  requireFile(path);
  const paths = masks === undefined ? datasetPaths(path) : sourcePaths(path, masks);
  if (out !== undefined) prepareFolder(out);
  const dataset = await openDataset(paths, { onBad });
  try {
    const statistics = datasetStatistics(dataset.count, dataset.labels);
    const files = out === undefined ? [] : await draw(dataset, statistics, { path, out, pictures, onBad });
    report(dataset, statistics, files, json ?? false);
  } finally {
    await dataset.close();
  }
}

async function draw(
  dataset: Dataset,
  statistics: DatasetStatistics,
  { path, out, pictures, onBad }: { path: string; out: string; pictures: number; onBad: Flags['onBad'] },
): Promise<string[]> {
  const chosen = evenlyByYaw(statistics, pictures);
  const items: DatasetItem[] = [];
  const bad: { name: string; problem: string }[] = [];
  for await (const item of inOrder(chosen.length, 8, (i) => itemOr(dataset, chosen[i], onBad === 'skip'))) {
    if (item instanceof DatasetError) bad.push({ name: '', problem: item.message });
    else items.push(item);
  }
  noteProblems('left out', bad);
  const title = `${basename(path)}: ${dataset.count} pictures of ${dataset.resolution} x ${dataset.resolution}`;
  const made = {
    'cameras.png': cameraPlots(title, statistics),
    'poses.png': posePlots(title, statistics),
    ...(items.length > 0 ? { 'sheet.png': await itemSheet(title, items, dataset.resolution) } : {}),
  };
  for (const [name, picture] of Object.entries(made)) await writePng(join(out, name), picture);
  return Object.keys(made).map((name) => join(out, name));
}

async function itemOr(dataset: Dataset, index: number, skip: boolean): Promise<DatasetItem | DatasetError> {
  try {
    return await dataset.item(index);
  } catch (error) {
    if (skip && error instanceof DatasetError) return error;
    throw error;
  }
}

/** Indices evenly through the pictures, sorted by yaw. */
function evenlyByYaw({ count, yaw }: DatasetStatistics, wanted: number): number[] {
  const sorted = Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => yaw[a] - yaw[b]);
  const shown = Math.min(count, wanted);
  return Array.from({ length: shown }, (_, i) => sorted[Math.floor(((i + 0.5) * count) / shown)]);
}

function report(dataset: Dataset, statistics: DatasetStatistics, files: string[], json: boolean): void {
  const { yaw, pitch, roll, radius, pose, rear } = statistics;
  const angles = { yaw, pitch, roll, ...Object.fromEntries(pose.map((x, i) => [POSE_NAMES[i], x])) };
  const { paths, count, resolution, channels, skipped } = dataset;
  if (json) {
    const degrees = Object.fromEntries(Object.entries(angles).map(([name, x]) => [name, spreadOf(x)]));
    sayJson({
      ...paths,
      pictures: count,
      resolution,
      channels,
      rear,
      degrees,
      radius: spreadOf(radius),
      skipped,
      files,
    });
    return;
  }
  noteProblems('left out', skipped);
  say(
    `${counted(count, 'picture')} of ${resolution} x ${resolution}, ${counted(channels, 'channel')}; ${rear} from behind`,
  );
  for (const [name, values] of Object.entries(angles)) say(`${name.padEnd(10)} ${spread(values, 1)} degrees`);
  say(`${'radius'.padEnd(10)} ${spread(radius, 3)} metres`);
  for (const file of files) say(file);
}

function spread(values: Float64Array, digits: number): string {
  const { min, max, mean, std } = spreadOf(values);
  // No "-0.0".
  const show = (x: number): string =>
    x
      .toFixed(digits)
      .replace(/^-(0\.0*)$/, '$1')
      .padStart(7);
  return `${show(min)} to ${show(max)}, mean ${show(mean)}, deviation ${show(std)}`;
}
