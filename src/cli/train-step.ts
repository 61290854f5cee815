/** `portraitgan train-step`: one optimisation step on given arrays. For checking, and for those who build tools. */

import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { FormatError, UsageError } from '../errors.ts';
import { discriminatorConfig, generatorConfig, type JsonObject } from '../portrait/config.ts';
import { posingOf } from '../portrait/posing.ts';
import type { NdArray } from '../tensor/index.ts';
import { stepParameters } from '../training/optimise.ts';
import type { StepNetworks } from '../training/phase.ts';
import { scheduleAt } from '../training/schedules.ts';
import { runStep } from '../training/step.ts';
import { type NpyArray, toFloat32, writeNpz } from '../weights/index.ts';
import { parseStrictJson } from '../weights/json-strict.ts';
import { type BodyFlags, bodyOptions, openBody } from './body-options.ts';
import { type EngineOptions, engineOptions, makeEngine } from './engine.ts';
import { readArrays, requireFile } from './input.ts';
import { note, prepareFile, say, sayJson, showSeconds } from './output.ts';
import { stepArrays, stepInputs } from './train-step-inputs.ts';
import { type TrainStepOptions, trainStepOptions } from './train-step-options.ts';
import { openTrainedNetworks, type TrainedNetworks } from './trained-networks.ts';

interface TrainStepFlags extends EngineOptions, BodyFlags {
  readonly network: string;
  readonly inputs: string;
  readonly options: string;
  readonly outputs: string;
  readonly json?: boolean;
}

const DETAILS = `
One phase of training on the networks G and D (not the averages), from a fresh optimiser, with the stored noise
images and samples at .5 of their bins. docs/training.md describes phases, options and arrays.

Inputs, with or without the prefix in/, any numeric type; others are ignored:
  gen_z, gen_c, gen_pose; real_img and real_seg as bytes, real_c, real_pose
  swap_u [N, 1], bcg_u [N, 1, 1]           draws of the swaps
  greg_swap_u, greg_points, greg_noise, mono_points   draws of the density regularisation
  face_index_coarse, face_index_fine       faces that carry the samples (default: the nearest)
Outputs, float32: loss/backward, grad/NAME, after/NAME, stat/NAME, mid/w_avg_after.

Example:
  portraitgan train-step --network model.pkl --inputs in.npz --options options.json --outputs out.npz`;

/** The command. */
export function trainStepCommand(): Command {
  const command = new Command('train-step')
    .description('one optimisation step on arrays: npz in, npz out')
    .requiredOption('--network <file>', 'checkpoint (.pkl or .safetensors) with G and D')
    .requiredOption('--inputs <file.npz>', 'labels, reals, latents and draws')
    .requiredOption('--options <file.json>', 'phase, optimiser, loss and schedules')
    .requiredOption('--outputs <file.npz>', 'where losses, gradients and parameters go')
    .option('--json', 'prints losses and counts as JSON')
    .addHelpText('after', DETAILS);
  return engineOptions(bodyOptions(command)).action(trainStep);
}

