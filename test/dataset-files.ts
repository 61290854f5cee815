/** Small datasets made for tests: pictures that differ, cameras round the head, masks with holes. */

import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { labelsJson } from '../src/dataset/labels.ts';
import type { DatasetEntry } from '../src/dataset/writer.ts';
import { createZip } from '../src/dataset/zip-write.ts';
import { cameraLabel, viewCamera } from '../src/portrait/camera.ts';

/** A new folder for one test. */
export function freshFolder(): string {
  return mkdtempSync(join(tmpdir(), 'portraitgan-dataset-'));
}

/** Files of an archive by name; bytes or text. */
export type Files = Map<string, Uint8Array | string>;

/** A picture whose pixels depend on `seed` and on their place. */
export function encodedPicture(seed: number, width: number, height = width): Promise<Buffer> {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (seed * 31 + i * 7) % 256);
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** A mask whose left part, `seed + 1` columns, shows a person. */
export function encodedMask(seed: number, width: number, height = width): Promise<Buffer> {
  const data = Uint8Array.from({ length: width * height }, (_, i) => (i % width <= seed ? 255 : 0));
  return sharp(data, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}

/** 31 numbers of a camera at a yaw, with a pose that differs by `seed`. */
export function labelAt(yawDegrees: number, seed = 0): number[] {
  const pose = Array.from({ length: 6 }, (_, i) => Math.fround(0.01 * (seed + 1) * (i - 2.5)));
  // JSON has no -0.
  return [...cameraLabel(viewCamera(yawDegrees, 5)), ...pose].map((x) => x + 0);
}

/** Entries with these yaws; their names are in order. */
export function sampleEntries(yaws: readonly number[], side: number): Promise<DatasetEntry[]> {
  return Promise.all(
    yaws.map(async (yaw, i) => ({
      name: `00000/img${String(i).padStart(8, '0')}.png`,
      image: await encodedPicture(i, side),
      mask: await encodedMask(i, side),
      label: labelAt(yaw, i),
    })),
  );
}

/** The two archives of entries, to be damaged before they are written. */
export function filesOf(entries: readonly DatasetEntry[]): {
  images: Files;
  masks: Files;
  labels: [string, number[]][];
} {
  return {
    images: new Map(entries.map(({ name, image }) => [name, image])),
    masks: new Map(entries.map(({ name, mask }) => [name, mask])),
    labels: entries.map(({ name, label }) => [name, Array.from(label)]),
  };
}

/** The text of a dataset.json. */
export function jsonOf(labels: readonly [string, number[]][]): string {
  return [...labelsJson(labels)].join('');
}

/** Writes a zip. */
export async function writeZip(path: string, files: Files): Promise<void> {
  const zip = await createZip(path);
  for (const [name, bytes] of files) {
    await zip.add(name, () => [typeof bytes === 'string' ? Buffer.from(bytes) : bytes]);
  }
  await zip.finish();
}

/** Writes a folder. */
export function writeFolder(path: string, files: Files): void {
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), bytes);
  }
}
