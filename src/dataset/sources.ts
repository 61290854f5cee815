/** The archives that packing and checking start from, opened together and closed together. */

import { existsSync } from 'node:fs';
import { UsageError } from '../errors.ts';
import { type Archive, openArchive } from './archive.ts';
import { type DatasetPaths, datasetPaths } from './paths.ts';

/** Both archives of what a user names.
 *
 * @param images  an archive of pictures when `masks` is given, else a path by the rule of {@link datasetPaths}.
 */
export function sourcePaths(images: string, masks?: string): DatasetPaths {
  if (masks !== undefined) return { images, masks };
  const paths = datasetPaths(images);
  if (!existsSync(images)) throw new UsageError(`there is no file or folder "${images}"`);
  if (!existsSync(paths.masks))
    throw new UsageError(`there are no masks at "${paths.masks}"; name them with --masks`);
  return paths;
}

/** Calls `use` with both archives, which are closed after it. */
export async function withArchives<T>(
  paths: DatasetPaths,
  use: (images: Archive, masks: Archive) => Promise<T>,
): Promise<T> {
  const images = await openArchive(paths.images);
  try {
    const masks = await openArchive(paths.masks);
    try {
      return await use(images, masks);
    } finally {
      await masks.close();
    }
  } finally {
    await images.close();
  }
}
