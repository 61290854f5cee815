/** The networks of a run: sizes and settings, and which of their parameters are trained. */

import type { BodyModel } from '../body/index.ts';
import { discriminatorConfig, generatorConfig } from '../portrait/config.ts';
import { posingOf } from '../portrait/posing.ts';
import {
  discriminatorPlan,
  discriminatorRecord,
  generatorPlan,
  generatorRecord,
  type Preset,
} from '../portrait/presets.ts';
import type { RunConfig } from './config.ts';
import type { TrainedGenerator } from './generator-loss.ts';
import type { TrainedDiscriminator } from './judging.ts';
import { presetOfRun } from './network-settings.ts';
import { frozenLayers, trainedParameters } from './parameter-groups.ts';

export interface RunNetworks {
  /** What records, plans and initial weights are made of (`initialNetworks`). */
  readonly preset: Preset;
  readonly generator: TrainedGenerator;
  readonly discriminator: TrainedDiscriminator;
}

/** Makes them: no weights, these are the engine's or the checkpoint's. */
export function runNetworks(config: RunConfig, body: BodyModel): RunNetworks {
  const adversarial = config.command === 'train';
  const preset = presetOfRun(config, adversarial ? config.neuralRenderingResolutionInitial : undefined);
  const [g, d] = [generatorRecord(preset), discriminatorRecord(preset)];
  const settings = generatorConfig(g);
  const posed = adversarial && config.trainPoseBranch;
  const frozen = adversarial ? frozenLayers(discriminatorPlan(preset), config.freezeD) : [];
  return {
    preset,
    generator: {
      config: settings,
      shapes: g.shapes,
      posing: posingOf(body, settings.rendering.boxWarp, settings.thickness),
      trainable: trainedParameters(
        generatorPlan(preset),
        (name) => !posed && name.startsWith('pose_branch.'),
      ),
    },
    discriminator: {
      config: discriminatorConfig(d),
      shapes: d.shapes,
      trainable: trainedParameters(discriminatorPlan(preset), (name) =>
        frozen.some((layer) => name.startsWith(layer)),
      ),
    },
  };
}
