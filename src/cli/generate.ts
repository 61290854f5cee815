/** `portraitgan generate`: pictures of people who do not exist, from any side. */

import { join } from 'node:path';
import { Command } from 'commander';
import { UsageError } from '../errors.ts';
import type { RenderingOptions } from '../portrait/renderer.ts';
import { type Noise, type PortraitGenerator, portraitGenerator } from '../portrait/session.ts';
import { randomState } from '../weights/index.ts';
import { bodyOptions, openBody, poseOf, poseOptions } from './body-options.ts';
import { engineOptions, makeEngine } from './engine.ts';
import {
  type GenerateFlags,
  type GenerateOptions,
  generateOptions,
  MAPS,
  type MapName,
} from './generate-options.ts';
import { openNetworks } from './network.ts';
import { note, prepareFile, prepareFolder, say, sayJson, showSeconds } from './output.ts';
import { numberOption, rangeOption, wholeOption, wordOption, wordsOption } from './parse.ts';
import { personOptions } from './person-options.ts';
import {
  type Cell,
  checkSheet,
  needsSuperresolution,
  rasterOfMap,
  writePicture,
  writeSheet,
} from './pictures.ts';
import { startProgress } from './progress.ts';
import { type Subject, saveLatents, subjectsOf } from './subjects.ts';
import { labelOf, type View, viewOptions, viewsOf } from './views.ts';

/** What one picture is, for `--json`. */
interface Written {
  readonly file: string;
  readonly seed?: number | undefined;
  readonly psi?: number | undefined;
  readonly view: string;
  readonly map: MapName;
}

const EXAMPLES = `
Examples:
  portraitgan generate --seeds 0-3,7
  portraitgan generate --network model.pkl --seeds 0-7 --trunc 0.7 --views front,left,right,back
  portraitgan generate --network model.pkl --seeds 4 --yaw 30 --pitch 10 --fov 12
  portraitgan generate --network model.pkl --seeds 0-3 --trunc 0,0.5,1 --grid
  portraitgan generate --network model.pkl --seeds 2 --mix 9 --mix-layers 0-6
  portraitgan generate --network model.pkl --seeds 2,9 --interpolate 6
  portraitgan generate --network model.pkl --seeds 2 --maps image,depth,normals --camera c.json
  portraitgan generate --network model.pkl --seeds 2 --neck 10,0,0 --head 0,30,0 --turn 8

Latents are mapped under the front camera and the zero pose. Interpolation goes on straight lines in w.
Pictures are named seed0000_front.png, other maps seed0000_front_depth.png; the sheet is sheet.png.`;

/** The command. */
export function generateCommand(): Command {
  const command = personOptions(
    new Command('generate').description('make portraits: PNG files and a labelled contact sheet'),
    { sweeps: true },
  )
    .option('--mix <seed>', 'mixes in the styles of another seed', wholeOption('--mix', 0, 0xffffffff))
    .option('--mix-layers <range>', 'rows of ws taken from it, such as 0-6', rangeOption('--mix-layers'))
    .option(
      '--interpolate <n>',
      'frames between consecutive seeds, on straight lines in w',
      wholeOption('--interpolate', 1, 10_000),
    )
    .option(
      '--fov-legacy <degrees>',
      "field of view by the original's formula, also for the conditioning camera",
      numberOption('--fov-legacy'),
    )
    .option('--size <pixels>', 'resizes the pictures (Lanczos)', wholeOption('--size', 1, 8192))
    .option('--grid [WxH]', 'only the contact sheet, in WxH places if given')
    .option('--maps <list>', `what to write: ${MAPS.join(', ')}`, wordsOption('--maps', MAPS), ['image'])
    .option(
      '--samples <multiplier>',
      'multiplies the samples a ray (default: 1; the original scripts use 4)',
      numberOption('--samples', 0.01, 64),
    )
    .option(
      '--ray-start <metres>',
      "where rays start (default: the checkpoint's; the original scripts use 2.35)",
      numberOption('--ray-start', 0),
    )
    .option(
      '--neural-resolution <pixels>',
      "side of the raw picture (default: the checkpoint's)",
      wholeOption('--neural-resolution', 2, 1024),
    )
    .option(
      '--noise <mode>',
      'const (stored), random (drawn, the same for a seed each time), none',
      wordOption('--noise', ['const', 'random', 'none']),
      'const',
    )
    .option('--save-latents <file.npz>', 'writes the styles "ws", and "z" and "seeds" where there are any')
    .option('--outdir <folder>', 'where pictures go', 'out')
    .option('--json', 'prints what was written as JSON')
    .addHelpText('after', EXAMPLES);
  return engineOptions(bodyOptions(poseOptions(viewOptions(command)))).action(async (flags: GenerateFlags) =>
    generate(generateOptions(flags)),
  );
}

