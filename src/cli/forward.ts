/** `portraitgan forward`: arrays in, arrays out. For checking, and for those who build tools. */

import { Command } from 'commander';
import { portraitDiscriminator, portraitGenerator, type Truncation } from '../portrait/session.ts';
import { type Engine, type NdArray, ndarray } from '../tensor/index.ts';
import { type NpyArray, toFloat32, writeNpz } from '../weights/index.ts';
import { type BodyFlags, bodyOptions, openBody } from './body-options.ts';
import { type EngineOptions, engineOptions, makeEngine } from './engine.ts';
import {
  checkBatch,
  type ForwardInputs,
  type ForwardPlan,
  forwardInputs,
  forwardPlan,
  styleInputs,
} from './forward-inputs.ts';
import { readArrays } from './input.ts';
import { NETWORK_HELP, type OpenNetworks, openNetworks } from './network.ts';
import { note, prepareFile, say, sayJson, showSeconds } from './output.ts';
import { numberOption, type Parser, wholeOption } from './parse.ts';
import { type Progress, startProgress } from './progress.ts';

interface ForwardFlags extends EngineOptions, BodyFlags {
  readonly network: string;
  readonly inputs: string;
  readonly outputs: string;
  readonly neuralResolution?: number;
  readonly deform: boolean;
  readonly planes?: boolean;
  readonly discriminate?: boolean;
  readonly trunc?: number;
  readonly truncCutoff?: number | 'none';
  readonly json?: boolean;
}

const DETAILS = `
Inputs, by name; any numeric type; other names are ignored:
  z [N, zDim] with c_cond [N, 25] and p_cond [N, 6], or ws [N, numWs, wDim]. ws is taken as it is when given;
                  with --trunc z is mapped instead
  c [N, 25]       camera labels: renders pictures
  p [N, 6]        pose of the body (neck, head, axis-angle, radians): samples follow it
  face_index_coarse, face_index_fine [N, rays * samples]   with p: the faces that carry the samples
  def_points [N, P, 3]   with p: points to carry, for checking
  points [N, P, 3]  canonical points: density and features there
  image, image_raw, image_mask   with --discriminate and neither z nor ws: judged under c
Outputs, float32: ws; image, image_raw, image_mask, image_depth, image_background; pose_G when there is a z;
  planes with --planes; field_sigma, field_rgb with points; D_logits, D_pose with --discriminate;
  posed_vertices with p; def_moved, def_sqdist, def_face with def_points.

Deterministic: averaged networks in evaluation mode, stored noise, samples at .5 of their bins, evenly spaced
importance draws, the checkpoint's rendering options. A batch is computed as one.

Examples:
  portraitgan forward --network model.pkl --inputs in.npz --outputs out.npz
  portraitgan forward --network model.safetensors --inputs in.npz --outputs out.npz --engine reference --planes`;

/** The command. */
export function forwardCommand(): Command {
  const command = new Command('forward')
    .description('run the networks on arrays: npz in, npz out')
    .requiredOption('--network <file>', NETWORK_HELP)
    .requiredOption('--inputs <file.npz>', 'arrays to start from')
    .requiredOption('--outputs <file.npz>', 'where the results go')
    .option(
      '--neural-resolution <pixels>',
      "side of the raw picture (default: the checkpoint's)",
      wholeOption('--neural-resolution', 2, 1024),
    )
    .option('--no-deform', 'leaves the deformation by the body pose "p" out')
    .option('--planes', 'also writes the tri-grid planes')
    .option('--discriminate', 'also scores the pictures and predicts their pose')
    .option('--trunc <psi>', 'truncation psi of z (default: 1)', numberOption('--trunc'))
    .option(
      '--trunc-cutoff <rows>',
      'rows of ws that are truncated, or none for all (default: none)',
      cutoffOption,
    )
    .option('--json', 'prints names and shapes of the outputs as JSON')
    .addHelpText('after', DETAILS);
  return engineOptions(bodyOptions(command)).action(forward);
}

const cutoffOption: Parser<number | 'none'> = (text) =>
  text === 'none' ? 'none' : wholeOption('--trunc-cutoff', 0)(text);

async function forward(flags: ForwardFlags): Promise<void> {
  const started = performance.now();
  prepareFile(flags.outputs);
  const inputs = forwardInputs(await readArrays(flags.inputs, '--inputs'), flags.inputs);
  const plan = forwardPlan(inputs, {
    planes: flags.planes === true,
    discriminate: flags.discriminate === true,
    truncated: flags.trunc !== undefined || flags.truncCutoff !== undefined,
    deform: flags.deform,
  });
  if (plan.styles === 'ws' && inputs.has('z'))
    note('both "ws" and "z" are given: "ws" is taken as it is, "z" serves pose_G only');
  const networks = await openNetworks(flags.network);
  const engine = await makeEngine(flags);
  const progress = startProgress('forward', stepsOf(plan));
  try {
    const outputs = await compute({ engine, networks, inputs, plan, flags, progress });
    progress.end();
    // Planes are large and do not shrink: packing them would take longer than computing them.
    await writeNpz(flags.outputs, outputs, { compress: false });
    const seconds = (performance.now() - started) / 1000;
    const shapes = Object.fromEntries(Object.entries(outputs).map(([name, { shape }]) => [name, shape]));
    if (flags.json) sayJson({ outputs: flags.outputs, arrays: shapes, engine: engine.name, seconds });
    else {
      for (const [name, shape] of Object.entries(shapes)) say(`${name} [${shape.join(', ')}]`);
      say(`${flags.outputs}: ${showSeconds(seconds)} on the ${engine.name} engine`);
    }
  } finally {
    await engine.dispose();
    networks.close();
  }
}

