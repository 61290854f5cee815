/**
 * `portraitgan/dataset`: training data in the published layout, read, written and checked. Node only.
 *
 * A dataset is two archives: pictures with `dataset.json`, and masks. `openDataset` and `createLoader` feed
 * training; `createDatasetWriter` and `packDataset` make datasets; `validateDataset` lists what is wrong.
 */

export { type Dataset, type DatasetItem, type DatasetOptions, openDataset } from './dataset.ts';
export {
  CAMERA_NUMBERS,
  LABEL_NUMBERS,
  type LabelTable,
  mirrorLabel,
  POSE_NUMBERS,
  parseLabels,
} from './labels.ts';
export { type Batch, createLoader, type Loader, type LoaderOptions, type LoaderPosition } from './loader.ts';
export { itemOrder, type Order, type OrderKind } from './order.ts';
export { type PackOptions, type PackReport, packDataset } from './pack.ts';
export { type DatasetPaths, datasetPaths } from './paths.ts';
export { eulerAngles, isRearView, type RearOrder, rearOrder } from './rear.ts';
export {
  type DatasetStatistics,
  datasetStatistics,
  POSE_NAMES,
  type Spread,
  spreadOf,
  type ViewAngles,
  viewAngles,
} from './statistics.ts';
export type { Problem } from './survey.ts';
export { TRANSFORMS, type Transform } from './transform.ts';
export { type ValidateOptions, type ValidateReport, validateDataset } from './validate.ts';
export { createDatasetWriter, type DatasetEntry, type DatasetWriter } from './writer.ts';
