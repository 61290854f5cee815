/** The arrays that `forward` is given: by name, any numeric type, checked against the network. */

import { FormatError, UsageError } from '../errors.ts';
import type { GeneratorConfig } from '../portrait/config.ts';
import { type NdArray, ndarray } from '../tensor/index.ts';
import { type NpyArray, toFloat32 } from '../weights/index.ts';

/** Arrays of an archive, taken by name as float32. */
export interface ForwardInputs {
  has(name: string): boolean;
  /** The array of that name.
   *
   * @param shape  extents; a letter stands for any.
   * @throws FormatError when it is missing or of another shape.
   */
  take(name: string, shape: readonly (number | string)[]): NdArray;
  /** The same as whole numbers [N, K]. @throws FormatError when one is not. */
  takeWhole(name: string): NdArray;
}

/** Wraps an archive. @param file its name, for errors. */
export function forwardInputs(arrays: ReadonlyMap<string, NpyArray>, file: string): ForwardInputs {
  const taken = new Map<string, NdArray>();
  const inputs: ForwardInputs = {
    has: (name) => arrays.has(name),
    take(name, shape) {
      const array = arrays.get(name);
      const wanted = `[${shape.join(', ')}]`;
      if (array === undefined) {
        const names = [...arrays.keys()].sort().join(', ') || 'nothing';
        throw new FormatError(`"${file}" has no array "${name}" ${wanted}; it holds ${names}`);
      }
      const fits = shape.every((extent, i) => typeof extent === 'string' || extent === array.shape[i]);
      if (array.shape.length !== shape.length || !fits)
        throw new FormatError(`"${file}": "${name}" is [${array.shape.join(', ')}]; expected ${wanted}`);
      let values = taken.get(name);
      if (values === undefined) {
        values = ndarray(array.shape, toFloat32(array));
        taken.set(name, values);
      }
      return values;
    },
    takeWhole(name) {
      const { shape, data } = inputs.take(name, ['N', 'K']);
      const wrong = data.findIndex((value) => !Number.isInteger(value) || value < 0);
      if (wrong >= 0)
        throw new FormatError(
          `"${file}": "${name}" holds ${data[wrong]} at ${wrong}; whole numbers from 0 are expected`,
        );
      return { dtype: 'int32', shape, data: Int32Array.from(data) };
    },
  };
  return inputs;
}

/** What a run computes, decided by what is given. */
export interface ForwardPlan {
  /** Whose styles: mapped from `z`, or given. Undefined when only pictures are judged. */
  readonly styles?: 'z' | 'ws';
  /** Whether views are rendered. */
  readonly view: boolean;
  readonly planes: boolean;
  readonly field: boolean;
  readonly pose: boolean;
  /** Whether the body is posed by `p`, whether its faces are given, and whether points are carried for checking. */
  readonly posed: boolean;
  readonly faces: boolean;
  readonly defPoints: boolean;
  /** Judges the generated or the given pictures. */
  readonly judge?: 'generated' | 'given';
}

/** Options that decide. */
export interface PlanFlags {
  readonly planes: boolean;
  readonly discriminate: boolean;
  /** Whether `--trunc` or `--trunc-cutoff` was given. */
  readonly truncated: boolean;
  readonly deform: boolean;
}

const PICTURES = ['image', 'image_raw', 'image_mask'] as const;

/** Decides what to compute.
 *
 * `ws` is taken as it is when given; `z` is mapped otherwise, and also when truncation is asked for, which
 * acts on `z`.
 *
 * @throws UsageError naming what is missing.
 */
