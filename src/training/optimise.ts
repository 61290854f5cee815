/** Adam on an engine: parameters with their moments, stepped together by one program. */

import { GradientError } from '../errors.ts';
import { type Aval, type Engine, type NdArray, ndarray, sizeOf } from '../tensor/index.ts';
import { adamCorrections, adamGraph } from './adam.ts';
import type { AdamOptions } from './options.ts';

/** Moments of each parameter, and how many steps it has taken. */
export interface Moments {
  readonly first: NdArray;
  readonly second: NdArray;
  readonly steps: number;
}

export interface Stepped {
  /** Parameters that had a gradient, after the step. */
  readonly values: ReadonlyMap<string, NdArray>;
  /** Their gradients as they were used. */
  readonly gradients: ReadonlyMap<string, NdArray>;
  readonly moments: ReadonlyMap<string, Moments>;
  /** Numbers in the gradients that were not finite. */
  readonly bad: number;
}

/** The moments of a fresh optimiser. */
export function freshMoments({ shape }: Aval): Moments {
  const zeros = (): NdArray => ndarray(shape, new Float32Array(sizeOf(shape)));
  return { first: zeros(), second: zeros(), steps: 0 };
}

/** Steps the parameters that have a gradient; the others stay.
 *
 * @param read     values of parameters
 * @param moments  of what was stepped before; what is missing starts fresh
 * @throws GradientError when there is nothing to step.
 */
export async function stepParameters(
  engine: Engine,
  gradients: ReadonlyMap<string, NdArray>,
  read: (name: string) => NdArray,
  options: AdamOptions,
  moments: ReadonlyMap<string, Moments> = new Map(),
): Promise<Stepped> {
  if (gradients.size === 0) throw new GradientError('adam: no parameter has a gradient');
  const stepped = {
    values: new Map<string, NdArray>(),
    gradients: new Map<string, NdArray>(),
    moments: new Map<string, Moments>(),
  };
  const inputs: Record<string, NdArray> = {};
  const groups = agedGroups(gradients, (name) => moments.get(name)?.steps ?? 0);
  groups.forEach(({ steps, names }, k) => {
    const { stepSize, root } = adamCorrections(options, steps + 1);
    inputs[`stepSize/${k}`] = ndarray([], [stepSize]);
    inputs[`root/${k}`] = ndarray([], [root]);
    for (const name of names) {
      const gradient = gradients.get(name)!;
      const { first, second } = moments.get(name) ?? freshMoments(gradient);
      Object.assign(inputs, {
        [`value/${name}`]: read(name),
        [`first/${name}`]: first,
        [`second/${name}`]: second,
        [`gradient/${name}`]: gradient,
      });
    }
  });
  const shapes = groups.map(({ names }) => new Map(names.map((name) => [name, gradients.get(name)!])));
  const program = await engine.compile(adamGraph(shapes, options, true));
  const outputs = await program.run(inputs);
  await program.dispose();
  for (const { steps, names } of groups) {
    for (const name of names) {
      stepped.values.set(name, outputs[`value/${name}`]);
      stepped.gradients.set(name, outputs[`gradient/${name}`]);
      const [first, second] = [outputs[`first/${name}`], outputs[`second/${name}`]];
      stepped.moments.set(name, { first, second, steps: steps + 1 });
    }
  }
  return { ...stepped, bad: outputs.bad.data[0] };
}

/** Parameters of the same age share their corrections. */
function agedGroups(
  gradients: ReadonlyMap<string, unknown>,
  ageOf: (name: string) => number,
): { readonly steps: number; readonly names: readonly string[] }[] {
  const ages = new Map<number, string[]>();
  for (const name of gradients.keys()) {
    const steps = ageOf(name);
    ages.set(steps, [...(ages.get(steps) ?? []), name]);
  }
  return [...ages].map(([steps, names]) => ({ steps, names }));
}
