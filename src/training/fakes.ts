/** Generated pictures in training: spec page 5.3, `run_G`. */

import { posedVertices } from '../body/index.ts';
import type { GeneratorNetwork } from '../portrait/generator.ts';
import { noiseLayers, pictures } from '../portrait/generator.ts';
import type { Parameters } from '../portrait/parameters.ts';
import { generatorPose } from '../portrait/pose.ts';
import { type Posing, posedInputs } from '../portrait/posing.ts';
import { type BlockOptions, type NoiseMode, synthesisNetwork } from '../portrait/synthesis.ts';
import { type Aval, f32, i32, type Tensor } from '../tensor/index.ts';
import { backgroundStyles, type Mixing, type Swap, trainingStyles } from './conditioning.ts';
import { withValue } from './exact.ts';
import { renderTraining } from './rendering.ts';

/** A generator and the body that its samples follow. */
export interface PosedGenerator extends GeneratorNetwork {
  readonly posing: Posing;
}

/** What is built into a program that generates; whatever moves while training is an input. */
export interface FakeSetting {
  readonly batch: number;
  readonly neuralResolution: number;
  /** Whether cameras and poses condition the styles; if not, labels are zeros. */
  readonly conditioned: boolean;
  readonly mixing: boolean;
  /** Probability of a neighbour's background. */
  readonly bcgRegProb: number;
  /** Noise images of backbone and background. */
  readonly noise: NoiseMode;
  /** Whether noise is added to the densities. */
  readonly densityNoise: boolean;
  /** Whether depths are drawn; otherwise samples lie at .5 of their bins, importance draws evenly. */
  readonly drawnDepths: boolean;
  /** Whether the faces that carry the samples are given, instead of being the nearest ones. */
  readonly givenFaces: boolean;
}

/** Inputs of a program that generates, all of them draws, labels and schedules:
 *
 * `z` [N, zDim], `c` [N, 25]; `imagined` [N, 6] and `styles` [N, W] by `plainPoses` and `plainStyles`; `swapU` [N, 1] and `swapProbability`; `mixZ` [N, zDim] and `mixCut`;
 * `backgroundU` [N, 1, 1]; `mesh`, a block for each pose, and
 * its `vertices` [N, V, 3]; `coarseFaces`, `fineFaces` [N, samples];
 * `coarseNoise`, `fineNoise` [N, samples, 1] and `densityNoise`, their deviation; `jitter` [N, rays, samples],
 * `quantiles` [N * rays, samples]; `noise/LAYER` [N, r, r].
 */
export function fakeInputs(network: PosedGenerator, setting: FakeSetting): Record<string, Aval> {
  const { config } = network;
  const { batch, neuralResolution } = setting;
  const { samples, importanceSamples } = config.rendering;
  const rays = neuralResolution ** 2;
  const inputs: Record<string, Aval> = {
    ...latentInputs(network, setting, batch),
    ...posedInputs(network.posing, batch),
    vertices: f32(batch, network.posing.body.canonical.length / 3, 3),
  };
  if (setting.bcgRegProb > 0) inputs.backgroundU = f32(batch, 1, 1);
  if (setting.givenFaces) {
    inputs.coarseFaces = i32(batch, rays * samples);
    inputs.fineFaces = i32(batch, rays * importanceSamples);
  }
  if (setting.densityNoise) {
    inputs.coarseNoise = f32(batch, rays * samples, 1);
    inputs.fineNoise = f32(batch, rays * importanceSamples, 1);
    inputs.densityNoise = f32();
  }
  if (setting.drawnDepths) {
    inputs.jitter = f32(batch, rays, samples);
    inputs.quantiles = f32(batch * rays, importanceSamples);
  }
  return { ...inputs, ...noiseInputs(network, setting, ['backbone.synthesis.', 'bcg_synthesis.']) };
}

/** Latent, camera and what decides the styles.
 *
 * @param swaps draws of the swap: one a sample, or one for all
 */
