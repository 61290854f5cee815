/** The arrays of `train-step`, checked against the networks: labels, reals, latents, draws. */

import { UsageError } from '../errors.ts';
import type { GivenFaces } from '../portrait/posing.ts';
import { type NdArray, ndarray, sizeOf } from '../tensor/index.ts';
import { densityTerms } from '../training/density-loss.ts';
import type { DensityDraws } from '../training/draws.ts';
import { partsOf } from '../training/options.ts';
import type { StepInputs, StepNetworks } from '../training/phase.ts';
import { scheduleAt } from '../training/schedules.ts';
import { type NpyArray, toFloat32 } from '../weights/index.ts';
import type { TrainStepOptions } from './train-step-options.ts';

/** Arrays by name, with or without the `in/` of recordings, as float32. */
export interface StepArrays {
  has(name: string): boolean;
  /** @param shape extents; a letter stands for any: the same for the same letter. */
  take(name: string, shape: readonly (number | string)[]): NdArray;
  /** A list of N numbers whatever its shape, as `shape`. */
  takeAs(name: string, shape: readonly number[]): NdArray;
}

/** Wraps an archive. @param file its name, for errors. */
export function stepArrays(arrays: ReadonlyMap<string, NpyArray>, file: string): StepArrays {
  const find = (name: string): NpyArray | undefined => arrays.get(`in/${name}`) ?? arrays.get(name);
  const need = (name: string, shape: readonly (number | string)[]): NpyArray => {
    const array = find(name);
    if (array !== undefined) return array;
    const given = [...arrays.keys()].filter((key) => !/^(grad|after|mid|stat|loss)\//.test(key));
    throw new UsageError(
      `"${file}" has no array "in/${name}" [${shape.join(', ')}]; it holds ${given.sort().join(', ') || 'nothing'}`,
    );
  };
  const values = (name: string, array: NpyArray): Float32Array => {
    const data = toFloat32(array);
    const wrong = data.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) throw new UsageError(`"${file}": "in/${name}" holds ${data[wrong]} at ${wrong}`);
    return data;
  };
  const misfit = (name: string, { shape }: NpyArray, wanted: readonly (number | string)[]): UsageError =>
    new UsageError(`"${file}": "in/${name}" is [${shape.join(', ')}]; expected [${wanted.join(', ')}]`);
  return {
    has: (name) => find(name) !== undefined,
    take(name, shape) {
      const array = need(name, shape);
      const letters = new Map<string, number>();
      const fits =
        array.shape.length === shape.length &&
        shape.every((extent, i) => {
          const wanted = typeof extent === 'number' ? extent : (letters.get(extent) ?? array.shape[i]);
          if (typeof extent === 'string') letters.set(extent, wanted);
          return wanted === array.shape[i];
        });
      if (!fits) throw misfit(name, array, shape);
      return ndarray(array.shape, values(name, array));
    },
    takeAs(name, shape) {
      const array = need(name, shape);
      if (sizeOf(array.shape) !== sizeOf(shape)) throw misfit(name, array, shape);
      return ndarray(shape, values(name, array));
    },
  };
}

/** Picks what a phase reads.
 *
 * @throws UsageError naming an array that is missing, of another shape, or holds what it cannot.
 */
