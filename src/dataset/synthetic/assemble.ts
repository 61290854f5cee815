/**
 * Puts finished parts together: a training set, a held-out set, and what else is known about each picture.
 *
 * Everything is written into a folder beside the parts first. A mark says that it is complete; only then is it moved
 * to its place, file by file, so that an interruption at any point can be gone on from.
 */

import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UsageError } from '../../errors.ts';
import { writeAside } from '../../weights/safe-write.ts';
import { datasetPaths, isZipPath } from '../paths.ts';
import { createDatasetWriter, type DatasetWriter } from '../writer.ts';
import { createZip, type ZipWriter } from '../zip-write.ts';
import { readPart } from './part.ts';

interface OutputOptions {
  /** `NAME.zip`, or a folder. */
  readonly out: string;
  readonly heldOut: number;
  readonly depth: boolean;
}

/** Everything that one dataset consists of. */
interface Output {
  readonly path: string;
  /** Beside the zip of pictures; a folder holds its own. */
  readonly masks: string | undefined;
  /** One line of JSON a picture, and one an identity. */
  readonly pictures: string;
  readonly identities: string;
  readonly depth: string | undefined;
}

function outputAt(path: string, depth: boolean): Output {
  const stem = isZipPath(path) ? path.slice(0, -4) : path.replace(/[/\\]+$/, '');
  return {
    path,
    masks: isZipPath(path) ? datasetPaths(path).masks : undefined,
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
  return outputs(options).flatMap(({ path, masks, pictures, identities, depth }) =>
    [masks, pictures, identities, depth, path].filter((file) => file !== undefined),
  );
}

const READY = 'ready';
const COMPLETE = 'complete.json';

/** Datasets written, the training set first. */
export type Written = readonly { readonly path: string; readonly pictures: number }[];

/** What was written before, if everything is and only has to be moved. */
export function assembledIn(folder: string): Written | undefined {
  const mark = join(folder, COMPLETE);
  return existsSync(mark) ? (JSON.parse(readFileSync(mark, 'utf8')) as Written) : undefined;
}

/** Writes the datasets into `folder`, and the mark when they are complete. */
export async function assemble(
  parts: readonly string[],
  folder: string,
  options: OutputOptions,
  onPart: (done: number) => void,
): Promise<Written> {
  const ready = join(folder, READY);
  rmSync(ready, { recursive: true, force: true });
  await mkdir(ready);
  const sets: OpenSet[] = [];
  const inside = join(ready, basename(options.out));
  try {
    for (const output of outputs({ ...options, out: inside })) sets.push(await openSet(output));
    const of = (heldOut: boolean): OpenSet => sets[heldOut ? 1 : 0];
    for (const [i, file] of parts.entries()) {
      await readPart(
        file,
        (record) => of(record.heldOut).identities.line(record),
        async ({ record, image, mask, depth }) => {
          const set = of(record.heldOut);
          const { name, label, identity, keypoints } = record;
          await set.dataset.add({ name, image, mask, label });
          await set.pictures.line({ name, identity, keypoints });
          if (depth !== undefined) await set.depth?.add(name.replace(/\.\w+$/, '.png'), () => [depth]);
          set.count++;
        },
      );
      onPart(i + 1);
    }
    for (const set of sets) await set.finish();
  } catch (error) {
    for (const set of sets) await set.abandon();
    throw error;
  }
  const written = outputs(options).map(({ path }, i) => ({ path, pictures: sets[i].count }));
  writeAside(join(folder, COMPLETE), (write) => write(Buffer.from(JSON.stringify(written))));
  return written;
}

/** Moves what is complete to its place; what an interrupted move left is moved as well.
 *
 * @throws UsageError when something else has taken the place since.
 */
export function place(folder: string, options: OutputOptions): void {
  for (const target of outputsOf(options)) {
    const file = join(folder, READY, basename(target));
    if (!existsSync(file)) continue;
    if (existsSync(target))
      throw new UsageError(`"${target}" is there already; remove it and go on with --resume`);
    renameSync(file, join(dirname(options.out), basename(target)));
  }
}

interface OpenSet {
  readonly dataset: DatasetWriter;
  readonly pictures: Lines;
  readonly identities: Lines;
  readonly depth: ZipWriter | undefined;
  count: number;
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

async function openSet(output: Output): Promise<OpenSet> {
  const dataset = await createDatasetWriter(output.path);
  const pictures = await openLines(output.pictures);
  const identities = await openLines(output.identities);
  const depth = output.depth === undefined ? undefined : await createZip(output.depth);
  return {
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
      await depth?.close().catch(() => {});
      await pictures.close().catch(() => {});
      await identities.close().catch(() => {});
      await dataset.abandon();
    },
  };
}

interface Lines {
  line(value: unknown): Promise<void>;
  finish(): Promise<void>;
  close(): Promise<void>;
}

async function openLines(path: string): Promise<Lines> {
  const file: FileHandle = await open(path, 'w');
  return {
    line: (value) => file.writeFile(`${JSON.stringify(value)}\n`),
    async finish() {
      await file.sync();
      await file.close();
    },
    close: () => file.close(),
  };
}
