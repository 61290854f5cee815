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
  const e = cpuEngine({ threads: 2 });
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
    times: [] as number[],
    run: async () => {
      for (const v of Object.values(await p.runResident(inputs))) void e.release(v);
    },
  });
}
for (let i = 0; i < 25; i++)
  for (const r of runs) {
    const s = performance.now();
    await r.run();
    r.times.push(performance.now() - s);
  }
for (const r of runs) {
  r.times.sort((a, b) => a - b);
  console.log(
    name,
    which,
    'NOBLOCK=' + r.nb,
    'min',
    r.times[0].toFixed(1),
    'q25',
    r.times[6].toFixed(1),
    'median',
    r.times[12].toFixed(1),
  );
}
process.exit(0);
