/** `portraitgan presets`: the named configurations with what each costs. */

import { Command } from 'commander';
import { type PresetCost, presetCost } from '../portrait/preset-cost.ts';
import { PRESET_NAMES } from '../portrait/presets.ts';
import { say, sayJson, showBytes } from './output.ts';
import { startCount } from './progress.ts';

const NOTES = `
GMAC: multiply-adds (10^9) of one picture in convolutions, matrix products and grid look-ups, FIR filters left
out. Memory: weights, and the largest arrays that one step of the generator reads and writes, for one picture.

Example:
  portraitgan generate --network preset:64-32     initial weights: colours, not people`;

/** The command. */
export function presetsCommand(): Command {
  return new Command('presets')
    .description('list the named configurations: parameters, GMAC and memory')
    .option('--json', 'prints everything as JSON')
    .addHelpText('after', NOTES)
    .action(({ json }: { json?: boolean }) => {
      const progress = startCount('presets');
      const costs = PRESET_NAMES.map((name, i) => {
        progress.at({ done: i, total: PRESET_NAMES.length });
        return presetCost(name);
      });
      progress.end();
      if (json) sayJson(costs);
      else for (const line of tableOf(costs)) say(line);
    });
}

function tableOf(costs: readonly PresetCost[]): string[] {
  const millions = (count: number): string => `${(count / 1e6).toFixed(2)} M`;
  const giga = (count: number): string => (count / 1e9).toFixed(count < 1e10 ? 2 : 1);
  const rows = costs.map((cost) => [
    cost.name,
    `${cost.resolution}`,
    `${cost.neuralResolution}`,
    cost.superresolution,
    millions(cost.generatorParameters),
    millions(cost.discriminatorParameters),
    giga(cost.macs.total),
    showBytes(cost.weightBytes),
    showBytes(cost.stepBytes),
  ]);
  const head = ['preset', 'image', 'raw', 'module', 'G', 'D', 'GMAC', 'weights', 'step'];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  return [head, ...rows].map((row) =>
    row.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join('  '),
  );
}
