/** Trace files of a program, summed up: by operation of ours, and by kind of node in ONNX Runtime. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { table } from './support.ts';

interface Event {
  readonly name: string;
  readonly cat: string;
  readonly dur: number;
  readonly args?: { readonly op_name?: string; readonly input_type_shape?: unknown };
}

/** Milliseconds a run of the largest parts; `SHAPES=1` tells apart by the shapes of inputs, `ROWS` is how many. */
export function profileTable(folder: string, program: number, runs: number): string {
  const files = readdirSync(folder).filter(
    (file) => file.startsWith(`ort_${program}_`) || file === `kernels_${program}.json`,
  );
  const totals = new Map<string, { ms: number; count: number }>();
  let all = 0;
  for (const file of files) {
    const events = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Event[];
    for (const { name, cat, dur, args } of events) {
      const isNode = cat === 'Node' && name.endsWith('_kernel_time');
      if (!isNode && cat !== 'Kernel') continue;
      const site = name.replace(/#.*$/, '').replace(/_kernel_time$/, '');
      const shape =
        process.env.SHAPES === undefined ? '' : ` ${JSON.stringify(args?.input_type_shape ?? '')}`;
      const key = `${isNode ? args?.op_name : 'kernel'} | ${site}${shape}`;
      const known = totals.get(key) ?? { ms: 0, count: 0 };
      totals.set(key, { ms: known.ms + dur / 1000 / runs, count: known.count + 1 / runs });
      all += dur / 1000 / runs;
    }
  }
  const rows = [...totals].sort((a, b) => b[1].ms - a[1].ms).slice(0, Number(process.env.ROWS ?? 25));
  return table(
    ['runs in', 'operation', 'ms', 'nodes', 'share'],
    rows.map(([key, { ms, count }]) => [
      ...key.split(' | '),
      ms.toFixed(2),
      count.toFixed(0),
      `${((100 * ms) / all).toFixed(0)} %`,
    ]),
  );
}
