/**
 * `portraitgan/training`: training as programs on an engine that is handed in. Browser-safe; no files, no clock.
 *
 * `trainConfig` and `teachConfig` make whole configurations, `residentNetworks` gives weights to an engine,
 * `adversarialIteration` and `taughtIteration` make what one iteration does, `createTrainer` does them one after another.
 * The command line adds data, checkpoints and pictures.
 */

export {
  type AdversarialData,
  type AdversarialTask,
  adversarialIteration,
  type RealBatch,
} from './adversarial.ts';
export type { LabelSource } from './adversarial-draws.ts';
export { quietPoses } from './adversarial-start.ts';
export { alone, type Collective } from './collective.ts';
export type { CommonConfig, NetworkSettings, RunConfig, TeachConfig, TrainConfig } from './config.ts';
export {
  configDifferences,
  type Difference,
  type Differences,
  parseConfig,
  printConfig,
} from './config-text.ts';
export type { IterationReport, Place } from './iteration.ts';
export { trainedParameters } from './parameter-groups.ts';
export {
  type NetworkKind,
  type NetworkPart,
  type ResidentNetwork,
  type ResidentNetworks,
  residentNetworks,
  type TrainedShape,
} from './resident.ts';
export { type RunNetworks, runNetworks } from './run-networks.ts';
export type { TrainingState } from './state.ts';
export { type TaughtPictures, type TaughtTask, taughtIteration } from './taught.ts';
export { taughtStart } from './taught-start.ts';
export { teachConfig, trainConfig } from './train-defaults.ts';
export { createTrainer, placeOf, stepsOf, type Trainer } from './trainer.ts';
