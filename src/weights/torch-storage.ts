/**
 * PyTorch tensors out of pickle records: the legacy (non-ZIP) storage stream and strided views of it.
 *
 * Spec page 7.3. Each tensor carries a file of its own: five small pickles, an element count, raw elements.
 * Browser-safe; only the small pickles are read before a tensor is asked for.
 */

import { FormatError } from '../errors.ts';
import { createCursor } from './cursor.ts';
import { ELEMENT_BYTES, type ElementType } from './elements.ts';
import { type LazyTensor, type Storage, stridedView } from './lazy-tensor.ts';
import { readPickle } from './pickle.ts';
import { calleeName, describeValue, type PickleValue, type PyBytes, type PyObject } from './pickle-types.ts';
import { bytesOf, integersOf, isObject, mappingOf, sequenceOf, textOf } from './pickle-values.ts';
import { sliceSource } from './source.ts';

const STORAGE_TYPES: Readonly<Record<string, ElementType>> = {
  FloatStorage: 'float32',
  DoubleStorage: 'float64',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  CharStorage: 'int8',
  ShortStorage: 'int16',
  IntStorage: 'int32',
  LongStorage: 'int64',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
};

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

/** The small pickles of one storage stay far below this many opcodes. */
const MAX_HEADER_OPERATIONS = 200;

/** Reads the storage that `torch.storage._load_from_bytes` would load.
 *
 * @throws FormatError when the stream is not a legacy storage, is cut off, or lies about its length.
 */
export function readTorchStorage(bytes: PyBytes): Storage {
  const source = sliceSource(bytes.source, bytes.offset, bytes.length);
  try {
    return readStream(source, bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`torch storage: ${error.message}`, bytes.offset);
  }
}

function readStream(source: ReturnType<typeof sliceSource>, bytes: PyBytes): Storage {
  if (source.size >= 4 && source.read(0, 2).every((byte, i) => byte === 'PK'.charCodeAt(i))) {
    throw new FormatError(
      'the newer ZIP form of torch.save; only the legacy stream occurs in checkpoints',
      0,
    );
  }
  let start = 0;
  const next = (): PickleValue => {
    const result = readPickle(source, { start, allowTrailing: true, maxOperations: MAX_HEADER_OPERATIONS });
    start = result.end;
    return result.value;
  };
  if (next() !== MAGIC) throw new FormatError('no torch.save magic number', 0);
  const version = next();
  if (version !== PROTOCOL)
    throw new FormatError(`torch.save protocol ${describeValue(version)}, not 1001`, start);
  if (mappingOf(next())?.get('little_endian') !== true) throw new FormatError('not little-endian', start);
  const root = next();
  const { dtype, length, key, view } = describeStorage(root, start);
  const keys = sequenceOf(next());
  if (keys?.length !== 1 || textOf(keys[0]) !== key)
    throw new FormatError('does not hold its own storage', start);
  const count = createCursor(source, start).u64('element count');
  if (count !== length) throw new FormatError(`declares ${length} elements and stores ${count}`, start);
  const width = ELEMENT_BYTES[dtype];
  const missing = start + 8 + count * width - source.size;
  if (missing > 0)
    throw new FormatError(`${count} elements of ${dtype} need ${missing} bytes more than there are`, start);
  if (missing < 0) throw new FormatError(`${-missing} bytes follow the elements`, start + 8 + count * width);
  const first = bytes.offset + start + 8 + view.offset * width;
  return { dtype, source: bytes.source, byteOffset: first, length: view.length, bigEndian: false };
}

/** Reads `('storage', class, key, location, count, view)`. */
function describeStorage(root: PickleValue, at: number) {
  const id =
    root !== null && typeof root === 'object' && root.kind === 'persistent' ? sequenceOf(root.id) : undefined;
  if (!id || textOf(id[0]) !== 'storage')
    throw new FormatError(`holds ${describeValue(root)}, not a storage`, at);
  const type = id[1];
  const known =
    type !== null && typeof type === 'object' && type.kind === 'global' && type.module === 'torch';
  const dtype = known ? STORAGE_TYPES[type.name] : undefined;
  if (!dtype) throw new FormatError(`unknown element class ${describeValue(type)}`, at);
  const length = id[4];
  if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0) {
    throw new FormatError(`element count ${describeValue(length)}`, at);
  }
  if (id.length > 5 && id[5] !== null)
    throw new FormatError('a view of another storage, which is not supported', at);
  return { dtype, length, key: textOf(id[2]), view: viewOf(id[5], length, at) };
}

/** Old files store some storages as `(key, offset, length)` of a root storage. */
function viewOf(value: PickleValue | undefined, length: number, at: number) {
  if (value === undefined || value === null) return { offset: 0, length };
  const [offset, count] = integersOf(
    { kind: 'list', items: (sequenceOf(value) ?? []).slice(1) },
    'a view',
    at,
  );
  if (!(offset >= 0 && count >= 0 && offset + count <= length)) {
    throw new FormatError(`a view of ${count} elements at ${offset} in a storage of ${length}`, at);
  }
  return { offset, length: count };
}

/** Turns tensor records into lazy tensors; storages shared through the memo are read once. */
export interface TensorReader {
  /** A tensor or parameter record as a lazy tensor; `undefined` when the value is none. */
  tensorOf(value: PickleValue | undefined): LazyTensor | undefined;
}

/** A reader of the tensor records of one pickle. */
export function createTensorReader(): TensorReader {
  const storages = new Map<PickleValue, Storage>();

  function storageOf(value: PickleValue, at: number): Storage {
    const known = storages.get(value);
    if (known) return known;
    if (!isObject(value) || calleeName(value) !== 'torch.storage._load_from_bytes') {
      throw new FormatError(`a tensor lies over ${describeValue(value)}, not a storage of its own`, at);
    }
    const bytes = bytesOf(value.args[0]);
    if (!bytes) throw new FormatError(`a storage has ${describeValue(value.args[0])} for its bytes`, at);
    // Calls made twice over the same bytes cost one reading.
    const storage = storages.get(bytes) ?? readTorchStorage(bytes);
    storages.set(value, storage);
    storages.set(bytes, storage);
    return storage;
  }

  return {
    tensorOf(value) {
      let record = value;
      if (isObject(record) && /^torch\._utils\._rebuild_parameter(_with_state)?$/.test(calleeName(record))) {
        record = record.args[0];
        if (!isTensorRecord(record)) throw new FormatError(`a parameter holds ${describeValue(record)}`);
      }
      if (!isTensorRecord(record)) return undefined;
      const [storage, offset, size, stride] = record.args;
      const at = record.offset;
      if (typeof offset !== 'number')
        throw new FormatError(`a tensor has the offset ${describeValue(offset)}`, at);
      const shape = integersOf(size, 'the size of a tensor', at);
      return stridedView(
        storageOf(storage, at),
        offset,
        shape,
        integersOf(stride, 'the stride of a tensor', at),
        at,
      );
    },
  };
}

function isTensorRecord(value: PickleValue | undefined): value is PyObject {
  return isObject(value) && calleeName(value) === 'torch._utils._rebuild_tensor_v2';
}