export function forwardPlan(inputs: ForwardInputs, flags: PlanFlags): ForwardPlan {
  const mappable = inputs.has('z') && inputs.has('c_cond') && inputs.has('p_cond');
  const styles =
    inputs.has('ws') && !(flags.truncated && mappable) ? 'ws' : inputs.has('z') ? 'z' : undefined;
  if (flags.truncated && styles === 'ws')
    throw new UsageError('--trunc acts on z: it needs "z", "c_cond" and "p_cond", not "ws" alone');
  if (styles === undefined) {
    const missing = PICTURES.filter((name) => !inputs.has(name));
    if (flags.discriminate && missing.length < PICTURES.length) {
      if (missing.length > 0)
        throw new UsageError(
          `--discriminate of given pictures: ${quoted(missing)} missing (image, image_raw, image_mask and c are needed)`,
        );
      return { ...UNPOSED, view: false, planes: false, field: false, pose: false, judge: 'given' };
    }
    throw new UsageError(
      `nothing to start from: give "z" with "c_cond" and "p_cond", or "ws"${flags.discriminate ? ', or the pictures "image", "image_raw" and "image_mask" to judge' : ''}`,
    );
  }
  if (styles === 'z') {
    const missing = ['c_cond', 'p_cond'].filter((name) => !inputs.has(name));
    if (missing.length > 0) throw new UsageError(`"z" needs its conditions: ${quoted(missing)} missing`);
  }
  const view = inputs.has('c');
  const field = inputs.has('points');
  if (!view && flags.discriminate) throw new UsageError('--discriminate needs the camera labels "c" [N, 25]');
  const posing = planPosing(inputs, flags.deform);
  if (!view && !field && !flags.planes && !posing.posed)
    throw new UsageError(
      '"c" [N, 25] is missing: give camera labels to render, "points" for the field, or --planes',
    );
  return {
    styles,
    view,
    planes: flags.planes,
    field,
    pose: view && inputs.has('z'),
    ...posing,
    ...(flags.discriminate ? { judge: 'generated' as const } : {}),
  };
}

const UNPOSED = { posed: false, faces: false, defPoints: false } as const;

/** Decides about the body's pose.
 *
 * @throws UsageError for a pose together with --no-deform, and for what belongs to a pose without one.
 */
function planPosing(
  inputs: ForwardInputs,
  deform: boolean,
): Pick<ForwardPlan, 'posed' | 'faces' | 'defPoints'> {
  const given = ['face_index_coarse', 'face_index_fine'].filter((name) => inputs.has(name));
  if (!inputs.has('p')) {
    if (inputs.has('def_points'))
      throw new UsageError('"def_points" are carried by a pose: "p" [N, 6] is missing');
    return UNPOSED;
  }
  if (!deform)
    throw new UsageError('--no-deform leaves the pose out, but "p" is given: leave out one of the two');
  if (given.length === 1)
    throw new UsageError(`${quoted(given)} given alone: faces are needed for both passes`);
  return { posed: true, faces: given.length === 2, defPoints: inputs.has('def_points') };
}

function quoted(names: readonly string[]): string {
  return `${names.map((name) => `"${name}"`).join(', ')} ${names.length === 1 ? 'is' : 'are'}`;
}

/** All arrays share one batch, which is never split: depth limits and minibatch statistics depend on it. */
export function checkBatch(named: Readonly<Record<string, NdArray | undefined>>): void {
  const given = Object.entries(named).filter((entry): entry is [string, NdArray] => entry[1] !== undefined);
  const [first] = given;
  for (const [name, array] of given) {
    if (array.shape[0] !== first[1].shape[0])
      throw new FormatError(
        `"${first[0]}" has a batch of ${first[1].shape[0]}, "${name}" of ${array.shape[0]}; they must agree`,
      );
  }
}

/** The arrays that the styles start from. */
export function styleInputs(inputs: ForwardInputs, plan: ForwardPlan, config: GeneratorConfig) {
  const z = plan.styles === 'z' || plan.pose ? inputs.take('z', ['N', config.zDim]) : undefined;
  if (plan.styles === 'ws')
    return { z, ws: inputs.take('ws', ['N', config.numWs, config.wDim]), labels: undefined };
  return {
    z,
    ws: undefined,
    labels: { c: inputs.take('c_cond', ['N', 25]), p: inputs.take('p_cond', ['N', 6]) },
  };
}
