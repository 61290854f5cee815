/** `portraitgan video`: portraits that turn, sway, move their heads, or become one another. */

import { join } from 'node:path';
import { Command } from 'commander';
import { EngineError } from '../errors.ts';
import type { Raster } from '../picture/raster.ts';
import { type FfmpegEncoder, ffmpegSink, findFfmpegEncoder } from '../picture/video/ffmpeg.ts';
import type { VideoSink } from '../picture/video/sink.ts';
import { webpSink } from '../picture/video/webp.ts';
import { focalOfFov, focalOfLegacyFov, intrinsics } from '../portrait/camera.ts';
import { type PortraitGenerator, portraitGenerator } from '../portrait/session.ts';
import { bodyOptions, openBody, poseOptions } from './body-options.ts';
import { engineOptions, makeEngine } from './engine.ts';
import { renderingOf } from './generate.ts';
import { openNetworks } from './network.ts';
import { note, prepareFolder, say, sayJson, showSeconds } from './output.ts';
import { numberOption, wholeOption, wordOption } from './parse.ts';
import { personOptions } from './person-options.ts';
import { startCount } from './progress.ts';
import { type Subject, subjectsOf } from './subjects.ts';
import { cellRenderers, gridFrame } from './video-cells.ts';
import {
  gridOption,
  isPosed,
  type Shot,
  shotsOf,
  VIDEO_FORMATS,
  VIDEO_MAPS,
  type VideoFlags,
  type VideoOptions,
  videoOptions,
} from './video-options.ts';
import { CAMERA_PATHS, momentOf } from './video-path.ts';
import { SWEEP_DEGREES, SWEEPS } from './video-pose.ts';

const HELP = `
Examples:
  portraitgan video --network model.pkl --seeds 4
  portraitgan video --network model.pkl --seeds 0-7 --grid 4x2 --path small --frames 120
  portraitgan video --network model.pkl --seeds 0-3 --interpolate --frames 60 --path still
  portraitgan video --network model.pkl --seeds 4 --sweep head-turn --sweep-degrees 30 --yaw 20
  portraitgan video --network model.pkl --seeds 4 --path turn --neck 10,0,0 --head 0,30,0

Without --grid and --interpolate there is one video a seed. With --interpolate the people of a cell become one
another and then the first again, on cubic splines in w. The camera: turn goes round once, small sways in front
of the face, large goes round once a keyframe, still stays in front or at --yaw and --pitch.
--neck and --head pose every frame. --sweep adds to one of these angles: from the pose to --sweep-degrees in the
middle of the video and back, on a cosine, so that it closes; negative degrees go the other way.
The video is an MP4 where ffmpeg is installed, else an animated WebP; the result says which encoder was used.
Depth is stretched from the nearest to the farthest point of each frame and cell; near is bright.`;

/** What one video is, for `--json`. */
interface Written {
  readonly file: string;
  readonly encoder: string;
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  readonly seconds: number;
}

/** The command. */
export function videoCommand(): Command {
  const command = personOptions(
    new Command('video').description(
      'make videos: a full turn, an orbit, a moving head, one person becoming another',
    ),
    { sweeps: false },
  )
    .option(
      '--path <name>',
      `way of the camera: ${CAMERA_PATHS.join(', ')} (default: turn; still with --yaw, --pitch or --sweep)`,
      wordOption('--path', CAMERA_PATHS),
    )
    .option('--yaw <degrees>', "still camera: positive shows the person's left side", numberOption('--yaw'))
    .option(
      '--pitch <degrees>',
      'still camera: positive looks from above',
      numberOption('--pitch', -89.9, 89.9),
    )
    .option(
      '--sweep <name>',
      `moves a joint there and back: ${SWEEPS.join(', ')}`,
      wordOption('--sweep', SWEEPS),
    )
    .option(
      '--sweep-degrees <angle>',
      `how far it moves (default: ${SWEEP_DEGREES})`,
      numberOption('--sweep-degrees', -180, 180),
    )
    .option('--interpolate', 'goes from person to person')
    .option(
      '--keyframes <n>',
      'people in each cell of an interpolation (default: all seeds divided among the cells)',
      wholeOption('--keyframes', 2, 1000),
    )
    .option('--grid <WxH>', 'several people side by side, such as 4x2', gridOption)
    .option('--frames <n>', 'frames, or frames a keyframe', wholeOption('--frames', 1, 100_000), 120)
    .option('--fps <n>', 'frames a second', numberOption('--fps', 1, 240), 30)
    .option('--size <pixels>', 'resizes each cell (Lanczos)', wholeOption('--size', 2, 8192))
    .option(
      '--map <name>',
      `what to show: ${VIDEO_MAPS.join(', ')}`,
      wordOption('--map', VIDEO_MAPS),
      'image',
    )
    .option('--format <name>', `${VIDEO_FORMATS.join(', ')}`, wordOption('--format', VIDEO_FORMATS), 'auto')
    .option('--fov <degrees>', 'true field of view over the side (default: 8.78)', numberOption('--fov'))
    .option(
      '--fov-legacy <degrees>',
      "field of view by the original's formula, also for the conditioning camera",
      numberOption('--fov-legacy'),
    )
    .option(
      '--samples <multiplier>',
      'multiplies the samples a ray (default: 1; the original script uses 2)',
      numberOption('--samples', 0.01, 64),
    )
    .option(
      '--ray-start <metres>',
      "where rays start (default: the checkpoint's; the original script uses 2.35)",
      numberOption('--ray-start', 0),
    )
    .option(
      '--neural-resolution <pixels>',
      "side of the raw picture (default: the checkpoint's)",
      wholeOption('--neural-resolution', 2, 1024),
    )
    .option('--outdir <folder>', 'where videos go', 'out')
    .option('--json', 'prints what was written as JSON')
    .addHelpText('after', HELP);
  return engineOptions(bodyOptions(poseOptions(command))).action(async (flags: VideoFlags) =>
    makeVideos(videoOptions(flags)),
  );
}

