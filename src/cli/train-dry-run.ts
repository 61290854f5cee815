/** `--dry-run` of train and teach: the settings in full, and what the run would cost on this machine. */

import { defaultBody } from '../default-body.ts';
import { conv2d, type Engine, f32, ndarray, parameter, trace } from '../tensor/index.ts';
import type { RunConfig } from '../training/config.ts';
import { remarksOn } from '../training/config-rules.ts';
import { printConfig } from '../training/config-text.ts';
import { type RunCost, runCost, secondsOf, secondsOfKimg } from '../training/run-cost.ts';
import { runNetworks } from '../training/run-networks.ts';
import { makeEngine } from './engine.ts';
import { note, say, sayJson, showBytes, showSeconds } from './output.ts';
import { startCount } from './progress.ts';
import type { RunFlags } from './train-options.ts';

/** What Node and ONNX Runtime take beside a run's own arrays: peaks of `bench:step` (docs/performance.md) less what is
 * counted here are 460 MB at 64-32 and 550 MB at 128-32. */
const RUNTIME_BYTES = 500e6;

/** How long is measured; the best run counts, because others share the machine. */
const MEASURE_MS = 500;

interface Rate {
  readonly gflops: number;
  readonly measured: boolean;
}

/** Prints it; nothing is written, and the data is not opened. */
export async function dryRun(config: RunConfig, flags: RunFlags): Promise<void> {
  const progress = startCount('counting');
  const cost = runCost(config, runNetworks(config, defaultBody()), (done, total) =>
    progress.at({ done, total }),
  );
  progress.end();
  for (const remark of remarksOn(config)) note(remark);
  const rate =
    flags.gflops === undefined
      ? { gflops: await measuredRate(flags), measured: true }
      : { gflops: flags.gflops, measured: false };
  if (flags.json) sayJson({ settings: config, ...report(cost, rate, config) });
  else for (const line of lines(config, cost, rate)) say(line);
}

async function measuredRate(flags: RunFlags): Promise<number> {
  const engine = await makeEngine(flags);
  try {
    return await rateOf(engine);
  } finally {
    await engine.dispose();
  }
}

/** GFLOP/s of a 3x3 convolution, of 256 channels at 64 x 64 where that does not take minutes. */
async function rateOf(engine: Engine): Promise<number> {
  const [channels, side] = engine.name === 'reference' ? [16, 16] : [256, 64];
  const weight = ndarray([channels, channels, 3, 3], new Float32Array(channels * channels * 9).fill(0.01));
  const picture = ndarray([1, channels, side, side], new Float32Array(channels * side * side).fill(1));
  const graph = trace('rate', { x: f32(1, channels, side, side) }, ({ x }) => ({
    y: conv2d(x, parameter('w', f32(...weight.shape)), { padding: 1 }),
  }));
  const program = await engine.compile(graph, { parameters: { w: weight } });
  const x = await engine.upload(picture);
  const once = async (): Promise<number> => {
    const start = performance.now();
    const { y } = await program.runResident({ x });
    const ms = performance.now() - start;
    await engine.release(y);
    return ms;
  };
  // The first run makes what the others find.
  await once();
  let best = Number.POSITIVE_INFINITY;
  for (const begun = performance.now(); performance.now() - begun < MEASURE_MS; )
    best = Math.min(best, await once());
  return (2 * channels * channels * 9 * side * side) / best / 1e6;
}

function report(cost: RunCost, { gflops, measured }: Rate, config: RunConfig) {
  const seconds = secondsOfKimg(cost, gflops, config.channelMax);
  const { weights, moments, gradients, activations } = cost.memory;
  return {
    networks: cost.networks,
    programs: cost.programs.map((program) => ({
      label: program.label,
      interval: program.interval,
      picturesAtATime: program.pictures,
      flopsPerPicture: program.flops / program.pictures,
      samplesPerPicture: program.samples / program.pictures,
      activationBytes: program.liveBytes,
      estimatedSecondsPerKimg:
        (1000 * secondsOf(program, gflops, config.channelMax)) / (program.pictures * program.interval),
    })),
    memory: {
      ...cost.memory,
      runtime: RUNTIME_BYTES,
      estimatedTotal: weights + moments + gradients + activations + RUNTIME_BYTES,
    },
    rate: { gflops, measured },
    kimg: cost.kimg,
    iterations: cost.iterations,
    estimatedSecondsPerKimg: seconds,
    estimatedSeconds: seconds * cost.kimg,
  };
}

function lines(config: RunConfig, cost: RunCost, rate: Rate): string[] {
  const { networks, programs, memory, ...rest } = report(cost, rate, config);
  const seconds = rest.estimatedSecondsPerKimg;
  const how = rate.measured ? 'measured just now with a convolution' : 'as told';
  const parts = [
    `${showBytes(memory.weights)} weights and averages`,
    `${showBytes(memory.moments)} moments`,
    `${showBytes(memory.gradients)} gradients`,
    `${showBytes(memory.activations)} activations`,
    `about ${showBytes(memory.runtime)} for the engine itself`,
  ];
  return [
    ...printConfig(config).trimEnd().split('\n'),
    '',
    ...columns([
      ['network', 'parameters', 'trained'],
      ...Object.entries(networks).map(([name, { parameters, trained }]) => [
        name,
        millions(parameters),
        millions(trained),
      ]),
    ]),
    '',
    ...columns([
      ['program', 'every', 'images', 'GFLOP an image', 'activations', 's a kimg'],
      ...programs.map((program) => [
        program.label,
        `${program.interval}`,
        `${program.picturesAtATime}`,
        (program.flopsPerPicture / 1e9).toFixed(2),
        showBytes(program.activationBytes),
        program.estimatedSecondsPerKimg.toPrecision(3),
      ]),
    ]),
    '',
    `memory, an estimate: ${showBytes(memory.estimatedTotal)} (${parts.join(', ')})`,
    `time, an estimate: ${showSeconds(rest.estimatedSeconds)} for ${rest.kimg} kimg, ${rest.iterations} iterations; ` +
      `${(1000 / seconds).toPrecision(2)} images a second at ${rate.gflops.toPrecision(3)} GFLOP/s (${how})`,
  ];
}

function millions(count: number): string {
  return `${(count / 1e6).toFixed(2)} M`;
}

/** The first column to the left, the others to the right. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) =>
    row.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join('  '),
  );
}
