/**
 * How long presets are trained and in what portions, where nobody says: sizes of a run go with the size of a network.
 *
 * The published networks have the published numbers. The small ones are for a computer without a GPU, where a run is a
 * night: their stages keep the published proportions of 6 : 10 : 4.
 */

import type { PresetName } from '../portrait/presets.ts';

export interface PresetSchedule {
  /** A tenth of the longest stage, in thousands of images. */
  readonly unitKimg: number;
  readonly batch: number;
}

/** Units of the stages. */
const STAGE_UNITS = { 1: 6, 2: 10, 3: 4 } as const;

const PUBLISHED: PresetSchedule = { unitKimg: 1000, batch: 32 };
const SMALL: PresetSchedule = { unitKimg: 20, batch: 8 };

/** By preset. */
export const PRESET_SCHEDULES: Readonly<Record<PresetName, PresetSchedule>> = {
  '512-128': PUBLISHED,
  '512-64': PUBLISHED,
  '256-128': PUBLISHED,
  '256-64': PUBLISHED,
  '256-64s': { unitKimg: 50, batch: 16 },
  '128-64': SMALL,
  '128-64s': SMALL,
  '128-32': SMALL,
  '64-32': SMALL,
  tiny: { unitKimg: 4, batch: 8 },
};

/** Thousands of images of a stage. */
export function stageKimg(preset: PresetName, stage: 1 | 2 | 3): number {
  return PRESET_SCHEDULES[preset].unitKimg * STAGE_UNITS[stage];
}