async function makeVideos(options: VideoOptions): Promise<void> {
  prepareFolder(options.outdir);
  const encoder = await encoderOf(options);
  const networks = await openNetworks(options.network);
  if (networks.untrained)
    note(`${networks.label}: it was never trained and shows coloured patterns, not people`);
  const engine = await makeEngine(options);
  try {
    const body = isPosed(options) ? await openBody(options, networks) : undefined;
    const generator = portraitGenerator(engine, networks.generator, body);
    if (options.whom.latents === undefined) shotsOf(options.whom.seeds, options);
    const shots = shotsOf(await subjectsOf(generator, options.whom), options);
    const written: Written[] = [];
    for (const shot of shots) {
      written.push(await makeVideo(generator, shot, encoder, options));
      if (!options.json) report(written[written.length - 1]);
    }
    if (options.json) sayJson({ videos: written, engine: engine.name, network: networks.label });
  } finally {
    await engine.dispose();
    networks.close();
  }
}

function report({ file, encoder, frames, width, height, seconds }: Written): void {
  say(file);
  say(`  ${frames} frames of ${width} x ${height}, ${encoder}, ${showSeconds(seconds)}`);
}

/** The encoder of ffmpeg, or undefined for animated WebP. */
async function encoderOf({ format }: VideoOptions): Promise<FfmpegEncoder | undefined> {
  if (format === 'webp') return undefined;
  const found = await findFfmpegEncoder();
  if (found === undefined && format === 'mp4')
    throw new EngineError(
      '--format mp4 needs ffmpeg with an encoder for H.264, VP9 or MPEG-4, and none was found: install ffmpeg, or use --format webp',
    );
  return found;
}

async function makeVideo(
  generator: PortraitGenerator,
  shot: Shot<Subject>,
  encoder: FfmpegEncoder | undefined,
  options: VideoOptions,
): Promise<Written> {
  const { fps, size, map, grid, whom } = options;
  const started = performance.now();
  const { timing } = shot;
  const frames = timing.keyframes * timing.framesPerKeyframe;
  const orbit = { intrinsics: intrinsics(focalOf(options)) };
  const cells = cellRenderers(
    generator,
    shot.cells.map((people) => people.map(({ ws }) => ws)),
    {
      map,
      size,
      view: {
        neuralResolution: options.neuralResolution,
        superresolution: map !== 'depth',
        rendering: renderingOf(generator, whom),
      },
    },
  );
  const file = join(options.outdir, `${nameOf(shot, options)}.${encoder === undefined ? 'webp' : 'mp4'}`);
  const progress = startCount('frames');
  let sink: VideoSink | undefined;
  let last: Raster | undefined;
  try {
    for (let frame = 0; frame < frames; frame++) {
      progress.at({ done: frame, total: frames });
      const moment = momentOf(options, frame, timing, orbit);
      const drawn: Raster[] = [];
      for (const cell of cells) drawn.push(await cell.draw(moment));
      last = gridFrame(drawn, grid);
      const { width, height } = last;
      sink ??=
        encoder === undefined
          ? webpSink(file, { width, height, fps })
          : ffmpegSink(file, { width, height, fps }, encoder);
      await sink.add(last);
    }
    await sink!.finish();
  } catch (error) {
    await sink?.abort();
    throw error;
  } finally {
    progress.end();
    for (const cell of cells) await cell.release();
  }
  const seconds = (performance.now() - started) / 1000;
  return { file, encoder: sink!.encoder, frames, width: last!.width, height: last!.height, seconds };
}

function focalOf({ fov, fovLegacy }: VideoOptions): number | undefined {
  if (fov !== undefined) return focalOfFov(fov);
  return fovLegacy === undefined ? undefined : focalOfLegacyFov(fovLegacy);
}

/** `seed0004_turn`, `seed0004_still_head-turn`, `seed0000-seed0007_small_depth`. */
function nameOf({ cells }: Shot<Subject>, { path, sweep, map, interpolate }: VideoOptions): string {
  const names = cells.flat().map(({ name }) => name);
  const who = names.length === 1 ? names[0] : `${names[0]}-${names[names.length - 1]}`;
  const shown = map === 'image' ? undefined : map;
  return [who, interpolate ? 'interpolation' : undefined, path, sweep, shown]
    .filter((part) => part !== undefined)
    .join('_');
}