export function stepInputs(
  arrays: StepArrays,
  { generator, discriminator }: StepNetworks,
  options: TrainStepOptions,
): StepInputs {
  const { config } = generator;
  const { loss, density, phase } = options;
  const schedule = scheduleAt(options.seen, options.start, loss);
  const { network, main, regularise } = partsOf(phase, loss, density.weight);
  const generates = network === 'G' ? main || regularise : main;
  const batch = arrays.take(arrays.has('gen_z') ? 'gen_z' : 'real_c', ['N', 'K']).shape[0];
  if (options.batch !== undefined && options.batch !== batch)
    throw new UsageError(`options: "batch" is ${options.batch}, but the arrays have a batch of ${batch}`);

  const generated =
    generates || arrays.has('gen_z')
      ? {
          z: arrays.take('gen_z', [batch, config.zDim]),
          c: arrays.take('gen_c', [batch, 25]),
          pose: arrays.has('gen_pose') ? arrays.take('gen_pose', [batch, 6]) : undefined,
        }
      : undefined;
  const side = discriminator.config.resolution;
  const real =
    network === 'D' && (main || regularise)
      ? {
          image: arrays.take('real_img', [batch, 3, side, side]),
          mask: arrays.take('real_seg', [batch, 1, 'S', 'S']),
          c: arrays.take('real_c', [batch, 25]),
          pose: arrays.take('real_pose', [batch, 6]),
        }
      : undefined;

  const swaps = schedule.swapProbability !== undefined;
  const noisy = schedule.densityNoise > 0;
  const n = schedule.neuralResolution;
  const { samples, importanceSamples } = config.rendering;
  const [coarse, fine] = [n * n * samples, n * n * importanceSamples];
  const noiseOf = (name: string, count: number): NdArray | undefined =>
    noisy && arrays.has(name) ? arrays.take(name, [batch, count, 1]) : undefined;
  const densityDraws = (name: 'greg' | 'mono'): DensityDraws => {
    const own = name === 'mono' && arrays.has('mono_swap_u') ? 'mono_swap_u' : 'greg_swap_u';
    const points = arrays.take(`${name}_points`, [batch, 'P', 3]);
    const needsNoise = name === 'greg' && density.type !== 'total-variation';
    return {
      swapU: swaps ? arrays.takeAs(own, [1, 1]) : undefined,
      points,
      displacement: needsNoise ? arrays.take('greg_noise', points.shape) : undefined,
    };
  };
  const densityTermsUsed = network === 'G' && regularise ? densityTerms(density.type) : [];
  const pictures = generates && main;
  return {
    generated,
    real,
    draws: {
      swapU: pictures && swaps ? arrays.takeAs('swap_u', [batch, 1]) : undefined,
      backgroundU: pictures && loss.bcgRegProb > 0 ? arrays.takeAs('bcg_u', [batch, 1, 1]) : undefined,
      mixing:
        generates && loss.styleMixingProb > 0
          ? {
              u: arrays.takeAs('mix_u', []).data[0],
              cut: cutOf(arrays, config.numWs),
              z: arrays.take('mix_z', [batch, config.zDim]),
            }
          : undefined,
      coarseNoise: pictures ? noiseOf('density_noise_coarse', coarse) : undefined,
      fineNoise: pictures ? noiseOf('density_noise_fine', fine) : undefined,
      faces: pictures ? facesOf(arrays, batch, coarse, fine) : undefined,
      labelNoise: labelNoiseOf(arrays, batch, discriminator.config.conditionNoise ?? 0),
      variation: densityTermsUsed.includes('variation') ? densityDraws('greg') : undefined,
      monotonic: densityTermsUsed.includes('monotonic') ? densityDraws('mono') : undefined,
    },
  };
}

function cutOf(arrays: StepArrays, numWs: number): number {
  const cut = arrays.takeAs('mix_cut', []).data[0];
  if (!Number.isInteger(cut) || cut < 1 || cut > numWs)
    throw new UsageError(`"in/mix_cut" is ${cut}; a whole number from 1 to ${numWs} is expected`);
  return cut;
}

function facesOf(arrays: StepArrays, batch: number, coarse: number, fine: number): GivenFaces | undefined {
  const given = ['face_index_coarse', 'face_index_fine'].filter((name) => arrays.has(name));
  if (given.length === 0) return undefined;
  if (given.length === 1) throw new UsageError(`"in/${given[0]}" is given alone: both passes need faces`);
  const whole = (name: string, count: number): NdArray => {
    const { shape, data } = arrays.take(name, [batch, count]);
    const wrong = data.findIndex((value) => !Number.isInteger(value));
    if (wrong >= 0)
      throw new UsageError(`"in/${name}" holds ${data[wrong]} at ${wrong}; whole numbers are expected`);
    return { dtype: 'int32', shape, data: Int32Array.from(data) };
  };
  return { coarse: whole('face_index_coarse', coarse), fine: whole('face_index_fine', fine) };
}

/** Draws for each call of a discriminator whose labels have noise. */
function labelNoiseOf(arrays: StepArrays, batch: number, strength: number): NdArray[] | undefined {
  if (strength === 0) return undefined;
  const draws: NdArray[] = [];
  while (arrays.has(`disc_c_noise_${draws.length}`))
    draws.push(arrays.take(`disc_c_noise_${draws.length}`, [batch, 31]));
  return draws;
}
