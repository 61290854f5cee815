/** Many small programs compiled as one, so that an engine makes one session for a whole table. */

import type { Engine } from '../../src/tensor/engine.ts';
import { type Graph, type NdArray, type Tensor, trace } from '../../src/tensor/index.ts';
import { distance } from './values.ts';

export interface Case {
  readonly name: string;
  readonly inputs: readonly NdArray[];
  readonly program: (...inputs: Tensor[]) => Tensor | readonly Tensor[];
}

/** One graph of all cases, and what to feed it. */
export function joinCases(
  name: string,
  cases: readonly Case[],
): { graph: Graph; inputs: Record<string, NdArray> } {
  const inputs: Record<string, NdArray> = {};
  cases.forEach((one, i) => {
    one.inputs.forEach((value, k) => {
      inputs[`${i}.${k}`] = value;
    });
  });
  const graph = trace(name, inputs, (symbols) => {
    const outputs: Record<string, Tensor> = {};
    cases.forEach((one, i) => {
      const result = one.program(...one.inputs.map((_, k) => symbols[`${i}.${k}`]));
      [result].flat().forEach((tensor, k) => {
        outputs[`${i}.${k}`] = tensor as Tensor;
      });
    });
    return outputs;
  });
  return { graph, inputs };
}

/** Runs all cases; results by case. */
export async function runCases(engine: Engine, name: string, cases: readonly Case[]): Promise<NdArray[][]> {
  const { graph, inputs } = joinCases(name, cases);
  const program = await engine.compile(graph);
  const outputs = await program.run(inputs);
  await program.dispose();
  return cases.map((_, i) =>
    Object.keys(outputs)
      .filter((key) => key.startsWith(`${i}.`))
      .map((key) => outputs[key]),
  );
}

/** Cases whose results are further apart than allowed, in words; empty when all agree. */
export function disagreements(
  cases: readonly Case[],
  found: readonly (readonly NdArray[])[],
  expected: readonly (readonly NdArray[])[],
  tolerance: number,
): string[] {
  return cases.flatMap((one, i) =>
    expected[i].flatMap((array, k) => {
      const apart = distance(found[i][k], array);
      if (apart <= tolerance) return [];
      const show = ({ data }: NdArray) => [...data.slice(0, 12)].join(' ');
      return [`${one.name}: off by ${apart}: [${show(found[i][k])}] against [${show(array)}]`];
    }),
  );
}
