/** Gradients of several backward passes, added up where they are. */

import { add, type Engine, type Graph, type NdArray, type Resident, trace } from '../tensor/index.ts';
import type { ProgramRunner } from './runner.ts';

/** Gradients by weight, with the engine. */
export interface GradientSum {
  /** Takes gradients over: they are the sum's now. */
  add(gradients: ReadonlyMap<string, Resident>): Promise<void>;
  values(): ReadonlyMap<string, Resident>;
}

/** An empty sum. */
export function gradientSum(runner: ProgramRunner): GradientSum {
  const sums = new Map<string, Resident>();
  return {
    async add(gradients) {
      const both = [...gradients.keys()].filter((name) => sums.has(name));
      for (const [name, value] of gradients) if (!sums.has(name)) sums.set(name, value);
      if (both.length === 0) return;
      const given = Object.fromEntries(
        both.flatMap((name) => [
          [`sum/${name}`, sums.get(name)!],
          [`own/${name}`, gradients.get(name)!],
        ]),
      );
      const make = (): Graph => sumGraph(both, gradients);
      const added = await runner.run(`sum of ${both.length}`, both, make, given, Object.keys(given));
      for (const name of both) sums.set(name, added[name]);
    },
    values: () => sums,
  };
}

function sumGraph(names: readonly string[], shapes: ReadonlyMap<string, Resident>): Graph {
  const inputs = Object.fromEntries(
    names.flatMap((name) => {
      const { dtype, shape } = shapes.get(name)!;
      return [`sum/${name}`, `own/${name}`].map((input) => [input, { dtype, shape }]);
    }),
  );
  return trace('sum of gradients', inputs, (given) =>
    Object.fromEntries(names.map((name) => [name, add(given[`sum/${name}`], given[`own/${name}`])])),
  );
}

/** What a backward program gave: statistics are read out, gradients added up, and the loss is returned. */
export async function takeBackward(
  engine: Engine,
  outputs: Readonly<Record<string, Resident>>,
  into: { readonly gradients: GradientSum; readonly statistics: Map<string, NdArray> },
): Promise<number> {
  const gradients = new Map<string, Resident>();
  let loss = Number.NaN;
  for (const [name, value] of Object.entries(outputs)) {
    if (name.startsWith('grad/')) {
      gradients.set(name.slice(5), value);
      continue;
    }
    const array = await engine.download(value);
    await engine.release(value);
    if (name === 'loss') loss = array.data[0];
    else if (name.startsWith('stat/')) into.statistics.set(name.slice(5), array);
  }
  await into.gradients.add(gradients);
  return loss;
}
