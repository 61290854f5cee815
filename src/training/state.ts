/** The state of a training run as plain data: what a checkpoint keeps and a resume starts from. */

import type { JsonObject } from '../portrait/config.ts';
import type { NdArray } from '../tensor/index.ts';

/** All that a training run needs to go on: what checkpoints hold. */
export interface TrainingState {
  /** By name: `G/NAME`, `D/NAME`, `G_ema/NAME`, `D_ema/NAME` (parameters and buffers, NAME as in the network), and
   * Adam's moments `first/G/NAME`, `second/G/NAME`, `first/D/...`. float32. */
  readonly tensors: ReadonlyMap<string, NdArray>;
  /** Everything else, as JSON: `seen` (images shown), `iteration`, `start`, `loader` (LoaderPosition), `steps` (age of each parameter's moments), `settings` (the run's
   * configuration), `networks` (`G` and `D`: the options that a checkpoint file stores, which exports need). */
  readonly record: JsonObject;
}
