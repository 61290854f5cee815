/** The one exchange of a phase: gradients become their mean over the ranks. */

import {
  concat,
  f32,
  type Graph,
  mul,
  ndarray,
  type Resident,
  reshape,
  sizeOf,
  sliceAxis,
  type Tensor,
  trace,
} from '../tensor/index.ts';
import type { Collective } from './collective.ts';
import type { ProgramRunner } from './runner.ts';

/** Averages gradients over the ranks; those given are used up. Alone, they are returned as they are. */
export async function sharedGradients(
  runner: ProgramRunner,
  collective: Collective,
  gradients: ReadonlyMap<string, Resident>,
): Promise<ReadonlyMap<string, Resident>> {
  if (collective.size === 1) return gradients;
  const { engine } = runner;
  const names = [...gradients.keys()];
  const of = `of ${names.length} gradients`;
  // One array crosses over instead of hundreds.
  const joined = await runner.run(
    `joined ${of}`,
    names,
    () => joinGraph(gradients),
    Object.fromEntries(gradients),
    names,
  );
  const { data } = await engine.download(joined.all);
  await engine.release(joined.all);
  const all = data as Float32Array;
  await collective.allReduce(all);
  const key = [names, collective.size];
  const split = await runner.run(`split ${of}`, key, () => splitGraph(gradients, collective.size), {
    all: ndarray([all.length], all),
  });
  return new Map(names.map((name) => [name, split[name]]));
}

function joinGraph(shapes: ReadonlyMap<string, Resident>): Graph {
  const inputs = Object.fromEntries([...shapes].map(([name, { shape }]) => [name, f32(...shape)]));
  return trace('joined gradients', inputs, (given) => ({
    all: concat(
      [...shapes].map(([name, { shape }]) => reshape(given[name], [sizeOf(shape)])),
      0,
    ),
  }));
}

/** @param ranks what the sums are divided by */
function splitGraph(shapes: ReadonlyMap<string, Resident>, ranks: number): Graph {
  const total = [...shapes.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return trace('split gradients', { all: f32(total) }, ({ all }) => {
    const outputs: Record<string, Tensor> = {};
    let at = 0;
    for (const [name, { shape }] of shapes) {
      const part = sliceAxis(all, 0, at, at + sizeOf(shape));
      outputs[name] = mul(reshape(part, shape), 1 / ranks);
      at += sizeOf(shape);
    }
    return outputs;
  });
}
