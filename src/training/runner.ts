/** Who runs the programs of training, and with which weights: for one use, or again and again. */

import type { Engine, Graph, Resident, Values } from '../tensor/index.ts';
import { LABELS } from './backward.ts';

/** Runs programs whose weights are called `G.NAME` and `D.NAME`, with the weights as they are now. */
export interface ProgramRunner {
  readonly engine: Engine;
  /** Results stay with the engine, and are the caller's to release. What the program does not declare is left out.
   *
   * @param slot what the program is for: of each slot one program is kept at most
   * @param key    everything that is built into it, as JSON would have it: another key, another program
   * @param donate names of what is given that nobody needs afterwards
   */
  run(
    slot: string,
    key: unknown,
    make: () => Graph,
    given: Values,
    donate?: readonly string[],
  ): Promise<Record<string, Resident>>;
}

/** What a program declares of what is given. */
export function declaredInputs(graph: Graph, given: Values, names = graph.inputs): Values {
  return Object.fromEntries(
    names.map(({ name }) => {
      const value = given[name];
      if (value === undefined) throw new Error(`internal: ${graph.name} lacks its input "${name}"`);
      return [name, value];
    }),
  );
}

/** Which network's a weight of a program is, and its name there. */
export function weightOf(name: string): { readonly network: 'G' | 'D'; readonly weight: string } {
  const network = name.startsWith(LABELS.G) ? 'G' : 'D';
  return { network, weight: name.slice(LABELS[network].length) };
}
