/** The dense parts of an optimisation step as programs that take their weights as inputs. */

import { discriminatorConfig, generatorConfig } from '../src/portrait/config.ts';
import { discriminate } from '../src/portrait/discriminator.ts';
import { type ParameterShapes, parametersOf } from '../src/portrait/parameters.ts';
import { discriminatorRecord, generatorRecord, type Preset } from '../src/portrait/presets.ts';
import { synthesisNetwork } from '../src/portrait/synthesis.ts';
import * as t from '../src/tensor/index.ts';

export interface Phase {
  readonly label: string;
  readonly network: 'discriminator' | 'generator';
  readonly graph: t.Graph;
}

/** Gradients under the names of their weights; a weight that gets none is absent. */
function gradientsOf(value: t.Tensor, shapes: ParameterShapes): Record<string, t.Tensor> {
  const names = [...shapes.keys()].filter((name) => !/resample_filter|noise_const|w_avg/.test(name));
  const found = t.grad(
    value,
    names.map((name) => t.parameter(name, shapes.get(name)!)),
  );
  return Object.fromEntries(
    names.flatMap((name, i): [string, t.Tensor][] =>
      found[i] === undefined ? [] : [[`grad/${name}`, found[i]]],
    ),
  );
}

export function phasesOf(preset: Preset, batch: number): Phase[] {
  const d = discriminatorRecord(preset);
  const config = discriminatorConfig(d);
  const [side, small] = [preset.resolution, preset.neuralResolution];
  const judgedInputs = {
    image: t.f32(batch, 3, side, side),
    raw: t.f32(batch, 3, small, small),
    mask: t.f32(batch, 1, small, small),
    c: t.f32(batch, 25),
  };
  const scores = t.trace('scores', judgedInputs, ({ image, raw, mask, c }) => {
    const { logits } = discriminate(parametersOf(d.shapes), { image, raw, mask }, c, config);
    const value = t.mean(t.softplus(logits));
    return { value, ...gradientsOf(value, d.shapes) };
  });
  const penalty = t.trace('penalty', judgedInputs, ({ image, raw, mask, c }) => {
    const { logits } = discriminate(parametersOf(d.shapes), { image, raw, mask }, c, config);
    const slopes = t.grad(t.reduceSum(logits), [image, raw, mask]);
    const value = slopes
      .map((slope) => t.reduceSum(t.mul(slope!, slope!)))
      .reduce((sum, part) => t.add(sum, part));
    return { value, ...gradientsOf(value, d.shapes) };
  });
  const g = generatorRecord(preset);
  const { wDim, planeResolution, numWs, clamp } = generatorConfig(g);
  const prefix = 'backbone.synthesis.';
  const shapes = new Map([...g.shapes].filter(([name]) => name.startsWith(prefix)));
  const planeInputs = {
    ws: t.f32(batch, numWs, wDim),
    cotangent: t.f32(batch, 96 * preset.triplaneDepth, planeResolution, planeResolution),
  };
  const planes = t.trace('planes', planeInputs, ({ ws, cotangent }) => {
    const made = synthesisNetwork(
      parametersOf(g.shapes).scope('backbone').scope('synthesis'),
      ws,
      planeResolution,
      {
        noise: 'const',
        clamp,
      },
    );
    const value = t.reduceSum(t.mul(made, cotangent));
    const [slope] = t.grad(value, [ws]);
    return { value, 'grad/ws': slope!, ...gradientsOf(value, shapes) };
  });
  return [
    {
      label: 'discriminator, forward and backward',
      network: 'discriminator',
      graph: t.liftParameters(scores),
    },
    { label: 'gradient penalty (second order)', network: 'discriminator', graph: t.liftParameters(penalty) },
    { label: 'backbone, forward and backward', network: 'generator', graph: t.liftParameters(planes) },
    { label: 'Adam and average of the discriminator', network: 'discriminator', graph: optimiser(d.shapes) },
  ];
}

/** A step of every weight, and of its average. */
function optimiser(shapes: ParameterShapes): t.Graph {
  const weights = [...shapes].filter(([name]) => !name.endsWith('resample_filter'));
  const kinds = ['value', 'first', 'second', 'gradient', 'average'];
  const inputs: Record<string, t.Aval> = { stepSize: t.f32(), root: t.f32(), beta: t.f32() };
  for (const [name, aval] of weights) for (const kind of kinds) inputs[`${kind}/${name}`] = aval;
  return t.trace('optimiser', inputs, (given) => {
    const outputs: Record<string, t.Tensor> = {};
    for (const [name] of weights) {
      const of = (kind: string): t.Tensor => given[`${kind}/${name}`];
      const state = { value: of('value'), first: of('first'), second: of('second') };
      const settings = { beta1: 0, beta2: 0.99, eps: 1e-8 };
      const { value, first, second } = t.adamStep(
        state,
        of('gradient'),
        settings,
        given.stepSize,
        given.root,
      );
      const stepped = { value, first, second, average: t.emaStep(of('average'), value, given.beta) };
      for (const [kind, tensor] of Object.entries(stepped)) outputs[`${kind}/${name}`] = tensor;
    }
    return outputs;
  });
}
