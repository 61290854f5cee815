/**
 * Body models from named arrays: the fields of an SMPL `.pkl` or `.npz` file, and the buffers of a checkpoint.
 *
 * Spec pages 3.2, 3.3, 3.7. Reading the bytes is the business of `src/weights`; any typed array does here.
 */

import { DTypeError, NameError, ShapeError } from '../errors.ts';
import { combine } from './combine.ts';
import { type BodyModel, makeBody, SMPL_HEAD, SMPL_NECK } from './model.ts';

/** A dense array of numbers, as readers of files give it. */
export interface BodyField {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number> | ArrayLike<bigint>;
}

/** A tensor that is read when asked for, as checkpoints give it. */
export interface BodyBuffer {
  /** Half-width floats come as raw bits and are refused. */
  readonly dtype?: string;
  readonly shape: readonly number[];
  read(): BodyField['data'];
}

export interface FieldOptions {
  /** [>= 13, V] joint regressor whose row 12 gives the alignment point; wins over the file's own. */
  readonly alignRegressor?: BodyField | undefined;
  /** Told what was assumed. */
  readonly onWarning?: (message: string) => void;
}

const MISSING_REGRESSOR =
  'the body file has no align_regressor: the neck joint (row 12 of J_regressor) is taken as the origin; cameras of published networks expect their own alignment regressor';

/** A body model from the fields of an SMPL file.
 *
 * @throws NameError for a missing field or joint, ShapeError and FormatError as {@link makeBody}.
 */
export function bodyFromFields(
  fields: ReadonlyMap<string, BodyField>,
  options: FieldOptions = {},
): BodyModel {
  const vertices = need(fields, 'v_template', [undefined, 3]);
  const [count] = vertices.shape;
  const regressor = need(fields, 'J_regressor', [undefined, count]);
  const [jointCount] = regressor.shape;
  const rows = 9 * (jointCount - 1);
  const tree = need(fields, 'kintree_table', [2, jointCount]);
  const parents = Int32Array.from({ length: jointCount }, (_, j) => Number(tree.data[j]) | 0);
  parents[0] = -1;
  const pose = need(fields, 'posedirs', [count, 3, rows]);
  const shape = fields.has('shapedirs') ? need(fields, 'shapedirs', [count, 3, undefined]) : undefined;
  const align = options.alignRegressor ?? fields.get('align_regressor');
  if (align === undefined) options.onWarning?.(MISSING_REGRESSOR);
  return assemble({
    vertices,
    faces: need(fields, 'f', [undefined, 3]),
    weights: need(fields, 'weights', [count, jointCount]),
    posedirs: transposed(floats(pose), 3 * count, rows),
    shapedirs: shape === undefined ? undefined : firstShapes(shape),
    regressor,
    align: align ?? regressor,
    parents,
  });
}

/** The prefix of a checkpoint's body buffers. */
const MODEL = 'renderer.aligned_SMPL.model.';

/** Whether a network carries a body model. */
export function hasBodyBuffers(tensors: { has(name: string): boolean }): boolean {
  return tensors.has(`${MODEL}v_template`);
}

