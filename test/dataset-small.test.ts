/** The small set that comes with the repository. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openDataset } from '../src/dataset/dataset.ts';
import { createLoader } from '../src/dataset/loader.ts';
import { datasetPaths } from '../src/dataset/paths.ts';
import { validateDataset } from '../src/dataset/validate.ts';

const folder = fileURLToPath(new URL('../data', import.meta.url));
const path = join(folder, 'small.zip');

test('64 good portraits of 128 px with masks and labels, in at most 1.2 MB', async () => {
  const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  expect(bytes).toBeLessThan(1.2e6);
  const { problems, remarks } = await validateDataset(datasetPaths(path));
  expect([problems, remarks]).toEqual([[], []]);
  const dataset = await openDataset(path, { mirror: true, resolution: 128 });
  expect([dataset.count, dataset.rawCount]).toEqual([128, 64]);
  const loader = createLoader(dataset, { batch: 8 });
  const { images, masks, labels, poses } = await loader.next();
  expect([images, masks, labels, poses].map(({ length }) => length)).toEqual([
    8 * 3 * 128 * 128,
    8 * 128 * 128,
    8 * 25,
    8 * 6,
  ]);
  await loader.close();
  await dataset.close();
});

test('says who is in each picture', () => {
  const lines = (name: string): Record<string, unknown>[] =>
    readFileSync(join(folder, name), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  const [people, pictures] = [lines('small-identities.jsonl'), lines('small-pictures.jsonl')];
  expect([people.length, pictures.length]).toEqual([32, 64]);
  for (const { latent } of people) expect(latent).toHaveLength(128);
  for (const { identity } of pictures)
    expect(people.some((person) => person.identity === identity)).toBe(true);
});
