/** The phases of a step, whole, as programs that take their weights as inputs; and the optimiser. */

import { defaultBody } from '../src/default-body.ts';
import { cameraLabel, viewCamera } from '../src/portrait/camera.ts';
import { discriminatorConfig, generatorConfig } from '../src/portrait/config.ts';
import { initialise } from '../src/portrait/initialise.ts';
import type { ParameterShapes } from '../src/portrait/parameters.ts';
import { poseBodies, posingOf } from '../src/portrait/posing.ts';
import {
  discriminatorPlan,
  discriminatorRecord,
  generatorPlan,
  generatorRecord,
  type Preset,
} from '../src/portrait/presets.ts';
import * as t from '../src/tensor/index.ts';
import type { TrainedGenerator } from '../src/training/generator-loss.ts';
import type { TrainedDiscriminator } from '../src/training/judging.ts';
import type { DensityRegOptions, LossOptions } from '../src/training/options.ts';
import { adversarialPrograms } from '../src/training/run-programs.ts';
import { lossOptionsOf, phasesOfRun } from '../src/training/run-settings.ts';
import { trainConfig } from '../src/training/train-defaults.ts';
import type { Draw } from './stages.ts';

export interface BenchedPhase {
  readonly label: string;
  readonly graph: t.Graph;
  /** Inputs that random numbers would not do for. */
  readonly inputs: Readonly<Record<string, t.NdArray>>;
}

const PUBLISHED = trainConfig({ data: 'none', r1Gamma: 1 });
const PHASES_OF_STEP = phasesOfRun(PUBLISHED);
const LOSS: LossOptions = lossOptionsOf(PUBLISHED);

/** Everything but buffers is trained. */
const trainable = (shapes: ParameterShapes): string[] =>
  [...shapes.keys()].filter((name) => !/resample_filter|noise_const|w_avg|pose_mean|pose_std/.test(name));

const NO_DENSITY: DensityRegOptions = { weight: 0, type: 'l1', distance: 0 };

/** The phases whose labels hold one of the words, all without words. */
export function phasesOf(
  preset: Preset,
  batch: number,
  only: readonly string[] = [],
  density = NO_DENSITY,
): BenchedPhase[] {
  const wanted = (label: string): boolean => only.length === 0 || only.some((word) => label.includes(word));
  const d = discriminatorRecord(preset);
  const g = generatorRecord(preset);
  const discriminator: TrainedDiscriminator = {
    config: discriminatorConfig(d),
    shapes: d.shapes,
    trainable: trainable(d.shapes),
  };
  const config = generatorConfig(g);
  const { boxWarp } = config.rendering;
  const posing = posingOf(defaultBody(), boxWarp, 0.25);
  const generator: TrainedGenerator = { config, shapes: g.shapes, trainable: trainable(g.shapes), posing };
  const poses = t.ndarray(
    [batch, 6],
    Array.from({ length: batch * 6 }, (_, i) => 0.1 * Math.sin(i)),
  );
  const cameras = Array.from({ length: batch }, (_, i) => [...cameraLabel(viewCamera((360 * i) / batch, 5))]);
  const inputs = {
    c: t.ndarray([batch, 25], cameras.flat()),
    imagined: poses,
    pose: poses,
    swapProbability: t.ndarray([], [0.7]),
    poseRegScale: t.ndarray([], [1]),
    ...poseBodies(posing, poses),
  };
  const programs = adversarialPrograms(
    { generator, discriminator },
    {
      ...{ batch, neuralResolution: preset.neuralResolution, phases: PHASES_OF_STEP, loss: LOSS },
      density,
    },
  );
  const phases = programs
    .filter(({ label }) => wanted(label))
    .map(({ label, trace }) => ({ label, graph: t.liftParameters(trace()), inputs }));
  const last = 'Adam and average of the discriminator';
  return wanted(last) ? [...phases, { label: last, graph: optimiser(d.shapes), inputs: {} }] : phases;
}

/** Inputs that are draws in [0, 1). */
const DRAWS = /jitter|quantiles|swapU|backgroundU/;

const uniform = ({ shape }: t.Aval): t.NdArray => {
  const count = shape.reduce((a, b) => a * b, 1);
  return t.ndarray(
    shape,
    Float32Array.from({ length: count }, (_, i) => (i * 0.61803398875) % 1),
  );
};

/** Random numbers in [-1, 1]. */
export function bounded({ shape }: t.Aval, draw: Draw): t.NdArray {
  const values = draw(shape.reduce((a, b) => a * b, 1));
  return t.ndarray(
    shape,
    values.map((value) => Math.max(-1, Math.min(1, value / 2))),
  );
}

/** Arrays for the inputs of a preset's phases: weights as a new network has them, labels and bodies as they are, and
 * other inputs random. */
export function phaseInputs(
  preset: Preset,
  draw: Draw,
): (phase: BenchedPhase, input: t.Graph['inputs'][number]) => t.NdArray {
  const networks = {
    D: initialise(discriminatorPlan(preset), draw),
    G: initialise(generatorPlan(preset), draw),
  };
  return ({ inputs }, { name, tensor }) => {
    const weight = /^([GD])\.(.*)$/.exec(name);
    const found = weight === null ? inputs[name] : networks[weight[1] as 'G' | 'D'].get(weight[2]);
    return found ?? (DRAWS.test(name) ? uniform(tensor) : bounded(tensor, draw));
  };
}

/** A step of every weight, and of its average. */
function optimiser(shapes: ParameterShapes): t.Graph {
  const weights = [...shapes].filter(([name]) => !name.endsWith('resample_filter'));
  const kinds = ['value', 'first', 'second', 'gradient', 'average'];
  const inputs: Record<string, t.Aval> = { stepSize: t.f32(), root: t.f32(), beta: t.f32() };
  for (const [name, aval] of weights) for (const kind of kinds) inputs[`${kind}/${name}`] = aval;
  return t.trace('optimiser', inputs, (given) => {
    const outputs: Record<string, t.Tensor> = {};
    for (const [name] of weights) {
      const of = (kind: string): t.Tensor => given[`${kind}/${name}`];
      const state = { value: of('value'), first: of('first'), second: of('second') };
      const settings = { beta1: 0, beta2: 0.99, eps: 1e-8 };
      const { value, first, second } = t.adamStep(
        state,
        of('gradient'),
        settings,
        given.stepSize,
        given.root,
      );
      const stepped = { value, first, second, average: t.emaStep(of('average'), value, given.beta) };
      for (const [kind, tensor] of Object.entries(stepped)) outputs[`${kind}/${name}`] = tensor;
    }
    return outputs;
  });
}
