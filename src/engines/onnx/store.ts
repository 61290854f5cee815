/**
 * Arrays that stay where programs run, and memory used again.
 *
 * Fresh memory costs a page fault every 4 kB, which at the size of a picture's features is as dear as the
 * convolution that fills it; so what is released waits here for the next result of its length.
 */

import { EngineError } from '../../errors.ts';
import { type Aval, sizeOf, zerosFor } from '../../tensor/index.ts';
import type { Data } from '../shared-engine.ts';
import type { Executor } from './executor.ts';

/** Released memory beyond this is given back to the system. */
const LARGEST_POOL_BYTES = 1 << 29;

export interface Store {
  /** An array of that type, its contents arbitrary. */
  allocate(aval: Aval): Data;
  keep(id: number, data: Data): void;
  /** @throws EngineError when there is no such value. */
  get(id: number): Data;
  release(id: number): void;
}

export function createStore(): Store {
  const values = new Map<number, Data>();
  const pool = new Map<string, Data[]>();
  let pooledBytes = 0;
  const keyOf = (dtype: string, length: number): string => `${dtype}/${length}`;
  const dtypeOf = (data: Data): string => {
    if (data instanceof Float32Array) return 'float32';
    if (data instanceof Int32Array) return 'int32';
    return data instanceof Uint16Array ? 'float16' : 'bool';
  };
  return {
    allocate: (aval) => {
      const found = pool.get(keyOf(aval.dtype, sizeOf(aval.shape)))?.pop();
      if (found === undefined) return zerosFor(aval).data;
      pooledBytes -= found.byteLength;
      return found;
    },
    keep: (id, data) => {
      values.set(id, data);
    },
    get: (id) => {
      const data = values.get(id);
      if (data === undefined)
        throw new EngineError('a resident value was released, or belongs to another engine');
      return data;
    },
    release: (id) => {
      const data = values.get(id);
      if (data === undefined) return;
      values.delete(id);
      if (pooledBytes + data.byteLength > LARGEST_POOL_BYTES) return;
      pooledBytes += data.byteLength;
      const key = keyOf(dtypeOf(data), data.length);
      const list = pool.get(key);
      if (list === undefined) pool.set(key, [data]);
      else list.push(data);
    },
  };
}

/** Runs a program on arrays and stored values; outputs are returned, or stored under the numbers of `keep`.
 *
 * @param donated numbers of inputs that are released as soon as the last step has read them.
 */
export async function runStored(
  executor: Executor,
  store: Store,
  inputs: Readonly<Record<string, Data | number>>,
  keep: Readonly<Record<string, number>> | undefined,
  donated: readonly number[] = [],
): Promise<Record<string, Data>> {
  const given = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [
      name,
      typeof value === 'number' ? store.get(value) : value,
    ]),
  );
  // Resident values never change: their numbers stand for their contents.
  const keys = Object.fromEntries(
    Object.entries(inputs).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
  const outputs = await executor.run(given, keys, () => {
    for (const id of donated) store.release(id);
  });
  if (keep === undefined) return outputs;
  for (const [name, id] of Object.entries(keep)) store.keep(id, outputs[name]);
  return {};
}
