/** A preset's generator with initial weights, as a model file. */

import { initialNetworks, presetNetworkOptions } from '../../src/load.ts';
import { generatorPlan, type PresetName, presetOf } from '../../src/portrait/presets.ts';
import type { LoadedNetwork } from '../../src/portrait/session.ts';
import { PORTRAIT_FORMAT, PORTRAIT_VERSION, writeSafetensors } from '../../src/weights/index.ts';

/** Writes the file and gives the network that it holds. */
export function writePreset(path: string, name: PresetName, seed = 0): LoadedNetwork {
  const preset = presetOf(name);
  const { generator } = initialNetworks(preset, seed);
  const options = { networks: { G_ema: presetNetworkOptions(preset).G }, trainingSetKwargs: null };
  writeSafetensors(
    path,
    [...generatorPlan(preset)].map(([key, { shape }]) => ({
      ...{ name: `G_ema.${key}`, key, dtype: 'float32' as const, shape },
    })),
    { format: PORTRAIT_FORMAT, version: PORTRAIT_VERSION, options: JSON.stringify(options) },
    ({ key }) => {
      const { buffer, byteOffset, byteLength } = generator.read(key).data;
      return new Uint8Array(buffer, byteOffset, byteLength);
    },
  );
  return generator;
}
