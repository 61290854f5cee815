/** The random draws of a phase in training: a function of seed, iteration, phase, rank and chunk, and of nothing else.
 *
 * So a run that goes on draws what it would have drawn, and no state of a generator needs to be kept.
 */

import { noiseLayers } from '../portrait/generator.ts';
import { fillWith, type Stream, stream } from '../random.ts';
import { type NdArray, ndarray, sizeOf } from '../tensor/index.ts';
import { DENSITY_POINTS, densityTerms, looksOf } from './density-loss.ts';
import type { DensityDraws, Draws } from './draws.ts';
import type { PosedGenerator } from './fakes.ts';
import type { DensityRegOptions, LossOptions, Phase } from './options.ts';
import { partsOf } from './options.ts';
import type { StepInputs } from './phase.ts';
import type { Schedule } from './schedules.ts';

/** Labels of the data: what is generated has the camera and coarse pose of an item. */
export interface LabelSource {
  readonly count: number;
  labels(index: number): { readonly label: ArrayLike<number>; readonly pose: ArrayLike<number> };
}

export interface DrawnPhase {
  readonly phase: Phase;
  /** Samples of this chunk. */
  readonly batch: number;
  readonly loss: LossOptions;
  readonly density: DensityRegOptions;
  readonly schedule: Schedule;
}

/** Latents, cameras and coarse poses of what is generated. */
export function drawGenerated(
  own: Stream,
  batch: number,
  zDim: number,
  source: LabelSource,
): NonNullable<StepInputs['generated']> {
  const z = normals(own, [batch, zDim]);
  const [c, pose] = [new Float32Array(batch * 25), new Float32Array(batch * 6)];
  for (let n = 0; n < batch; n++) {
    const known = source.labels(Math.floor(own.uniform() * source.count));
    c.set(known.label, 25 * n);
    pose.set(known.pose, 6 * n);
  }
  return { z, c: ndarray([batch, 25], c), pose: ndarray([batch, 6], pose) };
}

/** What a phase needs beside that. @param labelCalls calls of a discriminator with noise on its labels */
export function drawPhase(
  own: Stream,
  generator: PosedGenerator,
  { phase, batch, loss, density, schedule }: DrawnPhase,
  labelCalls: number,
): Draws {
  const { config, shapes } = generator;
  const { network, main, regularise } = partsOf(phase, loss, density.weight);
  const pictures = main;
  const [rays, { samples, importanceSamples }] = [schedule.neuralResolution ** 2, config.rendering];
  const mixes = loss.styleMixingProb > 0 && (pictures || network === 'G');
  const noisy = pictures && schedule.densityNoise > 0;
  const terms = network === 'G' && regularise ? densityTerms(density.type) : [];
  const layers = ['backbone.synthesis.', ...(pictures ? ['bcg_synthesis.'] : [])].flatMap((prefix) =>
    noiseLayers(shapes, prefix),
  );
  return {
    ...(pictures
      ? {
          swapU: uniforms(own, [batch, 1]),
          backgroundU: uniforms(own, [batch, 1, 1]),
          jitter: uniforms(own, [batch, rays, samples]),
          quantiles: uniforms(own, [batch * rays, importanceSamples]),
        }
      : {}),
    ...(pictures || terms.length > 0
      ? {
          noise: Object.fromEntries(
            layers.map(({ layer, resolution: r }) => [layer, normals(own, [batch, r, r])]),
          ),
        }
      : {}),
    ...(noisy
      ? {
          coarseNoise: normals(own, [batch, rays * samples, 1]),
          fineNoise: normals(own, [batch, rays * importanceSamples, 1]),
        }
      : {}),
    ...(mixes
      ? {
          mixing: {
            u: own.uniform(),
            cut: 1 + Math.floor(own.uniform() * (config.numWs - 1)),
            z: normals(own, [batch, config.zDim]),
          },
        }
      : {}),
    ...(labelCalls > 0
      ? { labelNoise: Array.from({ length: labelCalls }, () => normals(own, [batch, 31])) }
      : {}),
    ...Object.fromEntries(
      terms.map((term) => [
        term,
        densityDraws(own, batch, DENSITY_POINTS[term], looksOf(term, density.type)),
      ]),
    ),
  };
}

/** One swap decides for a whole batch here. */
function densityDraws(own: Stream, batch: number, points: number, looks: number): DensityDraws {
  return {
    swapU: uniforms(own, [1, 1]),
    points: uniforms(own, [batch, points, 3]),
    displacement: normals(own, [batch, points, 3]),
    noise: normals(own, [batch, looks * points, 1]),
  };
}

/** More than a batch has. */
const CHUNKS = 1 << 16;

/** A stream that belongs to a chunk of a phase of an iteration. */
export function chunkStream(seed: number, iteration: number, phase: number, chunk: number): Stream {
  return stream(seed, CHUNKS * phase + chunk, iteration);
}

export function uniforms(own: Stream, shape: readonly number[]): NdArray {
  return ndarray(shape, fillWith(own.uniform, sizeOf(shape)));
}

function normals(own: Stream, shape: readonly number[]): NdArray {
  return ndarray(shape, fillWith(own.normal, sizeOf(shape)));
}
