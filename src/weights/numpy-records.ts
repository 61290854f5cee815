/**
 * NumPy arrays and scalars, SciPy sparse matrices and chumpy arrays out of pickle records.
 *
 * Layouts: spec page 3.7. Nothing is computed by foreign classes; known ones are read as data.
 */

import { FormatError } from '../errors.ts';
import { fromHalfBits } from '../tensor/half.ts';
import { stridesOf } from '../tensor/types.ts';
import { checkedSize, ELEMENT_BYTES, type ElementNdArray, type ElementType } from './elements.ts';
import { type LazyTensor, materialize, type Storage, stridedView } from './lazy-tensor.ts';
import { calleeName, describeValue, type PickleValue, type PyObject } from './pickle-types.ts';
import { bytesOf, integersOf, isObject, mappingOf, sequenceOf, textOf } from './pickle-values.ts';
import { denseFromSparse } from './sparse.ts';

const KIND_NAMES: Readonly<Record<string, ElementType>> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  b1: 'bool',
};

/** The element type of a NumPy type code such as `<f4`.
 *
 * @throws FormatError for structures, texts, objects and other types that are not plain numbers.
 */
export function elementTypeOf(code: string, at?: number): { dtype: ElementType; bigEndian: boolean } {
  const match = /^([<>|=]?)([a-z][0-9]{1,2})$/.exec(code);
  const dtype = match ? KIND_NAMES[match[2]] : undefined;
  if (!match || !dtype) {
    const hint = /^[|<>=]?O/.test(code) ? ' (Python objects, which are not read)' : '';
    throw new FormatError(`arrays of type ${JSON.stringify(code.slice(0, 40))} are not supported${hint}`, at);
  }
  return { dtype, bigEndian: match[1] === '>' };
}

/** The element type of a `numpy.dtype` record. */
function dtypeOfRecord(value: PickleValue | undefined, at: number) {
  if (!isObject(value) || calleeName(value) !== 'numpy.dtype') {
    throw new FormatError(`an array has ${describeValue(value)} for an element type`, at);
  }
  const code = textOf(value.args[0]) ?? '';
  const order = textOf(sequenceOf(value.state)?.[1]) ?? '|';
  return elementTypeOf(/^[<>|=]/.test(code) ? code : `${order}${code}`, at);
}

function isNamed(value: PickleValue | undefined, name: string): value is PyObject {
  if (!isObject(value)) return false;
  const callee = calleeName(value);
  return callee === `numpy.core.multiarray.${name}` || callee === `numpy._core.multiarray.${name}`;
}

/** A NumPy array record as a lazy tensor; `undefined` when the value is not an array.
 *
 * @throws FormatError when it is one but broken, or holds Python objects.
 */
export function numpyArrayOf(value: PickleValue | undefined): LazyTensor | undefined {
  if (isNamed(value, '_reconstruct')) {
    const state = sequenceOf(value.state);
    if (state?.length !== 5) throw new FormatError('an array has no state of 5 parts', value.offset);
    return arrayFrom(state[4], state[2], state[1], state[3] === true, value.offset);
  }
  if (isObject(value) && /^numpy\._?core\.numeric\._frombuffer$/.test(calleeName(value))) {
    const [buffer, dtype, shape, order] = value.args;
    return arrayFrom(buffer, dtype, shape, textOf(order) === 'F', value.offset);
  }
  return undefined;
}

function arrayFrom(
  data: PickleValue | undefined,
  dtypeRecord: PickleValue | undefined,
  shapeValue: PickleValue | undefined,
  fortran: boolean,
  at: number,
): LazyTensor {
  const { dtype, bigEndian } = dtypeOfRecord(dtypeRecord, at);
  const shape = integersOf(shapeValue, 'the shape of an array', at);
  const bytes = bytesOf(data);
  if (!bytes) throw new FormatError(`an array has ${describeValue(data)} for its values`, at);
  const size = checkedSize(shape, at);
  if (bytes.length !== size * ELEMENT_BYTES[dtype]) {
    throw new FormatError(
      `an array of ${dtype} [${shape.join(', ')}] needs ${size * ELEMENT_BYTES[dtype]} bytes and has ${bytes.length}`,
      at,
    );
  }
  const storage: Storage = { dtype, source: bytes.source, byteOffset: bytes.offset, length: size, bigEndian };
  return stridedView(storage, 0, shape, fortran ? fortranStrides(shape) : stridesOf(shape), at);
}

