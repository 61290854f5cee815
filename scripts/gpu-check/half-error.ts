/** How far half precision is from single precision on the same device: on pictures, and on gradients. */

import { phaseInputs, phasesOf } from '../../bench/step-phases.ts';
import { normals } from '../../bench/support.ts';
import { initialNetworks } from '../../src/load.ts';
import { presetOf } from '../../src/portrait/presets.ts';
import type { NdArray } from '../../src/tensor/index.ts';
import type { Gpu, Precision } from './gpu.ts';
import { type Fields, round, type Section } from './record.ts';
import { differenceOf, type Scene, sceneOutputs, scenesIn } from './scenes.ts';

export async function halfErrorSection(gpu: Gpu, section: Section): Promise<void> {
  if (!gpu.precisions.includes('half')) {
    await section.row('half precision', async () => {
      throw new Error('the device has no shader-f16');
    });
    return;
  }
  const scenes = scenesIn(gpu.data, gpu.small).reverse();
  const large: Scene = { name: '512-128', open: (use) => use(initialNetworks('512-128').generator) };
  const row = (scene: Scene): Promise<boolean> =>
    section.row(`pictures, ${scene.name}`, () => picturesRow(gpu, scene));
  await row(scenes[0]);
  if (!gpu.small) await row(large);
  const { preset, batch, word } = gpu.small
    ? { preset: 'tiny', batch: 1, word: 'fakes judged' }
    : { preset: '128-64', batch: 4, word: 'pictures, posed, and their gradient' };
  await section.row(`gradients, ${preset}, batch ${batch}: ${word}`, () =>
    gradientsRow(gpu, preset, batch, word),
  );
  for (const scene of scenes.slice(1)) await row(scene);
}

async function picturesRow(gpu: Gpu, scene: Scene): Promise<Fields> {
  const by = (precision: Precision): Promise<Record<string, NdArray>> =>
    scene.open(async (network) => {
      const engine = gpu.engine(precision);
      const outputs = await sceneOutputs(engine, network);
      await engine.dispose();
      return outputs;
    });
  const [single, half] = [await by('f32'), await by('half')];
  return {
    outputs: Object.fromEntries(
      Object.entries(single).map(([name, { data }]) => {
        const { worst, typical } = differenceOf(half[name].data, data);
        return [name, [round(worst), round(typical)]];
      }),
    ),
  };
}

/** The gradient of each weight, and of all together. */
async function gradientsRow(gpu: Gpu, preset: string, batch: number, word: string): Promise<Fields> {
  const [phase] = phasesOf(presetOf(preset), batch, [word]);
  const by = async (precision: Precision): Promise<Record<string, NdArray>> => {
    const engine = gpu.engine(precision);
    const arrayFor = phaseInputs(presetOf(preset), normals());
    const program = await engine.compile(phase.graph);
    const inputs = Object.fromEntries(
      phase.graph.inputs.map((input) => [input.name, arrayFor(phase, input)]),
    );
    const outputs = await program.run(inputs);
    await engine.dispose();
    return outputs;
  };
  const [single, half] = [await by('f32'), await by('half')];
  let [along, ours, theirs] = [0, 0, 0];
  const typical: [string, number][] = [];
  for (const [name, { data }] of Object.entries(single)) {
    if (!name.startsWith('grad/')) continue;
    const other = half[name].data;
    typical.push([name, differenceOf(other, data).typical]);
    for (let i = 0; i < data.length; i++) {
      along += data[i] * other[i];
      ours += data[i] ** 2;
      theirs += other[i] ** 2;
    }
  }
  typical.sort((a, b) => b[1] - a[1]);
  return {
    ...{ weights: typical.length, cosine: along / Math.sqrt(ours * theirs) },
    median: round(typical[typical.length >> 1][1]),
    worst: Object.fromEntries(typical.slice(0, 5).map(([name, value]) => [name, round(value)])),
  };
}
