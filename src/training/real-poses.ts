/** The poses that a discriminator sees in real pictures: what snapshots draw, and what its pose error is measured by. */

import { discriminatorConfig } from '../portrait/config.ts';
import { type DiscriminatorConfig, predictPose } from '../portrait/discriminator.ts';
import { type ParameterShapes, parametersOf } from '../portrait/parameters.ts';
import type { LoadedNetwork } from '../portrait/session.ts';
import { type Aval, type Engine, f32, type Graph, type NdArray, ndarray, trace } from '../tensor/index.ts';
import { blurMatrix, isBlurred } from './blur.ts';
import { realRecord, shown } from './judging.ts';
import type { LossOptions } from './options.ts';

/** How reals are shown to the discriminator. */
export interface RealSetting {
  readonly neuralResolution: number;
  /** Pixels; 0 for no blur. */
  readonly blurSigma: number;
  readonly filterMode: LossOptions['filterMode'];
}

/** Real pictures, bytes as numbers 0 to 255. */
export interface RealPictures {
  /** [N, 3, R, R] */
  readonly image: NdArray;
  /** [N, 1, S, S] */
  readonly mask: NdArray;
  /** [N, 25] */
  readonly c: NdArray;
}

/** `realImage`, `realMask`, `c`, and `blurImage` and `blurRaw` while the blur is on, to `pose` [N, 6]. */
export function realPoseGraph(
  shapes: ParameterShapes,
  config: DiscriminatorConfig,
  setting: RealSetting & { readonly batch: number; readonly maskSide: number },
): Graph {
  const { batch, maskSide, neuralResolution: r, blurSigma, filterMode } = setting;
  const { resolution } = config;
  const inputs: Record<string, Aval> = {
    realImage: f32(batch, 3, resolution, resolution),
    realMask: f32(batch, 1, maskSide, maskSide),
    c: f32(batch, 25),
    ...(isBlurred(blurSigma) ? { blurImage: f32(resolution, resolution), blurRaw: f32(r, r) } : {}),
  };
  return trace('poses of reals', inputs, (given) => {
    const record = shown(realRecord(given, r, filterMode), given);
    return { pose: predictPose(parametersOf(shapes), record, given.c, config) };
  });
}

/** Predicts poses [N, 6] in groups of the size that the discriminator takes statistics over.
 *
 * The statistic belongs to a group, so a prediction depends a little on its neighbours, as in training.
 *
 * @throws NetworkError when the record describes no discriminator.
 */
export async function predictRealPoses(
  engine: Engine,
  { record, read }: LoadedNetwork,
  reals: RealPictures,
  setting: RealSetting,
): Promise<NdArray> {
  const config = discriminatorConfig(record);
  const [count, maskSide] = [reals.c.shape[0], reals.mask.shape[2]];
  const batch = Math.min(config.groupSize, count);
  const graph = realPoseGraph(record.shapes, config, { ...setting, batch, maskSide });
  const parameters = Object.fromEntries(graph.parameters.map(({ name }) => [name, read(name)]));
  const program = await engine.compile(graph, { parameters });
  const blurs = isBlurred(setting.blurSigma)
    ? {
        blurImage: blurMatrix(config.resolution, setting.blurSigma),
        blurRaw: blurMatrix(setting.neuralResolution, setting.blurSigma),
      }
    : {};
  const poses = new Float32Array(count * 6);
  try {
    for (let first = 0; first < count; first += batch) {
      // A last group that is not full reaches back.
      const start = Math.min(first, count - batch);
      const part = (array: NdArray): NdArray => rows(array, start, batch);
      const { pose } = await program.run({
        ...{ realImage: part(reals.image), realMask: part(reals.mask), c: part(reals.c) },
        ...blurs,
      });
      poses.set(pose.data.subarray((first - start) * 6), first * 6);
    }
  } finally {
    await program.dispose();
  }
  return ndarray([count, 6], poses);
}

function rows({ shape, data }: NdArray, start: number, count: number): NdArray {
  const size = data.length / shape[0];
  return ndarray(
    [count, ...shape.slice(1)],
    Float32Array.from(data.subarray(start * size, (start + count) * size)),
  );
}
