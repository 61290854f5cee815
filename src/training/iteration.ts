/** What an iteration is told and tells, whichever method it belongs to. */

import type { JsonObject } from '../portrait/config.ts';

/** Where a run is. */
export interface Place {
  /** Iterations done before this one. */
  readonly iteration: number;
  /** Images shown before this iteration, and when the run began to count its fades. */
  readonly seen: number;
  readonly start: number;
}

export interface IterationReport {
  /** Images shown, over all ranks. */
  readonly images: number;
  /** By phase: the scalars that back-propagation started from. */
  readonly losses: Map<string, number[]>;
  /** By name: values before they are averaged. */
  readonly statistics: Map<string, number[]>;
  /** By phase: numbers in the gradients that were not finite. */
  readonly bad: Map<string, number>;
  /** Where the data is after this iteration. */
  readonly position: JsonObject;
}
