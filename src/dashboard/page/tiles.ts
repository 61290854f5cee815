/** The figures over everything: how far, how fast, and how good at the last tick. */

import type { Tick } from '../messages.ts';
import { shortNumber } from './series.ts';

/** Words and values; what the tick does not say is left out. */
export function tilesOf({ statistics }: Tick): [string, string][] {
  const mean = (name: string): number | undefined => statistics[name]?.mean ?? undefined;
  const tiles: [string, number | undefined, (value: number) => string][] = [
    ['shown', mean('Progress/kimg'), (kimg) => `${Number(kimg.toFixed(3))} kimg`],
    ['speed', mean('Timing/sec_per_kimg'), (seconds) => `${shortNumber(1000 / seconds)}/s`],
    ['trained for', mean('Timing/total_sec'), duration],
    ['loss of G', mean('Loss/G/loss'), shortNumber],
    ['loss of D', mean('Loss/D/loss'), shortNumber],
    ['loss, taught', mean('Taught/loss'), shortNumber],
    ['pose error', poseError(mean), (degrees) => `${shortNumber(degrees)}°`],
    ['memory', mean('Resources/cpu_mem_gb'), (gigabytes) => `${shortNumber(gigabytes)} GB`],
  ];
  return tiles.flatMap(([word, value, show]) => (value === undefined ? [] : [[word, show(value)]]));
}

/** The mean over the six numbers, on portraits. */
function poseError(mean: (name: string) => number | undefined): number | undefined {
  const errors = Array.from({ length: 6 }, (_, k) => mean(`Loss_pose/real_${k}`));
  if (errors.some((error) => error === undefined)) return undefined;
  return errors.reduce<number>((sum, error) => sum + (error as number), 0) / 6;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
