/** What the benchmarks share: random values, repeated timing, tables. */

import { cpus, totalmem } from 'node:os';
import { randomState } from '../src/weights/random-state.ts';

/** A source of standard normals that repeats itself from run to run; cheap, for values that only must not be zero. */
export function normals(seed = 0): (count: number) => Float32Array {
  const state = randomState(seed);
  const stock = Float32Array.from(state.randn(65_537));
  let at = 0;
  return (count) => {
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) values[i] = stock[at++ % stock.length];
    return values;
  };
}

/** Smallest time of several runs, milliseconds. */
export async function best(times: number, run: () => Promise<unknown>): Promise<number> {
  let smallest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await run();
    smallest = Math.min(smallest, performance.now() - start);
  }
  return smallest;
}

/** The machine in words. */
export function machine(threads: number): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  return `${model}, ${cpus().length} cores, ${threads} threads used, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, ${process.platform} ${process.arch}`;
}

/** A table in Markdown, so that what is printed can be committed as it is. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
