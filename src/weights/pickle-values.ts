/** Reads meaning into pickle records: texts, bytes, mappings, integers, and plain JSON-able values. */

import { FormatError } from '../errors.ts';
import { latin1 } from './pickle-text.ts';
import { calleeName, describeValue, type PickleValue, type PyBytes, type PyObject } from './pickle-types.ts';
import { bytesSource } from './source.ts';

/** Longest Python 2 byte string that is taken as text. */
const MAX_LEGACY_TEXT = 4096;

/** Whether a value is the record of a call. */
export function isObject(value: PickleValue | undefined): value is PyObject {
  return value !== null && typeof value === 'object' && value.kind === 'object';
}

/** The text of a value, or `undefined` when it is none. Python 2 byte strings count when they are short. */
export function textOf(value: PickleValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (value === null || typeof value !== 'object' || value.kind !== 'bytes') return undefined;
  if (!value.legacy || value.length > MAX_LEGACY_TEXT) return undefined;
  return latin1(value.source.read(value.offset, value.length));
}

/** The byte string of a value, or `undefined`. Knows the forms that protocols below 3 give to Python 3 bytes. */
export function bytesOf(value: PickleValue | undefined): PyBytes | undefined {
  if (value === null || typeof value !== 'object') return undefined;
  if (value.kind === 'bytes') return value;
  if (value.kind !== 'object') return undefined;
  const name = calleeName(value);
  if (name === '_codecs.encode' && value.args.length === 2 && textOf(value.args[1]) === 'latin1') {
    return fromLatin1(textOf(value.args[0]));
  }
  if (/^(__builtin__|builtins)\.(bytes|bytearray)$/.test(name)) {
    if (value.args.length === 0) return fromLatin1('');
    return bytesOf(value.args[0]) ?? fromLatin1(textOf(value.args[0]));
  }
  return undefined;
}

function fromLatin1(text: string | undefined): PyBytes | undefined {
  if (text === undefined) return undefined;
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255) return undefined;
    bytes[i] = code;
  }
  return { kind: 'bytes', source: bytesSource(bytes), offset: 0, length: bytes.length, legacy: false };
}

/** Mappings written as pairs are copied each time they are met, so they must be small. */
const MAX_PAIRS = 4096;

const MAPPING_CLASSES = new Set([
  'collections.OrderedDict',
  'collections.defaultdict',
  'dnnlib.util.EasyDict',
  'dnnlib.EasyDict',
]);

/** The entries of a dict or of a dict-like object, or `undefined`. */
export function mappingOf(value: PickleValue | undefined): Map<PickleValue, PickleValue> | undefined {
  if (value === null || typeof value !== 'object') return undefined;
  if (value.kind === 'dict') return value.entries;
  if (value.kind !== 'object' || !MAPPING_CLASSES.has(calleeName(value))) return undefined;
  const entries = new Map<PickleValue, PickleValue>();
  // Python 2 wrote OrderedDict([[key, value], ...]).
  const pairs = sequenceOf(value.args[0]) ?? [];
  if (pairs.length > MAX_PAIRS)
    throw new FormatError(`a mapping made of ${pairs.length} pairs`, value.offset);
  for (const pair of pairs) {
    const items = sequenceOf(pair);
    if (items?.length === 2) entries.set(textOf(items[0]) ?? items[0], items[1]);
  }
  if (entries.size === 0 && value.entries) return value.entries;
  for (const [key, item] of value.entries ?? []) entries.set(key, item);
  return entries;
}

/** The items of a list or tuple, or `undefined`. */
export function sequenceOf(value: PickleValue | undefined): readonly PickleValue[] | undefined {
  if (value === null || typeof value !== 'object') return undefined;
  return value.kind === 'list' || value.kind === 'tuple' ? value.items : undefined;
}

/** Whole numbers of a tuple, or of a `torch.Size` around one.
 *
 * @throws FormatError when it is something else.
 */
export function integersOf(value: PickleValue | undefined, what: string, at?: number): number[] {
  const inner = isObject(value) && calleeName(value) === 'torch.Size' ? value.args[0] : value;
  const items = sequenceOf(inner);
  if (!items?.every((item) => Number.isSafeInteger(item))) {
    throw new FormatError(`${what} is ${describeValue(value)}, not a tuple of whole numbers`, at);
  }
  return items as number[];
}
