/** Puts finished parts together: a training set, a held-out set, and what else is known about each picture. */

import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { isZipPath } from '../paths.ts';
import { createDatasetWriter, type DatasetWriter } from '../writer.ts';
import { createZip, type ZipWriter } from '../zip-write.ts';
import { readPart } from './part.ts';

export interface OutputOptions {
  /** `NAME.zip`, or a folder. */
  readonly out: string;
  readonly heldOut: number;
  readonly depth: boolean;
}

/** The files of one dataset beside its own two archives. */
interface Output {
  readonly path: string;
  /** One line of JSON a picture, and one an identity. */
  readonly pictures: string;
  readonly identities: string;
  readonly depth: string | undefined;
}

function outputAt(path: string, depth: boolean): Output {
  const stem = isZipPath(path) ? path.slice(0, -4) : path.replace(/[/\\]+$/, '');
  return {
    path,
    pictures: `${stem}-pictures.jsonl`,
    identities: `${stem}-identities.jsonl`,
    depth: depth ? `${stem}-depth.zip` : undefined,
  };
}

function outputs({ out, heldOut, depth }: OutputOptions): Output[] {
  const apart = isZipPath(out)
    ? `${out.slice(0, -4)}-held-out.zip`
    : `${out.replace(/[/\\]+$/, '')}-held-out`;
  return [out, ...(heldOut > 0 ? [apart] : [])].map((path) => outputAt(path, depth));
}

/** Everything that will be written. */
export function outputsOf(options: OutputOptions): string[] {
  return outputs(options).flatMap(({ path, pictures, identities, depth }) =>
    [path, pictures, identities, depth].filter((file) => file !== undefined),
  );
}

/** Writes the datasets, each aside first. Returns what was written. */
export async function assemble(
  parts: readonly string[],
  options: OutputOptions,
): Promise<{ path: string; pictures: number }[]> {
  const sets: OpenSet[] = [];
  try {
    for (const output of outputs(options)) sets.push(await openSet(output));
    const of = (heldOut: boolean): OpenSet => sets[heldOut ? 1 : 0];
    for (const file of parts) {
      await readPart(
        file,
        (record) => of(record.heldOut).identities.line(record),
        async ({ record, image, mask, depth }) => {
          const set = of(record.heldOut);
          const { name, label, identity, keypoints } = record;
          await set.dataset.add({ name, image, mask, label });
          await set.pictures.line({ name, identity, keypoints });
          if (depth !== undefined) await set.depth?.zip.add(name.replace(/\.\w+$/, '.png'), () => [depth]);
          set.count++;
        },
      );
    }
    for (const set of sets) await set.finish();
    return sets.map(({ path, count }) => ({ path, pictures: count }));
  } catch (error) {
    for (const set of sets) await set.abandon();
    throw error;
  }
}

interface OpenSet {
  readonly path: string;
  readonly dataset: DatasetWriter;
  readonly pictures: Lines;
  readonly identities: Lines;
  readonly depth: { readonly zip: ZipWriter } | undefined;
  count: number;
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

async function openSet(output: Output): Promise<OpenSet> {
  const dataset = await createDatasetWriter(output.path);
  const pictures = await openLines(output.pictures);
  const identities = await openLines(output.identities);
  const depth = output.depth === undefined ? undefined : await openDepth(output.depth);
  return {
    path: output.path,
    dataset,
    pictures,
    identities,
    depth,
    count: 0,
    async finish() {
      await depth?.finish();
      await pictures.finish();
      await identities.finish();
      await dataset.finish();
    },
    async abandon() {
      await depth?.abandon();
      await pictures.abandon();
      await identities.abandon();
      await dataset.abandon();
    },
  };
}

interface Lines {
  line(value: unknown): Promise<void>;
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

async function openLines(path: string): Promise<Lines> {
  const aside = `${path}.tmp-${process.pid}`;
  const file: FileHandle = await open(aside, 'w');
  return {
    line: (value) => file.writeFile(`${JSON.stringify(value)}\n`),
    async finish() {
      await file.sync();
      await file.close();
      await rename(aside, path);
    },
    async abandon() {
      await file.close().catch(() => {});
      await rm(aside, { force: true });
    },
  };
}

async function openDepth(path: string) {
  const aside = `${path}.tmp-${process.pid}`;
  const zip = await createZip(aside);
  return {
    zip,
    async finish() {
      await zip.finish();
      await rename(aside, path);
    },
    async abandon() {
      await zip.close().catch(() => {});
      await rm(aside, { force: true });
    },
  };
}
