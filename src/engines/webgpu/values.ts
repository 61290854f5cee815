/** The values of a compiled program: their numbers, where they live, and how their elements are stored. */

import { type Graph, type NdArray, type Node, sizeOf, type Tensor } from '../../tensor/index.ts';
import { nodeLabel } from '../node-label.ts';
import { baseOf } from './expression.ts';
import { GpuError } from './gpu-error.ts';
import type { Abilities, Storage } from './kernel.ts';

/** - `given`: comes with each run; `weight` and `constant`: uploaded when the program is loaded.
 * - `fixed`: computed then, and kept. `result`: leaves the program. `transient`: lives between two steps. */
export type ValueKind = 'given' | 'weight' | 'constant' | 'fixed' | 'result' | 'transient' | 'faults';

export interface Value {
  readonly kind: ValueKind;
  readonly storage: Storage;
  /** A multiple of 16, at least 16. */
  readonly bytes: number;
  /** Of an input, a weight, or the first output that it is. */
  readonly name?: string;
  /** Of a constant. */
  readonly array?: NdArray;
}

/** Values with fewer elements stay in single precision. */
const HALF_FROM = 1 << 14;

const STORAGES = { float32: 'f32', float16: 'f16', int32: 'i32', bool: 'u32' } as const;
const BYTES: Readonly<Record<Storage, number>> = { f32: 4, f16: 2, i32: 4, u32: 4 };

/** How a tensor is stored where nothing is in half precision. */
export function plainStorage({ dtype }: Tensor): Storage {
  return STORAGES[dtype];
}

export interface Values {
  /** Number of a tensor's value: of the value that it is an alias of. */
  of(tensor: Tensor): number;
  storageOf(tensor: Tensor): Storage;
  /** A value that lives for one call. */
  scratch(bytes: number, label: string): number;
  /** The value that holds reports of indices out of range. */
  faults(): number;
  /** All values by number, once nothing is asked for any more. */
  finish(faults: number): readonly Value[];
}

export interface ValueSettings {
  /** What depends on weights and constants alone. */
  readonly fixed: ReadonlySet<Node>;
  /** What is never stored in half precision. */
  readonly words: ReadonlySet<Tensor>;
  readonly abilities: Abilities;
  readonly half: boolean;
}

/** Numbers values as they are asked for.
 *
 * @throws GpuError `limit`, from each request, for a value that no buffer of the device can hold.
 */
export function createValues(graph: Graph, { fixed, words, abilities, half }: ValueSettings): Values {
  const values: Value[] = [];
  const numbers = new Map<Tensor | string, number>();
  const outputNames = new Map<Tensor, string>();
  for (const { name, tensor } of graph.outputs) {
    const base = baseOf(tensor);
    if (sizeOf(base.shape) > 0 && !outputNames.has(base)) outputNames.set(base, name);
  }

  const kindOf = (tensor: Tensor): ValueKind => {
    const { node } = tensor;
    if (node.op.name === 'source') return node.attrs.kind === 'input' ? 'given' : 'weight';
    if (node.op.name === 'constant') return 'constant';
    if (fixed.has(node)) return 'fixed';
    return outputNames.has(tensor) ? 'result' : 'transient';
  };
  const storageOf = (tensor: Tensor): Storage => {
    const base = baseOf(tensor);
    if (base.dtype === 'float16' && !abilities.half) return 'f32';
    const isLarge = base.shape.length === 4 && sizeOf(base.shape) >= HALF_FROM;
    const isHalf = half && isLarge && base.dtype === 'float32' && kindOf(base) === 'transient';
    return isHalf && !words.has(base) ? 'f16' : STORAGES[base.dtype];
  };
  const add = (value: Omit<Value, 'bytes'>, bytes: number, label: string): number => {
    const { maxBufferSize, maxStorageBufferBindingSize } = abilities.limits;
    const most = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    if (bytes > most) {
      throw new GpuError(
        'limit',
        `${graph.name}: ${label} takes ${megabytes(bytes)} but a buffer of this device holds ${megabytes(most)}: use a smaller batch or picture`,
      );
    }
    return values.push({ ...value, bytes: wholeBytes(bytes) }) - 1;
  };
  let faults: number | undefined;

  return {
    storageOf,
    of: (tensor) => {
      const base = baseOf(tensor);
      const { op, attrs } = base.node;
      // One source may be made by several nodes of one name.
      const key = op.name === 'source' ? `${attrs.kind}:${attrs.name}` : base;
      const known = numbers.get(key);
      if (known !== undefined) return known;
      const kind = kindOf(base);
      const storage = storageOf(base);
      const name = op.name === 'source' ? (attrs.name as string) : outputNames.get(base);
      const number = add(
        {
          kind,
          storage,
          ...(name === undefined ? {} : { name }),
          ...(kind === 'constant' ? { array: attrs.value as NdArray } : {}),
        },
        sizeOf(base.shape) * BYTES[storage],
        nodeLabel(base.node),
      );
      numbers.set(key, number);
      return number;
    },
    scratch: (bytes, label) => add({ kind: 'transient', storage: 'f32' }, bytes, label),
    faults: () => {
      // As long as it must be is known when all shaders are written.
      faults ??= add({ kind: 'faults', storage: 'u32' }, 0, 'reports');
      return faults;
    },
    finish: (count) => {
      if (faults !== undefined) values[faults] = { ...values[faults], bytes: wholeBytes(4 * count) };
      return values;
    },
  };
}

/** A multiple of 16, at least 16. */
function wholeBytes(bytes: number): number {
  return Math.max(16, Math.ceil(bytes / 16) * 16);
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MB`;
}
