/** Whom `generate` shows: styles from seeds or from a file, truncated, mixed, interpolated. */

import { FormatError, UsageError } from '../errors.ts';
import type { PortraitGenerator } from '../portrait/session.ts';
import { interpolateStyles, mixStyles } from '../portrait/styles.ts';
import { type NdArray, ndarray } from '../tensor/index.ts';
import { type NpyArray, randomState, toFloat32, writeNpz } from '../weights/index.ts';
import type { GenerateOptions } from './generate-options.ts';
import { readArrays } from './input.ts';
import { conditionLabel } from './views.ts';

/** One set of styles. */
export interface Subject {
  /** Part of file names. */
  readonly name: string;
  /** Label of the row of a sheet; subjects that differ in `variant` only share it. */
  readonly label: string;
  /** What tells it from the others of its row; empty when nothing does. */
  readonly variant: string;
  /** Styles [1, numWs, wDim]. */
  readonly ws: NdArray;
  /** Latent [1, zDim]; undefined for styles without one. */
  readonly z?: NdArray | undefined;
  readonly seed?: number | undefined;
  readonly psi?: number | undefined;
}

type Origin = Pick<Subject, 'name' | 'label' | 'z' | 'seed'> & { readonly ws?: NdArray };

/** The latent of a seed: NumPy's `RandomState(seed).randn(1, zDim)` as float32. */
export function latentOfSeed(seed: number, zDim: number): NdArray {
  return ndarray([1, zDim], Float32Array.from(randomState(seed).randn(zDim)));
}

/** Makes all subjects of a command. */
export async function subjectsOf(generator: PortraitGenerator, options: GenerateOptions): Promise<Subject[]> {
  const { psis, mix, interpolate, truncCutoff } = options;
  const { zDim, numWs } = generator.config;
  if (mix !== undefined && mix.last >= numWs)
    throw new UsageError(`--mix-layers ends at ${mix.last}; this network has rows 0 to ${numWs - 1}`);
  const labels = { c: conditionLabel(options.fovLegacy), p: ndarray([1, 6], new Float32Array(6)) };
  const styles = (z: NdArray, psi: number): Promise<NdArray> =>
    generator.map(z, labels, { psi, cutoff: truncCutoff });
  const origins =
    options.latents === undefined
      ? options.seeds.map((seed) => originOfSeed(seed, zDim))
      : await originsOfFile(options.latents, generator, options);

  const subjects: Subject[] = [];
  for (const origin of origins) {
    for (const psi of origin.ws === undefined ? psis : [undefined]) {
      let ws = origin.ws ?? (await styles(origin.z!, psi!));
      const { name, label, z, seed } = origin;
      const sweep = psis.length > 1 && psi !== undefined;
      const suffix = mix === undefined ? '' : `_mix${String(mix.seed).padStart(4, '0')}`;
      if (mix !== undefined)
        ws = mixStyles(ws, await styles(latentOfSeed(mix.seed, zDim), psi!), mix.first, mix.last);
      subjects.push({
        name: `${name}${suffix}${sweep ? `_psi${psi}` : ''}`,
        label: mix === undefined ? label : `${label} + ${mix.seed}`,
        variant: sweep ? `psi ${psi}` : '',
        ws,
        z: mix === undefined ? z : undefined,
        seed,
        psi,
      });
    }
  }
  return interpolate === undefined ? subjects : interpolated(subjects, interpolate);
}

function originOfSeed(seed: number, zDim: number): Origin {
  return {
    name: `seed${String(seed).padStart(4, '0')}`,
    label: `seed ${seed}`,
    z: latentOfSeed(seed, zDim),
    seed,
  };
}

/** `count` frames between each two neighbours, on straight lines in w (after truncation). */
function interpolated(subjects: readonly Subject[], count: number): Subject[] {
  const frames: Omit<Subject, 'name'>[] = [];
  subjects.forEach((subject, i) => {
    frames.push({ ...subject });
    const next = subjects[i + 1];
    for (let k = 1; next !== undefined && k <= count; k++) {
      const t = k / (count + 1);
      const [from, to] = [subject, next].map(({ label }) => label.replace(/^\w+ /, ''));
      const label = `${from} > ${to}, ${Math.round(t * 100)}%`;
      frames.push({ label, variant: '', ws: interpolateStyles(subject.ws, next.ws, t), psi: subject.psi });
    }
  });
  return frames.map((frame, i) => ({ ...frame, name: `frame${String(i).padStart(4, '0')}` }));
}

async function originsOfFile(
  file: string,
  { config }: PortraitGenerator,
  options: GenerateOptions,
): Promise<Origin[]> {
  const arrays = await readArrays(file, '--latents');
  const [ws, z] = [arrays.get('ws'), arrays.get('z')];
  if (ws === undefined && z === undefined)
    throw new FormatError(
      `"${file}" holds neither "ws" nor "z", only: ${[...arrays.keys()].join(', ') || 'nothing'}`,
    );
  const rows = ws ?? z!;
  const shape = ws === undefined ? [config.zDim] : [config.numWs, config.wDim];
  const wanted = `[N, ${shape.join(', ')}]`;
  if (rows.shape.length !== shape.length + 1 || shape.some((extent, i) => rows.shape[i + 1] !== extent))
    throw new FormatError(
      `"${file}": ${ws ? 'ws' : 'z'} is [${rows.shape.join(', ')}]; this network takes ${wanted}`,
    );
  if (ws !== undefined && (options.psis.length > 1 || options.psis[0] !== 1))
    throw new UsageError(
      `--trunc acts on latents z, and "${file}" holds styles ws, which are taken as they are`,
    );
  const values = toFloat32(rows);
  const size = shape.reduce((a, b) => a * b, 1);
  const part = (i: number): NdArray => ndarray([1, ...shape], values.slice(i * size, (i + 1) * size));
  return Array.from({ length: rows.shape[0] }, (_, i) => ({
    name: `latent${String(i).padStart(4, '0')}`,
    label: `latent ${i}`,
    ...(ws === undefined ? { z: part(i) } : { ws: part(i), z: undefined }),
  }));
}

/** Writes `ws` [N, numWs, wDim], and `z` and `seeds` when every subject has them. */
export async function saveLatents(file: string, subjects: readonly Subject[]): Promise<void> {
  const arrays: Record<string, NpyArray> = { ws: stacked(subjects.map(({ ws }) => ws)) };
  const latents = subjects.flatMap(({ z }) => (z === undefined ? [] : [z]));
  if (latents.length === subjects.length) arrays.z = stacked(latents);
  const seeds = subjects.flatMap(({ seed }) => (seed === undefined ? [] : [seed]));
  if (seeds.length === subjects.length)
    arrays.seeds = { dtype: 'uint32', shape: [seeds.length], data: Uint32Array.from(seeds) };
  await writeNpz(file, arrays);
}

function stacked(parts: readonly NdArray[]): NpyArray {
  const shape = [parts.length, ...parts[0].shape.slice(1)];
  const size = parts[0].data.length;
  const data = new Float32Array(parts.length * size);
  parts.forEach((part, i) => {
    data.set(part.data, i * size);
  });
  return { dtype: 'float32', shape, data };
}
