/** Where the pictures and the masks of a dataset are, by the path a user names. */

/** A dataset's two archives. */
export interface DatasetPaths {
  /** A zip, or a folder, of pictures; with `dataset.json`, which may also lie beside the folder. */
  readonly images: string;
  /** A zip, or a folder, of masks. */
  readonly masks: string;
}

/** Whether a path names a zip. */
export function isZipPath(path: string): boolean {
  return /\.zip$/i.test(path);
}

/** The rule: `NAME.zip` and `NAME-masks.zip`, or a folder with `images` and `masks`. */
export function datasetPaths(path: string): DatasetPaths {
  if (isZipPath(path)) return { images: path, masks: `${path.slice(0, -4)}-masks.zip` };
  const folder = path.replace(/[/\\]+$/, '') || path;
  return { images: `${folder}/images`, masks: `${folder}/masks` };
}
