/**
 * `npm run bench:step [-- PRESET...] [--profile]`: the phases of an optimisation step on the cpu engine, beside
 * the machine's own rate R in the same run (ONNX Runtime, 3x3 convolution of 256 channels at 64 x 64, one picture).
 */

import { mkdtempSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import { channelsAt, presetOf } from '../src/portrait/presets.ts';
import * as t from '../src/tensor/index.ts';
import { ceiling } from './ceiling.ts';
import { startPeer } from './peer.ts';
import { bounded, phaseInputs, phasesOf } from './step-phases.ts';
import { profileTable } from './step-profile.ts';
import { best, machine, normals, table } from './support.ts';

const BATCH = 4;
const ROUNDS = 7;
const threads = Math.min(2, availableParallelism());
const profiles = process.argv.includes('--profile');
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const r = await ceiling(threads);
const draw = normals();
/** Phases that `step_peer.py` computes too. */
const PEERS = [
  ['reals judged', 'scores'],
  ['gradient penalty', 'penalty'],
] as const;
const peer = startPeer('step_peer.py', threads);

console.log(`batch ${BATCH}, random weights; ${machine(threads)}`);
for (const preset of asked.length > 0 ? asked : ['64-32', '128-32']) await measure(preset);

console.log(`\nPyTorch: ${peer.version()}`);
peer.stop();
await measureLarge();

/** The published widths at 128 px: how long compiling takes, and what a run of it holds at most. */
async function measureLarge(): Promise<void> {
  const engine = cpuEngine({ threads });
  const preset = { ...presetOf('512-128'), resolution: 128, neuralResolution: 64 };
  const [{ label, graph }] = phasesOf(preset, BATCH, ['reals judged']);
  const before = process.memoryUsage().rss;
  const start = performance.now();
  const compiled = await engine.compile(graph);
  const compile = (performance.now() - start) / 1000;
  const inputs: Record<string, t.Resident> = {};
  let given = 0;
  for (const { name, tensor } of graph.inputs) {
    inputs[name] = await engine.upload(bounded(tensor, draw));
    given += t.bytesOf(tensor);
  }
  const run = async (): Promise<void> => {
    for (const value of Object.values(await compiled.runResident(inputs))) void engine.release(value);
  };
  const ms = await best(2, run);
  await r.sample();
  const gflop = t.denseFlopsOf(graph) / 1e9;
  const mebi = (bytes: number): number => Math.round(bytes / 2 ** 20);
  console.log(
    `\n${label}, batch ${BATCH}, 128 px, channel base 32768: compiled in ${compile.toFixed(1)} s; ${ms.toFixed(0)} ms, ` +
      `${(gflop / (ms / 1000)).toFixed(0)} GFLOP/s of R = ${r.gflops().toFixed(0)}; memory grew by ` +
      `${mebi(process.resourceUsage().maxRSS * 1024 - before)} MiB at most, live tensors ${mebi(t.liveBytesOf(graph))} MiB, ` +
      `weights ${mebi(given)} MiB`,
  );
  await engine.dispose();
}

async function measure(name: string): Promise<void> {
  const folder = profiles ? mkdtempSync(join(tmpdir(), 'bench-step-')) : undefined;
  const engine = cpuEngine({ threads, ...(folder === undefined ? {} : { profile: folder }) });
  const preset = presetOf(name);
  const arrayFor = phaseInputs(preset, draw);
  const sides: number[] = [];
  for (let side = preset.resolution; side >= 4; side /= 2) sides.push(side);
  const channels = sides.map((side) => channelsAt(side, preset.channelBase, preset.channelMax));
  const rows: string[][] = [];
  let program = 0;
  for (const phase of phasesOf(preset, BATCH)) {
    const { label, graph } = phase;
    const start = performance.now();
    const compiled = await engine.compile(graph);
    const compile = performance.now() - start;
    const inputs: Record<string, t.Resident> = {};
    for (const input of graph.inputs) inputs[input.name] = await engine.upload(arrayFor(phase, input));
    const run = async (): Promise<void> => {
      for (const value of Object.values(await compiled.runResident(inputs))) void engine.release(value);
    };
    await run();
    let ms = Number.POSITIVE_INFINITY;
    const gflop = t.denseFlopsOf(graph) / 1e9;
    const shares: number[] = [];
    const kind = PEERS.find(([word]) => label.includes(word))?.[1];
    let [theirs, ratios] = [Number.POSITIVE_INFINITY, [] as number[]];
    for (let round = 0; round < ROUNDS; round++) {
      const rate = await r.sample();
      const here = await best(2, run);
      shares.push(gflop / (here / 1000) / rate);
      ms = Math.min(ms, here);
      if (kind === undefined) continue;
      const there = await peer.time([kind, BATCH, preset.resolution, ...channels]);
      theirs = Math.min(theirs, there);
      ratios.push(there / here);
    }
    const ratio = ratios.sort((a, b) => a - b)[ratios.length >> 1] ?? Number.POSITIVE_INFINITY;
    const share = shares.sort((a, b) => a - b)[ROUNDS >> 1];
    rows.push([
      label,
      ms.toFixed(1),
      gflop.toFixed(2),
      (gflop / (ms / 1000)).toFixed(0),
      `${(share * 100).toFixed(0)} %`,
      `${((gflop / (ms / 1000) / r.gflops()) * 100).toFixed(0)} %`,
      `${Math.round(process.memoryUsage().rss / 2 ** 20)}`,
      `${Math.round(t.liveBytesOf(graph) / 2 ** 20)}`,
      (compile / 1000).toFixed(1),
      Number.isFinite(theirs) ? theirs.toFixed(0) : '-',
      Number.isFinite(ratio) ? ratio.toFixed(2) : '-',
    ]);
    for (const value of Object.values(inputs)) await engine.release(value);
    await compiled.dispose();
    if (folder !== undefined) {
      console.log(`\n${name}, ${label}: where the time of ${2 * ROUNDS + 1} runs goes\n`);
      console.log(profileTable(folder, program, 2 * ROUNDS + 1));
    }
    program++;
  }
  console.log(
    `\npreset ${name}; R = ${r.gflops().toFixed(0)} GFLOP/s; peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB\n`,
  );
  console.log(
    table(
      [
        'phase',
        'ms (best of 14)',
        'dense GFLOP',
        'GFLOP/s',
        'of R (median of pairs)',
        'best of best',
        'memory now, MiB',
        'live tensors, MiB',
        'compile, s',
        'PyTorch, ms',
        'PyTorch time / ours (median of pairs)',
      ],
      rows,
    ),
  );
  await engine.dispose();
}