/** Strides of a column-major array. */
export function fortranStrides(shape: readonly number[]): number[] {
  return stridesOf([...shape].reverse()).reverse();
}

/** A NumPy scalar record as a number, bigint or boolean; `undefined` when it is none. */
export function numpyScalarOf(value: PickleValue | undefined): number | bigint | boolean | undefined {
  if (!isNamed(value, 'scalar')) return undefined;
  const { dtype, bigEndian } = dtypeOfRecord(value.args[0], value.offset);
  const bytes = bytesOf(value.args[1]);
  if (bytes?.length !== ELEMENT_BYTES[dtype]) throw new FormatError('a scalar has no value', value.offset);
  const storage: Storage = { dtype, source: bytes.source, byteOffset: bytes.offset, length: 1, bigEndian };
  return scalarOfTensor(stridedView(storage, 0, [], [], value.offset));
}

function scalarOfTensor(tensor: LazyTensor): number | bigint | boolean {
  const item = tensor.read()[0];
  if (tensor.dtype === 'bool') return item !== 0;
  if (tensor.dtype === 'float16') return fromHalfBits(Number(item));
  return typeof item === 'bigint' && Number.isSafeInteger(Number(item)) ? Number(item) : item;
}

/** Numeric fields of body files: arrays, sparse matrices (made dense), chumpy arrays and selections of them.
 *
 * @returns `undefined` when the value is none of these.
 */
export function numericFieldOf(value: PickleValue | undefined, depth = 0): ElementNdArray | undefined {
  if (depth > 8) throw new FormatError('chumpy arrays nest too deeply');
  const array = numpyArrayOf(value);
  if (array) return materialize(array);
  if (!isObject(value)) return undefined;
  const name = className(value);
  const fields = mappingOf(value.state);
  if (/^scipy\.sparse\..*\.?(csc|csr)_(matrix|array)$/.test(name)) {
    const part = (key: string) => {
      const found = numpyArrayOf(fields?.get(key));
      if (!found) throw new FormatError(`a sparse matrix has no ${key}`, value.offset);
      return materialize(found);
    };
    const shape = integersOf(
      fields?.get('_shape') ?? fields?.get('shape'),
      'the shape of a sparse matrix',
      value.offset,
    );
    const byColumn = name.includes('csc');
    return denseFromSparse(shape, byColumn, part('data'), part('indices'), part('indptr'), value.offset);
  }
  if (name === 'chumpy.ch.Ch') return numericFieldOf(fields?.get('x'), depth + 1);
  if (name === 'chumpy.reordering.Select') return selectOf(value, fields, depth);
  return undefined;
}

/** The class that a record is an object of, through `copy_reg._reconstructor` as Python 2 wrote it. */
export function className(value: PyObject): string {
  const name = calleeName(value);
  if (
    name === 'copy_reg._reconstructor' ||
    name === 'copyreg._reconstructor' ||
    name === 'copyreg.__newobj__'
  ) {
    const type = value.args[0];
    if (type !== null && typeof type === 'object' && type.kind === 'global')
      return `${type.module}.${type.name}`;
  }
  return name;
}

/** `ravel(a)[idxs]`, reshaped when the node says so. */
function selectOf(
  value: PyObject,
  fields: Map<PickleValue, PickleValue> | undefined,
  depth: number,
): ElementNdArray {
  const inner = numericFieldOf(fields?.get('a'), depth + 1);
  const indices = numericFieldOf(fields?.get('idxs'), depth + 1);
  if (!inner || !indices)
    throw new FormatError('a chumpy selection has no array or no indices', value.offset);
  const data = new (inner.data.constructor as new (length: number) => ElementNdArray['data'])(
    indices.data.length,
  );
  for (let i = 0; i < data.length; i++) {
    const from = Number(indices.data[i]);
    if (!(from >= 0 && from < inner.data.length)) {
      throw new FormatError(`a chumpy selection reads element ${from} of ${inner.data.length}`, value.offset);
    }
    data[i] = inner.data[from];
  }
  const wanted = fields?.get('preferred_shape') ?? fields?.get('_preferred_shape');
  const shape = sequenceOf(wanted) ? integersOf(wanted, 'a shape', value.offset) : [data.length];
  if (checkedSize(shape, value.offset) !== data.length) {
    throw new FormatError(
      `a chumpy selection of ${data.length} elements has shape [${shape.join(', ')}]`,
      value.offset,
    );
  }
  return { dtype: inner.dtype, shape, data };
}