/** The body model that a checkpoint's `renderer.*` buffers hold. */
export function bodyFromBuffers(tensors: ReadonlyMap<string, BodyBuffer>): BodyModel {
  const fields = new Map<string, BodyField>();
  const field = (name: string, shape: readonly (number | undefined)[]): BodyField => {
    const tensor = tensors.get(name);
    if (tensor?.dtype === 'float16' || tensor?.dtype === 'bfloat16') {
      throw new DTypeError(`body: "${name}" is ${tensor.dtype}; body buffers are float32`);
    }
    if (tensor !== undefined) fields.set(name, { shape: tensor.shape, data: tensor.read() });
    return need(fields, name, shape);
  };
  const vertices = field(`${MODEL}v_template`, [undefined, 3]);
  const [count] = vertices.shape;
  const regressor = field(`${MODEL}J_regressor`, [undefined, count]);
  const [jointCount] = regressor.shape;
  const parents = Int32Array.from(numbers(field(`${MODEL}parents`, [jointCount])));
  const shape = tensors.has(`${MODEL}shapedirs`)
    ? field(`${MODEL}shapedirs`, [count, 3, undefined])
    : undefined;
  // Repeated for the batch the network was saved with; the first counts.
  const stored = tensors.has('renderer.align_points')
    ? field('renderer.align_points', [undefined, 1, 3])
    : undefined;
  return assemble({
    vertices,
    faces: field('renderer.aligned_SMPL.faces', [undefined, 3]),
    weights: field(`${MODEL}lbs_weights`, [count, jointCount]),
    posedirs: floats(field(`${MODEL}posedirs`, [9 * (jointCount - 1), 3 * count])),
    shapedirs: shape === undefined ? undefined : floats(shape),
    regressor,
    align: field('renderer.aligned_SMPL.smpl_joint_regressor', [undefined, count]),
    alignPoint: stored === undefined ? undefined : floats(stored).slice(0, 3),
    parents,
  });
}

interface SmplArrays {
  readonly vertices: BodyField;
  readonly faces: BodyField;
  readonly weights: BodyField;
  readonly posedirs: Float32Array;
  readonly shapedirs: Float32Array | undefined;
  readonly regressor: BodyField;
  readonly align: BodyField;
  readonly parents: Int32Array;
  /** The alignment point itself, where the file has it. */
  readonly alignPoint?: Float32Array | undefined;
}

function assemble(arrays: SmplArrays): BodyModel {
  const template = floats(arrays.vertices);
  const jointRegressor = floats(arrays.regressor);
  const alignRow = rowOf(arrays.align, SMPL_NECK, template.length / 3);
  return makeBody({
    template,
    faces: Int32Array.from(numbers(arrays.faces)),
    joints: combine(jointRegressor, template),
    parents: arrays.parents,
    weights: floats(arrays.weights),
    posedirs: arrays.posedirs,
    shapedirs: arrays.shapedirs,
    jointRegressor,
    alignRow,
    alignPoint: arrays.alignPoint ?? combine(alignRow, template),
    neck: SMPL_NECK,
    head: SMPL_HEAD,
  });
}

function need(
  fields: ReadonlyMap<string, BodyField>,
  name: string,
  shape: readonly (number | undefined)[],
): BodyField {
  const field = fields.get(name);
  if (field === undefined) throw new NameError(`body: the model has no "${name}"`);
  const fits =
    field.shape.length === shape.length &&
    shape.every((want, axis) => want === undefined || want === field.shape[axis]) &&
    field.data.length === field.shape.reduce((a, b) => a * b, 1);
  if (!fits) {
    const wanted = shape.map((extent) => extent ?? 'n').join(', ');
    throw new ShapeError(`body: "${name}" is [${field.shape.join(', ')}], expected [${wanted}]`);
  }
  return field;
}

function rowOf(field: BodyField, row: number, count: number): Float32Array {
  const { shape } = field;
  if (shape.length !== 2 || shape[1] !== count || shape[0] <= row) {
    throw new ShapeError(
      `body: the alignment regressor is [${shape.join(', ')}], expected at least ${row + 1} rows of ${count}`,
    );
  }
  return floats(field).slice(row * count, (row + 1) * count);
}

function numbers({ data }: BodyField): number[] {
  return Array.from(data as ArrayLike<number | bigint>, Number);
}

function floats(field: BodyField): Float32Array {
  const { data } = field;
  if (typeof data[0] === 'bigint') return Float32Array.from(numbers(field));
  return Float32Array.from(data as ArrayLike<number>);
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = values[i * columns + j];
  }
  return out;
}

/** Version 1.1 of the published files has 300 shapes; 10 are in use. */
function firstShapes(field: BodyField): Float32Array {
  const all = floats(field);
  const each = field.shape[2];
  const kept = Math.min(each, 10);
  const out = new Float32Array((all.length / each) * kept);
  for (let i = 0; i < out.length; i++) out[i] = all[Math.floor(i / kept) * each + (i % kept)];
  return out;
}