async function generate(options: GenerateOptions): Promise<void> {
  const started = performance.now();
  const views = viewsOf(options);
  prepareFolder(options.outdir);
  if (options.saveLatents !== undefined) prepareFile(options.saveLatents);
  const networks = await openNetworks(options.network);
  if (networks.untrained)
    note(`${networks.label}: it was never trained and shows coloured patterns, not people`);
  const engine = await makeEngine(options);
  try {
    const pose = poseOf(options);
    const body = pose === undefined ? undefined : await openBody(options, networks);
    const generator = portraitGenerator(engine, networks.generator, body);
    const subjects = await subjectsOf(generator, options);
    checkSheet(options.sheet, subjects.length * views.length * options.maps.length);
    if (options.saveLatents !== undefined) await saveLatents(options.saveLatents, subjects);
    const { cells, written } = await makePictures(generator, subjects, views, options);
    const sheet = join(options.outdir, 'sheet.png');
    await writeSheet(sheet, cells, options.sheet, titleOf(networks.label, options), options.size);
    const seconds = (performance.now() - started) / 1000;
    if (options.json) {
      sayJson({ sheet, pictures: written, engine: engine.name, network: networks.label, seconds });
    } else {
      const count = written.length === 1 ? '1 picture' : `${written.length} pictures`;
      if (written.length > 0) say(`${count} in ${options.outdir}`);
      say(`contact sheet: ${sheet}`);
      say(`${showSeconds(seconds)} on the ${engine.name} engine`);
    }
  } finally {
    await engine.dispose();
    networks.close();
  }
}

function titleOf(label: string, { psis, network }: GenerateOptions): string {
  const name = network === undefined ? label : (label.split(/[\\/]/).pop() ?? label);
  return psis.length === 1 && psis[0] !== 1 ? `${name}, psi ${psis[0]}` : name;
}

async function makePictures(
  generator: PortraitGenerator,
  subjects: readonly Subject[],
  views: readonly View[],
  options: GenerateOptions,
): Promise<{ cells: Cell[]; written: Written[] }> {
  const { maps, sheet, outdir, size } = options;
  const cells: Cell[] = [];
  const written: Written[] = [];
  const viewOptions = {
    neuralResolution: options.neuralResolution,
    superresolution: needsSuperresolution(maps),
    rendering: renderingOf(generator, options),
    pose: poseOf(options),
  };
  const progress = startProgress('portraits', {
    styles: subjects.length,
    views: subjects.length * views.length,
  });
  for (const subject of subjects) {
    const { ws } = subject;
    const noise = noiseOf(options, subject, generator.config.zDim);
    const parts = await progress.step('styles', async () => ({
      ws,
      planes: await generator.planes(ws, noise),
      background: await generator.background(ws, noise),
    }));
    for (const view of views) {
      const rendered = await progress.step('views', () =>
        generator.view(parts, labelOf(view.camera), viewOptions),
      );
      for (const map of maps) {
        const raster = rasterOfMap(map, rendered, view.camera);
        const wide = views.length > 1 || maps.length > 1;
        const column = [
          wide ? '' : subject.variant,
          views.length > 1 ? view.label : '',
          maps.length > 1 ? map : '',
        ];
        const row = wide && subject.variant !== '' ? `${subject.label}, ${subject.variant}` : subject.label;
        cells.push({ row, column: column.filter((part) => part !== '').join('\n'), raster });
        if (sheet.only) continue;
        const name = `${subject.name}_${view.name}${map === 'image' ? '' : `_${map}`}`;
        const file = await writePicture(outdir, name, raster, size);
        written.push({ file, seed: subject.seed, psi: subject.psi, view: view.name, map });
      }
    }
    await generator.release(parts.planes, parts.background);
  }
  progress.end();
  return { cells, written };
}

export function renderingOf(
  { config }: PortraitGenerator,
  options: GenerateOptions,
): Partial<RenderingOptions> {
  const { samples, importanceSamples, rayEnd } = config.rendering;
  const { samples: multiplier = 1, rayStart } = options;
  if (rayStart !== undefined && rayEnd !== 'auto' && rayStart >= rayEnd)
    throw new UsageError(`--ray-start is ${rayStart}; rays of this network end at ${rayEnd} metres`);
  const count = (n: number): number => (n === 0 ? 0 : Math.max(4, Math.floor(n * multiplier)));
  return {
    samples: count(samples),
    importanceSamples: count(importanceSamples),
    ...(rayStart === undefined ? {} : { rayStart }),
  };
}

/** Random noise continues the numbers of the subject's own seed behind its latent. */
function noiseOf({ noise }: GenerateOptions, subject: Subject, zDim: number): Noise {
  if (noise !== 'random') return { mode: noise };
  const source = randomState(subject.seed ?? 0);
  source.randn(zDim);
  return { mode: 'random', normals: (count) => Float32Array.from(source.randn(count)) };
}
