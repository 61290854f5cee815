/** `portraitgan body`: a picture of the posed body under a camera. */

import { Command } from 'commander';
import { poseBody } from '../body/index.ts';
import { writePng } from '../picture/png.ts';
import { rasterOfMesh, renderMesh } from '../picture/shade.ts';
import { tableSheet } from '../picture/sheet.ts';
import { cameraLabel } from '../portrait/camera.ts';
import {
  type BodyFlags,
  bodyOptions,
  openBody,
  type PoseFlags,
  poseOf,
  poseOptions,
} from './body-options.ts';
import { NETWORK_HELP, openNetworks } from './network.ts';
import { prepareFile, say, sayJson } from './output.ts';
import { wholeOption } from './parse.ts';
import { type ViewOptions, viewOptions, viewsOf } from './views.ts';

interface Flags extends PoseFlags, BodyFlags, ViewOptions {
  readonly network?: string;
  readonly size: number;
  readonly out: string;
  readonly json?: boolean;
}

const WHITE = [255, 255, 255] as const;

const EXAMPLES = `
Examples:
  portraitgan body --head 0,40,0 --yaw 30 --out body.png
  portraitgan body --neck 20,0,0 --turn 8 --out turn.png
  portraitgan body --body SMPL_NEUTRAL.pkl --align-regressor regressor.npy --out smpl.png`;

/** The command. */
export function bodyCommand(): Command {
  const command = new Command('body')
    .description('draw the posed body under a camera')
    .option('--network <file>', `${NETWORK_HELP}: draws the body it carries`)
    .option('--size <pixels>', 'side of a picture', wholeOption('--size', 8, 4096), 512)
    .option('--out <file.png>', 'where the picture goes', 'body.png')
    .option('--json', 'prints what was written as JSON')
    .addHelpText('after', EXAMPLES);
  return bodyOptions(poseOptions(viewOptions(command))).action(drawBody);
}

async function drawBody(flags: Flags): Promise<void> {
  const views = viewsOf(flags);
  prepareFile(flags.out);
  const networks = flags.network === undefined ? undefined : await openNetworks(flags.network);
  const body = await openBody(flags, networks);
  networks?.close();
  const pose = poseOf(flags)?.data ?? new Float32Array(6);
  const mesh = { positions: poseBody(body, pose), indices: Uint32Array.from(body.faces) };
  const size = { width: flags.size, height: flags.size };
  const cells = views.map(({ camera }) =>
    rasterOfMesh(renderMesh(mesh, {}, cameraLabel(camera), size), WHITE),
  );
  const sheet = (): ReturnType<typeof tableSheet> =>
    tableSheet({ title: 'body', columns: views.map(({ label }) => label), rows: [{ label: '', cells }] });
  await writePng(flags.out, cells.length === 1 ? cells[0] : sheet());
  const { vertexCount, faceCount } = body;
  if (flags.json)
    sayJson({
      out: flags.out,
      vertices: vertexCount,
      faces: faceCount,
      views: views.map(({ name }) => name),
    });
  else say(`${flags.out}: ${vertexCount} vertices, ${faceCount} faces`);
}
