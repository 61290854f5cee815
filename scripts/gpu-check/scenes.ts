/** Whole pictures that the check makes: by networks with initial weights and by the model that ships, at rest and posed. */

import { join } from 'node:path';
import { normals } from '../../bench/support.ts';
import { defaultBody } from '../../src/default-body.ts';
import { initialNetworks, loadNetwork } from '../../src/load.ts';
import { cameraLabel, viewCamera } from '../../src/portrait/camera.ts';
import { type LoadedNetwork, portraitGenerator, type View } from '../../src/portrait/session.ts';
import { type Engine, type NdArray, ndarray } from '../../src/tensor/index.ts';
import { openCheckpoint } from '../../src/weights/index.ts';

/** Elements of an output that are compared, evenly spread. */
const COMPARED = 32_768;

export interface Scene {
  readonly name: string;
  /** The network, while `use` runs. */
  open<T>(use: (network: LoadedNetwork) => Promise<T>): Promise<T>;
}

/** @param folder where `prepare.ts` put the model */
export function scenesIn(folder: string, small: boolean): Scene[] {
  const initial = (name: string): Scene => ({ name, open: (use) => use(initialNetworks(name).generator) });
  const model: Scene = {
    name: 'the model that ships',
    async open(use) {
      const checkpoint = openCheckpoint(join(folder, 'portrait.safetensors'));
      try {
        return await use(loadNetwork(checkpoint.networks.G_ema!));
      } finally {
        checkpoint.close();
      }
    },
  };
  return small ? [initial('tiny')] : [initial('tiny'), initial('128-64'), model];
}

/** All that a session gives on the way to two pictures of one person: `ws`, `planes`, `background`, each picture of a
 * view under its own name, and of a posed one with `posed/` before it. */
export async function sceneOutputs(engine: Engine, network: LoadedNetwork): Promise<Record<string, NdArray>> {
  const draw = normals(3);
  const generator = portraitGenerator(engine, network, defaultBody());
  const { zDim } = generator.config;
  const c = ndarray([1, 25], cameraLabel(viewCamera(20, 5)));
  const labels = { c, p: ndarray([1, 6], new Float32Array(6)) };
  const ws = await generator.map(ndarray([1, zDim], draw(zDim)), labels, { psi: 0.7 });
  const planes = await generator.planes(ws);
  const background = await generator.background(ws);
  const parts = { ws, planes, background };
  const pose = ndarray([1, 6], [0.1, -0.2, 0.05, 0.2, 0.3, -0.1]);
  const outputs: Record<string, NdArray> = { ws, planes: await generator.download(planes) };
  if (background !== undefined) outputs.background = await generator.download(background);
  const keep = (view: View, prefix: string): void => {
    for (const [name, value] of Object.entries(view)) outputs[`${prefix}${name}`] = value;
  };
  keep(await generator.view(parts, c), '');
  keep(await generator.view(parts, c, { pose }), 'posed/');
  await generator.release(planes, background);
  await generator.dispose();
  return outputs;
}

/** Some elements of a large array, evenly spread. */
export function sampled({ data }: Pick<NdArray, 'data'>): Float32Array {
  const count = Math.min(COMPARED, data.length);
  return Float32Array.from({ length: count }, (_, i) => data[Math.floor((i * data.length) / count)]);
}

export interface Difference {
  /** Largest, in units of the largest expected value. */
  readonly worst: number;
  /** Root of the mean square, in units of that of the expected values. */
  readonly typical: number;
}

export function differenceOf(found: ArrayLike<number>, expected: ArrayLike<number>): Difference {
  let [worst, largest, squares, whole] = [0, 1e-30, 0, 1e-60];
  for (let i = 0; i < expected.length; i++) {
    const apart = Math.abs(found[i] - expected[i]);
    worst = Math.max(worst, Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart);
    largest = Math.max(largest, Math.abs(expected[i]));
    squares += apart * apart;
    whole += expected[i] * expected[i];
  }
  return { worst: worst / largest, typical: Math.sqrt(squares / whole) };
}
