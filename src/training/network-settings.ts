/** A preset with what of it a run has otherwise. */

import { type Preset, type PresetName, presetOf } from '../portrait/presets.ts';
import { NETWORK_SETTINGS } from './common-settings.ts';
import type { NetworkSettings } from './config.ts';

/** Settings of the network, the preset's where none are given. @throws UsageError for an unknown preset. */
export function networkSettings(name: PresetName, given: Partial<NetworkSettings>): NetworkSettings {
  const preset = presetOf(name);
  const values = Object.keys(NETWORK_SETTINGS)
    .filter((key) => key !== 'preset')
    .map((key) => [
      key,
      given[key as keyof NetworkSettings] ?? preset[key as keyof NetworkSettings & keyof Preset],
    ]);
  // Every other key of the table is one of `Preset`.
  return { preset: name, ...Object.fromEntries(values) };
}

/** The network of a run: what `generatorRecord`, `generatorPlan` and those of the discriminator take.
 *
 * @param neuralResolution side of the raw picture, where it is not the preset's
 */
export function presetOfRun(config: NetworkSettings, neuralResolution?: number): Preset {
  const { preset: name } = config;
  const preset = presetOf(name);
  const own = Object.keys(NETWORK_SETTINGS)
    .filter((key) => key !== 'preset')
    .map((key) => [key, config[key as keyof NetworkSettings]]);
  return {
    ...preset,
    ...Object.fromEntries(own),
    neuralResolution: neuralResolution ?? preset.neuralResolution,
  };
}
