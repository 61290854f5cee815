/** The one exchange of a phase: gradients become their mean over the ranks. */

import { type Engine, ndarray, type Resident, sizeOf } from '../tensor/index.ts';
import type { Collective } from './collective.ts';

/** Averages gradients over the ranks; those given are used up. Alone, they are returned as they are. */
export async function sharedGradients(
  engine: Engine,
  collective: Collective,
  gradients: ReadonlyMap<string, Resident>,
): Promise<ReadonlyMap<string, Resident>> {
  if (collective.size === 1) return gradients;
  const sizes = [...gradients.values()].map(({ shape }) => sizeOf(shape));
  const all = new Float32Array(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  for (const value of gradients.values()) {
    const { data } = await engine.download(value);
    await engine.release(value);
    all.set(data as Float32Array, at);
    at += data.length;
  }
  await collective.allReduce(all);
  const out = new Map<string, Resident>();
  at = 0;
  for (const [name, { shape }] of gradients) {
    const size = sizeOf(shape);
    const mean = all.subarray(at, at + size).map((sum) => sum / collective.size);
    out.set(name, await engine.upload(ndarray(shape, mean)));
    at += size;
  }
  return out;
}
