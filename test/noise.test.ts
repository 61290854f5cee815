/** Noise of the synthesis networks: stored, drawn from a source, none. */

import { afterAll, expect, test } from 'vitest';
import { referenceEngine } from '../src/engines/reference/index.ts';
import { initialNetworks } from '../src/load.ts';
import { type LoadedNetwork, type Noise, portraitGenerator } from '../src/portrait/session.ts';
import { type NdArray, ndarray } from '../src/tensor/index.ts';
import { randomState } from '../src/weights/index.ts';

const engine = referenceEngine();
afterAll(() => engine.dispose());

/** The tiny network with noise that is heard: a fresh one has strength 0 everywhere. */
function noisy(): LoadedNetwork {
  const { generator: plain } = initialNetworks('tiny');
  const loud = ndarray([], Float32Array.of(0.5));
  return { ...plain, read: (name) => (name.endsWith('noise_strength') ? loud : plain.read(name)) };
}

test('random noise comes from its source, the same numbers giving the same planes', async () => {
  const generator = portraitGenerator(engine, noisy());
  const { numWs, wDim } = generator.config;
  const ws = ndarray([1, numWs, wDim], Float32Array.from(randomState(1).randn(numWs * wDim)));
  const planes = async (noise: Noise): Promise<NdArray> => engine.download(await generator.planes(ws, noise));
  const drawn = (seed: number): Noise => {
    const source = randomState(seed);
    return { mode: 'random', normals: (count) => Float32Array.from(source.randn(count)) };
  };
  const first = await planes(drawn(5));
  expect(await planes(drawn(5))).toEqual(first);
  expect(await planes(drawn(6))).not.toEqual(first);
  expect(await planes({ mode: 'const' })).not.toEqual(first);
  expect(await planes({ mode: 'random', normals: (count) => new Float32Array(count) })).toEqual(
    await planes({ mode: 'none' }),
  );
  await generator.dispose();
});
