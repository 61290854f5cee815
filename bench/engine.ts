/**
 * `npm run bench:engine`: dense operations through the cpu engine, through a hand-made ONNX Runtime session of
 * the one operation, and in PyTorch where it is installed; one run, interleaved, as ratios.
 */

import { availableParallelism } from 'node:os';
import { cpuEngine } from '../src/engines/cpu/index.ts';
import * as t from '../src/tensor/index.ts';
import { convolution, type SingleOp, singleOp } from './ceiling.ts';
import { startPeer } from './peer.ts';
import { best, machine, normals, table } from './support.ts';

const threads = Math.min(2, availableParallelism());
const draw = normals(2);
const random = (shape: readonly number[]): t.NdArray =>
  t.ndarray(shape, draw(shape.reduce((a, b) => a * b, 1)));

interface Case {
  readonly name: string;
  readonly flops: number;
  /** What PyTorch runs: kind and sizes. */
  readonly peer: readonly (string | number)[];
  readonly ours: () => Promise<unknown>;
  readonly single: (() => Promise<unknown>) | undefined;
  times: { ours: number; single: number; peer: number };
  /** Our time over the single operation's, measured next to each other. */
  readonly pairs: number[];
}

const engine = cpuEngine({ threads });
const cases: Case[] = [];

async function add(
  name: string,
  flops: number,
  peer: Case['peer'],
  graph: t.Graph,
  weight: t.Shape,
  op?: SingleOp,
): Promise<void> {
  const parameters = Object.fromEntries(graph.parameters.map((entry) => [entry.name, random(weight)]));
  const program = await engine.compile(graph, { parameters });
  const inputs: Record<string, t.Resident> = {};
  for (const entry of graph.inputs) inputs[entry.name] = await engine.upload(random(entry.tensor.shape));
  const ours = async (): Promise<void> => {
    // Nobody waits for memory to be given back.
    for (const value of Object.values(await program.runResident(inputs))) void engine.release(value);
  };
  const single = op === undefined ? undefined : await singleOp(op, threads);
  const times = {
    ours: Number.POSITIVE_INFINITY,
    single: Number.POSITIVE_INFINITY,
    peer: Number.POSITIVE_INFINITY,
  };
  cases.push({ name, flops, peer, ours, single, times, pairs: [] });
}

const side = 1024;
await add(
  'matmul 1024^3',
  2 * side ** 3,
  ['matmul', side],
  t.trace('matmul', { x: t.f32(side, side) }, ({ x }) => ({
    y: t.matmul(x, t.parameter('w', t.f32(side, side))),
  })),
  [side, side],
  { type: 'MatMul', x: [side, side], w: [side, side], y: [side, side] },
);

for (const [channels, size, batch] of [
  [256, 64, 1],
  [512, 32, 1],
  [128, 128, 1],
  [64, 256, 1],
  [256, 64, 4],
  [512, 32, 4],
  [128, 128, 4],
  [64, 256, 4],
]) {
  const op = convolution(channels, size, batch);
  const graph = t.trace('conv', { x: t.f32(...op.x) }, ({ x }) => ({
    y: t.conv2d(x, t.parameter('w', t.f32(...op.w)), { padding: 1 }),
  }));
  await add(
    `conv 3x3 ${channels} @${size}, n=${batch}`,
    op.flops,
    ['conv', batch, channels, size],
    graph,
    op.w,
    op,
  );
}

for (const [channels, size, batch] of [
  [256, 64, 1],
  [512, 32, 1],
  [256, 64, 4],
  [64, 256, 4],
]) {
  const shape = [batch, channels, size, size];
  const graph = t.trace('weightGrad', { x: t.f32(...shape), dy: t.f32(...shape) }, ({ x, dy }) => ({
    dw: t.conv2dWeightGrad(x, dy, [3, 3], { padding: 1 }),
  }));
  const { flops } = convolution(channels, size, batch);
  await add(
    `weight gradient ${channels} @${size}, n=${batch}`,
    flops,
    ['wgrad', batch, channels, size],
    graph,
    [],
  );
}

const peer = startPeer('engine_peer.py', threads);
for (let round = 0; round < 16; round++) {
  for (const entry of cases) {
    const ours = await best(2, entry.ours);
    entry.times.ours = Math.min(entry.times.ours, ours);
    if (entry.single !== undefined) {
      const single = await best(2, entry.single);
      entry.times.single = Math.min(entry.times.single, single);
      entry.pairs.push(ours / single);
    }
    if (round < 5) entry.times.peer = Math.min(entry.times.peer, await peer.time(entry.peer));
  }
}
peer.stop();

const forward = new Map(cases.map((entry) => [entry.name, entry.times.ours]));
const median = (values: readonly number[]): number => [...values].sort((x, y) => x - y)[values.length >> 1];
const rows = cases.map(({ name, flops, times, pairs }) => {
  const rate = (ms: number): string => (Number.isFinite(ms) ? (flops / ms / 1e6).toFixed(0) : '-');
  const twin = name.startsWith('weight gradient')
    ? forward.get(name.replace('weight gradient', 'conv 3x3'))
    : undefined;
  return [
    name,
    times.ours.toFixed(1),
    rate(times.ours),
    rate(times.single),
    pairs.length > 0 ? `${((median(pairs) - 1) * 100).toFixed(0)} %` : '-',
    twin === undefined ? '-' : (twin / times.ours).toFixed(2),
    rate(times.peer),
    Number.isFinite(times.peer) ? (times.peer / times.ours).toFixed(2) : '-',
  ];
});
console.log(`${machine(threads)}; PyTorch: ${peer.version()}\n`);
console.log(
  table(
    [
      'operation',
      'ms (best of 32)',
      'ours, GFLOP/s',
      'single-op ONNX Runtime',
      'our overhead (median of pairs)',
      'rate / forward rate',
      'PyTorch, GFLOP/s',
      'PyTorch time / ours',
    ],
    rows,
  ),
);
await engine.dispose();
process.exit(0);