async function trainStep(flags: TrainStepFlags): Promise<void> {
  const started = performance.now();
  prepareFile(flags.outputs);
  const arrays = stepArrays(await readArrays(flags.inputs, '--inputs'), flags.inputs);
  const networks = await openTrainedNetworks(flags.network);
  try {
    const { generator, discriminator } = networks;
    const config = generatorConfig(generator.record);
    const options = trainStepOptions(readJson(flags.options), config, renderingOf(networks));
    compareSchedules(options);
    if (options.ignored.length > 0) note(`${options.ignored.join(', ')}: not known here, ignored`);
    const posing = posingOf(await openBody(flags, networks), config.rendering.boxWarp, config.thickness);
    const step: StepNetworks = {
      generator: {
        config,
        posing,
        shapes: generator.record.shapes,
        trainable: networks.trainable.G.filter(
          (name) => options.posesTrained || !name.includes('pose_branch'),
        ),
      },
      discriminator: {
        config: discriminatorConfig(discriminator.record),
        shapes: discriminator.record.shapes,
        trainable: networks.trainable.D,
      },
      read: { G: generator.read, D: discriminator.read },
    };
    const inputs = stepInputs(arrays, step, options);
    if (
      scheduleAt(options.seen, options.start, options.loss).densityNoise > 0 &&
      !arrays.has('density_noise_coarse')
    )
      note('the schedule has noise on densities, but no draws of it are given: there is none');
    const engine = await makeEngine(flags);
    try {
      const network = options.phase.startsWith('G') ? 'G' : 'D';
      const result = await runStep(engine, step, { ...options, noise: 'const' }, inputs);
      const nothing = result.gradients.size === 0;
      if (nothing) note(`${options.phase} computes nothing: its regulariser has weight 0`);
      const stepped = nothing
        ? { gradients: new Map<string, NdArray>(), values: new Map<string, NdArray>(), bad: 0 }
        : await stepParameters(engine, result.gradients, step.read[network], options.adam);
      if (stepped.bad > 0)
        note(`${stepped.bad} numbers of the gradients were NaN or infinite and have been replaced`);
      const order = networks.trainable[network];
      const entries: [string, NdArray][] = [
        ['loss/backward', vector(result.losses)],
        ...inOrder('grad', stepped.gradients, order),
        ...inOrder('after', stepped.values, order),
        ...[...result.statistics].map(([name, value]): [string, NdArray] => [`stat/${name}`, value]),
        ['mid/w_avg_after', result.wAvg],
      ];
      await writeNpz(flags.outputs, Object.fromEntries(entries.map(([name, value]) => [name, plain(value)])));
      const seconds = (performance.now() - started) / 1000;
      const report = {
        phase: options.phase,
        losses: result.losses,
        gradients: stepped.gradients.size,
        replaced: stepped.bad,
        engine: engine.name,
        seconds,
      };
      if (flags.json) sayJson({ outputs: flags.outputs, ...report });
      else {
        say(`${options.phase}: loss ${result.losses.map((loss) => loss.toPrecision(6)).join(', ')}`);
        say(`${stepped.gradients.size} of ${order.length} parameters have a gradient`);
        say(`${flags.outputs}: ${showSeconds(seconds)} on the ${engine.name} engine`);
      }
    } finally {
      await engine.dispose();
    }
  } finally {
    networks.close();
  }
}

function inOrder(
  prefix: string,
  values: ReadonlyMap<string, NdArray>,
  order: readonly string[],
): [string, NdArray][] {
  return order.flatMap((name): [string, NdArray][] => {
    const value = values.get(name);
    return value === undefined ? [] : [[`${prefix}/${name}`, value]];
  });
}

function vector(values: readonly number[]): NdArray {
  return { dtype: 'float32', shape: [values.length], data: Float32Array.from(values) };
}

function plain(value: NdArray): NpyArray {
  return { dtype: 'float32', shape: value.shape, data: toFloat32(value) };
}

function readJson(file: string) {
  requireFile(file, '--options');
  try {
    return parseStrictJson(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof FormatError) throw new UsageError(`"${file}": ${error.message}`);
    throw error;
  }
}

function renderingOf({ generator }: TrainedNetworks): JsonObject {
  const { initKwargs, attributes } = generator.record;
  return {
    ...(initKwargs.rendering_kwargs as JsonObject | undefined),
    ...(attributes.rendering_kwargs as JsonObject | undefined),
  };
}

/** Options may say what their schedules come to; a difference is remarked upon, the schedules count. */
function compareSchedules({ seen, start, loss, expected }: TrainStepOptions): void {
  const { blurSigma, swapProbability, neuralResolution } = scheduleAt(seen, start, loss);
  const found = {
    blur_sigma: blurSigma,
    swapping_prob: swapProbability,
    neural_rendering_resolution: neuralResolution,
  };
  for (const [key, value] of Object.entries(expected)) {
    const own = found[key as keyof typeof found];
    if (value !== undefined && Math.abs(value - (own ?? Number.NaN)) < 1e-6) continue;
    if (value !== undefined) note(`options: "${key}" is ${value}, but the schedules come to ${own}`);
  }
}
