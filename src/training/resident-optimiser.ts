/** Adam and averages of networks that stay with their engine (spec pages 5.1 and 5.6). */

import {
  type Aval,
  emaStep,
  f32,
  type Graph,
  ndarray,
  type Resident,
  type Tensor,
  trace,
} from '../tensor/index.ts';
import { adamCorrections, adamGraph } from './adam.ts';
import type { RunConfig } from './config.ts';
import type { AdamOptions } from './options.ts';
import { lrScaleOf } from './parameter-groups.ts';
import type { NetworkKind, ResidentNetworks } from './resident.ts';

/** Steps the parameters that have a gradient; gradients are used up.
 *
 * @returns how many numbers of the gradients were not finite
 */
export async function stepResident(
  { networks, runner, engine }: ResidentNetworks,
  kind: NetworkKind,
  gradients: ReadonlyMap<string, Resident>,
  options: AdamOptions,
  scales: RunConfig['lrScales'] = {},
): Promise<number> {
  const network = networks[kind]!;
  const groups = new Map<string, { step: number; scale: number; names: string[] }>();
  for (const name of gradients.keys()) {
    const [step, scale] = [network.steps.get(name)! + 1, lrScaleOf(scales, kind, name)];
    const key = `${step} ${scale}`;
    if (!groups.has(key)) groups.set(key, { step, scale, names: [] });
    groups.get(key)!.names.push(name);
  }
  const given: Record<string, Resident | ReturnType<typeof ndarray>> = {};
  [...groups.values()].forEach(({ step, scale, names }, k) => {
    const { stepSize, root } = adamCorrections(options, step);
    given[`stepSize/${k}`] = ndarray([], [stepSize * scale]);
    given[`root/${k}`] = ndarray([], [root]);
    for (const name of names) {
      given[`value/${name}`] = network.values.get(name)!;
      given[`first/${name}`] = network.first.get(name)!;
      given[`second/${name}`] = network.second.get(name)!;
      given[`gradient/${name}`] = gradients.get(name)!;
    }
  });
  const names = [...groups.values()].map((group) => group.names);
  const { betas, eps } = options;
  const make = (): Graph =>
    adamGraph(
      names.map((members) => new Map(members.map((name) => [name, network.shapes.get(name)!]))),
      options,
      false,
    );
  const used = Object.keys(given).filter((name) => name.includes('/') && !/^(stepSize|root)\//.test(name));
  const stepped = await runner.run(
    `adam ${kind} ${gradients.size}`,
    { names, betas, eps },
    make,
    given,
    used,
  );
  const bad = await engine.download(stepped.bad);
  await engine.release(stepped.bad);
  for (const name of gradients.keys()) {
    network.values.set(name, stepped[`value/${name}`]);
    network.first.set(name, stepped[`first/${name}`]);
    network.second.set(name, stepped[`second/${name}`]);
    network.steps.set(name, network.steps.get(name)! + 1);
  }
  return bad.data[0];
}

/** Moves the averages of a network's parameters: `average = value + beta (average - value)`. */
export async function averageResident(
  { networks, runner }: ResidentNetworks,
  kind: NetworkKind,
  beta: number,
): Promise<void> {
  const { average, values } = networks[kind]!;
  const given: Record<string, Resident | ReturnType<typeof ndarray>> = { beta: ndarray([], [beta]) };
  for (const [name, value] of average) {
    given[`average/${name}`] = value;
    given[`value/${name}`] = values.get(name)!;
  }
  const used = [...average.keys()].map((name) => `average/${name}`);
  const moved = await runner.run(`average ${kind}`, '', () => averageGraph(average), given, used);
  for (const name of [...average.keys()]) average.set(name, moved[name]);
}

function averageGraph(shapes: ReadonlyMap<string, Aval>): Graph {
  const inputs: Record<string, Aval> = { beta: f32() };
  for (const [name, { dtype, shape }] of shapes)
    for (const kind of ['average', 'value']) inputs[`${kind}/${name}`] = { dtype, shape };
  return trace('averages', inputs, (given) => {
    const outputs: Record<string, Tensor> = {};
    for (const name of shapes.keys())
      outputs[name] = emaStep(given[`average/${name}`], given[`value/${name}`], given.beta);
    return outputs;
  });
}
