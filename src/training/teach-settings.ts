/** The table of the settings of teaching by synthetic renders. */

import { COMMON_SETTINGS } from './common-settings.ts';
import type { TeachConfig } from './config.ts';
import type { Settings } from './settings.ts';
import { TAUGHT_WEIGHTS } from './taught-options.ts';

export const TEACH_SETTINGS: Settings<TeachConfig> = {
  command: { kind: 'word', words: ['teach'], group: 'run', fixed: true, about: 'what kind of run it is' },
  ...COMMON_SETTINGS,
  people: { kind: 'whole', min: 1, max: 1024, group: 'run', fixed: true, about: 'people a step' },
  views: { kind: 'whole', min: 1, max: 1024, group: 'run', fixed: true, about: 'pictures of each' },
  across: {
    ...{ kind: 'whole', min: 4, max: 512, group: 'run', fixed: true },
    about: 'rays of the side of a whole picture: few at first, then as many as the raw picture has',
  },
  rays: {
    ...{ kind: 'whole', min: 4, max: 512, group: 'run', fixed: true },
    about: 'side of the window of rays that is looked at; as many as across: all of them',
  },
  pixelsPerRay: {
    ...{ kind: 'whole', min: 1, max: 16, group: 'run', fixed: true },
    about: 'pixels for each ray, along a side: what super-resolution adds',
  },
  planes: {
    ...{ kind: 'whole', min: 4, max: 1024, group: 'run', fixed: true },
    about: 'side of the planes: the network’s, or less to leave its last blocks out',
  },
  raySamples: {
    ...{ kind: 'whole', min: 2, max: 512, group: 'run', fixed: true },
    about: 'samples along a ray while teaching',
  },
  rayImportanceSamples: {
    ...{ kind: 'whole', min: 0, max: 512, group: 'run', fixed: true },
    about: 'samples more, where there is something',
  },
  posed: {
    ...{ kind: 'switch', group: 'run', fixed: true },
    about: 'whether rays follow the labelled poses; a set of --poses none is faster without',
  },
  lr: { kind: 'number', min: 0, max: 1, group: 'optimiser', about: 'learning rate' },
  lrEnd: { kind: 'number', min: 0, max: 1, group: 'optimiser', about: 'where it ends' },
  decayStart: {
    ...{ kind: 'number', min: 0, max: 1, group: 'optimiser' },
    about: 'share of the run after which it falls',
  },
  weights: {
    ...{ kind: 'numbers', names: Object.keys(TAUGHT_WEIGHTS), group: 'losses' },
    about: 'of the parts of the loss',
  },
};
