/** Writes safetensors files tensor by tensor. Node only. */

import { FormatError } from '../errors.ts';
import { checkedSize, ELEMENT_BYTES, type ElementType } from './elements.ts';
import { writeAside } from './safe-write.ts';
import { MAX_HEADER_BYTES, SAFETENSORS_TYPES } from './safetensors.ts';

/** A tensor to be written. */
export interface TensorDescriptor {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
}

const TYPE_NAMES = new Map(Object.entries(SAFETENSORS_TYPES).map(([name, dtype]) => [dtype, name]));

/** Where everything of a file will lie. */
export interface SafetensorsLayout<D> {
  /** The header with its length before it: the file's first bytes. */
  readonly head: Uint8Array;
  /** The tensors as they follow each other after the head: wider elements first, so that all are aligned. */
  readonly order: readonly D[];
  /** Size of the whole file. */
  readonly bytes: number;
}

/** Lays a file out; the header keeps the order given, of metadata too, which come first.
 *
 * @throws FormatError when a name occurs twice.
 */
export function layoutSafetensors<D extends TensorDescriptor>(
  descriptors: readonly D[],
  metadata: Readonly<Record<string, string>>,
): SafetensorsLayout<D> {
  const order = [...descriptors].sort((a, b) => ELEMENT_BYTES[b.dtype] - ELEMENT_BYTES[a.dtype]);
  const offsets = new Map<string, [number, number]>();
  let next = 0;
  for (const descriptor of order) {
    if (offsets.has(descriptor.name) || descriptor.name === '__metadata__') {
      throw new FormatError(`a tensor named "${descriptor.name}" cannot be written twice or under that name`);
    }
    offsets.set(descriptor.name, [next, next + lengthOf(descriptor)]);
    next += lengthOf(descriptor);
  }
  const header = headerText(descriptors, metadata, offsets);
  const head = new Uint8Array(8 + header.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(header.length), true);
  head.set(header, 8);
  return { head, order, bytes: head.length + next };
}

/** Writes a safetensors file: the descriptors first, then the values, one tensor at a time.
 *
 * @param read  gives the little-endian bytes of a tensor, whole or in chunks; called once each.
 * @throws FormatError when a name occurs twice or `read` gives another number of bytes than described. The
 * file at `path` is then left as it was.
 */
export function writeSafetensors<D extends TensorDescriptor>(
  path: string,
  descriptors: readonly D[],
  metadata: Readonly<Record<string, string>>,
  read: (descriptor: D) => Uint8Array | Iterable<Uint8Array>,
): void {
  const { head, order } = layoutSafetensors(descriptors, metadata);
  writeAside(path, (write) => {
    write(head);
    for (const descriptor of order) {
      let done = 0;
      const produced = read(descriptor);
      for (const chunk of produced instanceof Uint8Array ? [produced] : produced) {
        write(chunk);
        done += chunk.length;
      }
      if (done !== lengthOf(descriptor)) {
        throw new FormatError(
          `internal: tensor "${descriptor.name}" gave ${done} bytes where ${lengthOf(descriptor)} were announced`,
        );
      }
    }
  });
}

function lengthOf({ shape, dtype }: TensorDescriptor): number {
  return checkedSize(shape) * ELEMENT_BYTES[dtype];
}

function headerText(
  descriptors: readonly TensorDescriptor[],
  metadata: Readonly<Record<string, string>>,
  offsets: ReadonlyMap<string, [number, number]>,
): Uint8Array {
  const entries = descriptors.map(
    ({ name, dtype, shape }) =>
      `${JSON.stringify(name)}:${JSON.stringify({ dtype: TYPE_NAMES.get(dtype), shape, data_offsets: offsets.get(name) })}`,
  );
  if (Object.keys(metadata).length > 0) entries.unshift(`"__metadata__":${JSON.stringify(metadata)}`);
  const text = new TextEncoder().encode(`{${entries.join(',')}}`);
  // Spaces after the header align the buffer.
  const header = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(0x20);
  header.set(text);
  if (header.length > MAX_HEADER_BYTES)
    throw new FormatError(`a header of ${header.length} bytes is too long`);
  return header;
}
