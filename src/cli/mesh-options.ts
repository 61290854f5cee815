/** The options of `mesh`: parsed once, checked against each other. */

import { UsageError } from '../errors.ts';
import type { BodyFlags, PoseFlags } from './body-options.ts';
import type { EngineOptions } from './engine.ts';
import { type GenerateOptions, generateOptions } from './generate-options.ts';
import { refuseTogether } from './parse.ts';

/** Files that a mesh can be written as; `mrc` is the sampled density instead. */
export const MESH_FORMATS = ['glb', 'ply', 'obj', 'mrc'] as const;
export type MeshFormat = (typeof MESH_FORMATS)[number];

/** What commander collects. */
export interface MeshFlags extends EngineOptions, PoseFlags, BodyFlags {
  readonly network?: string;
  readonly seeds?: readonly number[];
  readonly latents?: string;
  readonly trunc?: number;
  readonly truncCutoff?: number;
  readonly fovLegacy?: number;
  readonly resolution: number;
  readonly level: number;
  readonly grid: 'exact' | 'compatible';
  readonly cube?: number;
  readonly dense?: boolean;
  readonly keep?: 'all' | 'largest';
  readonly simplify?: number;
  readonly formats?: readonly MeshFormat[];
  /** False after `--no-colour`. */
  readonly colour: boolean;
  /** False after `--no-picture`. */
  readonly picture: boolean;
  readonly outdir: string;
  readonly json?: boolean;
}

/** The options that remain as they are, and those that became something else. */
export interface MeshOptions extends Omit<MeshFlags, 'keep' | 'formats' | 'dense'> {
  readonly whom: GenerateOptions;
  readonly keep: 'all' | 'largest';
  readonly formats: readonly MeshFormat[];
  /** Samples from one coarse sample to the next; 1 samples everything. */
  readonly stride: number;
}

/** Samples from one coarse sample to the next: about the same length at each resolution. Small grids cost little in full. */
function strideOf(resolution: number): number {
  if (resolution <= 64) return 1;
  return resolution < 192 ? 2 : 4;
}

/** Checks the options against each other.
 *
 * @throws UsageError naming the options that contradict each other.
 */
export function meshOptions(flags: MeshFlags): MeshOptions {
  const { keep, formats, dense = false, ...rest } = flags;
  const compatible = rest.grid === 'compatible';
  const written = formats ?? [compatible ? 'ply' : 'glb'];
  for (const format of written) {
    if (compatible && format !== 'ply' && format !== 'mrc')
      throw new UsageError(`--grid compatible writes ply and mrc, as the original does, not ${format}`);
  }
  if (compatible && rest.cube !== undefined)
    throw new UsageError(
      '--grid compatible and --cube contradict each other: the original samples .8 of the box',
    );
  const posed = rest.neck !== undefined || rest.head !== undefined;
  refuseTogether(
    { '--grid compatible': compatible, '--neck/--head': posed },
    'the original writes the canonical surface',
  );
  if (posed && written.every((format) => format === 'mrc'))
    throw new UsageError(
      '--neck and --head have no effect on mrc, the canonical density; write glb, ply or obj',
    );
  return {
    ...rest,
    whom: whomOf(flags),
    keep: keep ?? (compatible ? 'all' : 'largest'),
    formats: written,
    stride: dense || written.includes('mrc') ? 1 : strideOf(rest.resolution),
    colour: rest.colour && !compatible,
  };
}

/** Whom to show, with the checks that `generate` makes. */
function whomOf({
  seeds,
  latents,
  trunc,
  truncCutoff,
  fovLegacy,
  neck,
  head,
  body,
  engine,
  outdir,
}: MeshFlags): GenerateOptions {
  return generateOptions({
    maps: ['image'],
    noise: 'const',
    engine,
    outdir,
    ...(seeds === undefined ? {} : { seeds }),
    ...(latents === undefined ? {} : { latents }),
    ...(trunc === undefined ? {} : { trunc: [trunc] }),
    ...(truncCutoff === undefined ? {} : { truncCutoff }),
    ...(fovLegacy === undefined ? {} : { fovLegacy }),
    ...(neck === undefined ? {} : { neck }),
    ...(head === undefined ? {} : { head }),
    ...(body === undefined ? {} : { body }),
  });
}