export function latentInputs(
  { config }: GeneratorNetwork,
  { batch, conditioned, mixing }: Pick<FakeSetting, 'batch' | 'conditioned' | 'mixing'>,
  swaps: number,
): Record<string, Aval> {
  return {
    z: f32(batch, config.zDim),
    c: f32(batch, 25),
    imagined: f32(batch, 6),
    styles: f32(batch, config.wDim),
    ...(conditioned ? { swapU: f32(swaps, 1), swapProbability: f32() } : {}),
    ...(mixing ? { mixZ: f32(batch, config.zDim), mixCut: i32() } : {}),
  };
}

/** Random noise images, if any, of the synthesis networks below some prefixes. */
export function noiseInputs(
  { shapes }: GeneratorNetwork,
  { batch, noise }: Pick<FakeSetting, 'batch' | 'noise'>,
  prefixes: readonly string[],
): Record<string, Aval> {
  if (noise !== 'random') return {};
  const layers = prefixes.flatMap((prefix) => noiseLayers(shapes, prefix));
  return Object.fromEntries(
    layers.map(({ layer, resolution }) => [`noise/${layer}`, f32(batch, resolution, resolution)]),
  );
}

export type Given = Readonly<Record<string, Tensor | undefined>>;

/** The swap and the mixing among the inputs. */
export function styleDraws(given: Given): { swap: Swap | undefined; mixing: Mixing | undefined } {
  const { swapU, swapProbability, mixZ, mixCut } = given;
  return {
    swap: swapU && swapProbability && { u: swapU, probability: swapProbability },
    mixing: mixZ && mixCut && { z: mixZ, cut: mixCut },
  };
}

export function blockOptions({ config }: GeneratorNetwork, noise: NoiseMode, given: Given): BlockOptions {
  const random = (layer: string): Tensor => given[`noise/${layer}`]!;
  return { noise, random, clamp: config.clamp };
}

export interface Fakes {
  /** [N, 6] the poses that the generator imagines. */
  readonly pose: Tensor;
  readonly ws: Tensor;
  /** [W] */
  readonly wAvg: Tensor;
  /** [N, 3, R, R], [N, 3, r, r], [N, 1, r, r] */
  readonly image: Tensor;
  readonly raw: Tensor;
  readonly mask: Tensor;
}

/** Generates.
 *
 * @param p             the whole generator
 * @param differentiate whether gradients will be asked for: then rendering
 *                      reaches the poses through the deformation
 */
export function generateFakes(
  p: Parameters,
  network: PosedGenerator,
  setting: FakeSetting,
  given: Given,
  differentiate: boolean,
): Fakes {
  const { config, posing } = network;
  const z = given.z!;
  const c = given.c!;
  const pose = withValue(given.imagined!, generatorPose(p.scope('pose_branch'), z, c));
  const { ws, wAvg } = trainingStyles(p, config, { z, c, pose, ...styleDraws(given) }, given.styles!);
  const wsBackground =
    given.backgroundU === undefined ? ws : backgroundStyles(ws, given.backgroundU, setting.bcgRegProb);
  const block = blockOptions(network, setting.noise, given);
  const planes = synthesisNetwork(p.scope('backbone').scope('synthesis'), ws, config.planeResolution, block);
  const side = config.backgroundResolution;
  const background =
    side === undefined ? undefined : synthesisNetwork(p.scope('bcg_synthesis'), wsBackground, side, block);
  const rendered = renderTraining(p.scope('decoder'), {
    planes,
    c,
    vertices:
      differentiate || setting.givenFaces
        ? withValue(given.vertices!, posedVertices(posing.body, pose))
        : undefined,
    side: setting.neuralResolution,
    rendering: config.rendering,
    posing,
    given,
  });
  const made = pictures(p, config, { ...rendered, background, ws, wsBackground });
  return { pose, ws, wAvg, image: made.image!, raw: made.raw, mask: made.mask };
}
