import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { presetOf } from '../src/portrait/presets.ts';
import * as t from '../src/tensor/index.ts';
import { phasesOf } from './step-phases.ts';

const [, , name = '128-32', which = '0'] = process.argv;
const { graph } = phasesOf(presetOf(name), 4)[Number(which)];
const runs = [];
for (const nb of ['', '1']) {
  if (nb) process.env.NOBLOCK = nb;
  else delete process.env.NOBLOCK;
  const dir = mkdtempSync('/tmp/zzp');
  const e = cpuEngine({ threads: 2, profile: dir });
  const p = await e.compile(graph);
  const inputs: any = {};
  for (const { name, tensor } of graph.inputs)
    inputs[name] = await e.upload(
      t.ndarray(
        tensor.shape,
        Float32Array.from({ length: t.sizeOf(tensor.shape) }, () => (Math.random() - 0.5) / 2),
      ),
    );
  runs.push({
    nb,
    dir,
    p,
    times: [] as number[],
    run: async () => {
      for (const v of Object.values(await p.runResident(inputs))) void e.release(v);
    },
  });
}
const N = 16;
for (let i = 0; i < N; i++)
  for (const r of runs) {
    const s = performance.now();
    await r.run();
    r.times.push(performance.now() - s);
  }
const cats = new Map<string, Record<string, number[]>>();
for (const r of runs) {
  r.times.sort((a, b) => a - b);
  console.log(
    name,
    which,
    'NOBLOCK=' + r.nb,
    'min',
    r.times[0].toFixed(1),
    'median',
    r.times[N / 2].toFixed(1),
  );
  await r.p.dispose();
  const byNode = new Map<string, number[]>();
  for (const f of readdirSync(r.dir))
    for (const ev of JSON.parse(readFileSync(`${r.dir}/${f}`, 'utf8'))) {
      let key;
      if (ev.cat === 'Node' && ev.name.endsWith('_kernel_time'))
        key = `${ev.args.op_name}|${ev.name.replace(/#.*/, '').replace(/@.*/, '')}|${f.slice(0, 12)}|${ev.name}`;
      else if (ev.cat === 'Kernel') key = `kernel|${ev.name.replace(/@.*/, '')}|`;
      else if (ev.cat === 'Session' && ev.name === 'model_run') key = 'model_run||';
      else continue;
      const l = byNode.get(key) ?? [];
      l.push(ev.dur);
      byNode.set(key, l);
    }
  for (const [k, l] of byNode) {
    const [op, n] = k.split('|');
    const c = `${op} ${n}`;
    const e = cats.get(c) ?? {};
    cats.set(c, e);
    (e[r.nb || 'b'] ??= [0])[0] += l.reduce((a, b) => a + b, 0) / N / 1000;
  }
}
for (const [c, e] of [...cats]
  .sort(
    (a, b) =>
      Math.max(...Object.values(b[1]).map((x) => x[0])) - Math.max(...Object.values(a[1]).map((x) => x[0])),
  )
  .slice(0, 30))
  console.log(c.padEnd(44), 'blocked', (e.b?.[0] ?? 0).toFixed(2), ' plain', (e['1']?.[0] ?? 0).toFixed(2));
process.exit(0);