/** All that a run works with. */
interface Run {
  readonly engine: Engine;
  readonly networks: OpenNetworks;
  readonly inputs: ForwardInputs;
  readonly plan: ForwardPlan;
  readonly flags: ForwardFlags;
  readonly progress: Progress;
}

function stepsOf({ styles, view, field, judge }: ForwardPlan): Record<string, number> {
  const wanted = { planes: styles, background: view, views: view, field, judge };
  return Object.fromEntries(Object.entries(wanted).map(([kind, value]) => [kind, value ? 1 : 0]));
}

async function compute(run: Run): Promise<Record<string, NpyArray>> {
  const { engine, networks, inputs, plan, progress } = run;
  const outputs: Record<string, NdArray | undefined> =
    plan.styles === undefined ? {} : await generateArrays(run);
  if (plan.judge !== undefined) {
    const picture = (name: string, channels: number): NdArray =>
      plan.judge === 'given' ? inputs.take(name, ['N', channels, 'H', 'W']) : outputs[name]!;
    const pictures = {
      image: picture('image', 3),
      raw: picture('image_raw', 3),
      mask: picture('image_mask', 1),
    };
    const c = inputs.take('c', ['N', 25]);
    checkBatch({ c, image: pictures.image, image_raw: pictures.raw, image_mask: pictures.mask });
    const discriminator = portraitDiscriminator(engine, networks.discriminator());
    const { logits, pose } = await progress.step('judge', () => discriminator.judge(pictures, c));
    outputs.D_logits = logits;
    outputs.D_pose = pose;
  }
  return Object.fromEntries(
    Object.entries(outputs).flatMap(([name, array]) =>
      array === undefined
        ? []
        : [[name, { dtype: 'float32' as const, shape: array.shape, data: toFloat32(array) }]],
    ),
  );
}

async function generateArrays(run: Run): Promise<Record<string, NdArray | undefined>> {
  const { engine, networks, inputs, plan, flags, progress } = run;
  const pose = plan.posed ? inputs.take('p', ['N', 6]) : undefined;
  const body = pose === undefined ? undefined : await openBody(flags, networks);
  const generator = portraitGenerator(engine, networks.generator, body);
  const given = styleInputs(inputs, plan, generator.config);
  const c = plan.view ? inputs.take('c', ['N', 25]) : undefined;
  const points = plan.field ? inputs.take('points', ['N', 'P', 3]) : undefined;
  checkBatch({
    p: pose,
    ws: given.ws,
    z: given.z,
    c_cond: given.labels?.c,
    p_cond: given.labels?.p,
    c,
    points,
  });

  const ws = given.ws ?? (await generator.map(given.z!, given.labels!, truncationOf(flags)));
  const planes = await progress.step('planes', () => generator.planes(ws));
  const outputs: Record<string, NdArray | undefined> = {
    ws,
    planes: plan.planes ? await generator.download(planes) : undefined,
  };
  if (c !== undefined) {
    const background = await progress.step('background', () => generator.background(ws));
    const { neuralResolution } = flags;
    const parts = { planes, background, ws };
    const faces = plan.faces
      ? { coarse: inputs.takeWhole('face_index_coarse'), fine: inputs.takeWhole('face_index_fine') }
      : undefined;
    const view = await progress.step('views', () =>
      generator.view(parts, c, { neuralResolution, pose, faces }),
    );
    const { image, image_raw, image_mask, image_depth, image_background } = view;
    Object.assign(outputs, { image, image_raw, image_mask, image_depth, image_background });
    if (plan.pose) outputs.pose_G = await generator.pose(given.z!, c);
  }
  if (pose !== undefined) {
    const moving = plan.defPoints
      ? inputs.take('def_points', ['N', 'P', 3])
      : ndarray([pose.shape[0], 0, 3], []);
    const { vertices, moved, sqdist, face } = await generator.deformation(pose, moving);
    outputs.posed_vertices = vertices;
    if (plan.defPoints) Object.assign(outputs, { def_moved: moved, def_sqdist: sqdist, def_face: face });
  }
  if (points !== undefined) {
    const { sigma, rgb } = await progress.step('field', () => generator.field(planes, points));
    Object.assign(outputs, { field_sigma: sigma, field_rgb: rgb });
  }
  return outputs;
}

function truncationOf({ trunc, truncCutoff }: ForwardFlags): Truncation {
  return {
    ...(trunc === undefined ? {} : { psi: trunc }),
    cutoff: truncCutoff === 'none' ? undefined : truncCutoff,
  };
}
