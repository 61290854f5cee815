/**
 * Safe readers and writers of model files: checkpoints, safetensors, npy and npz, pickles, body models.
 *
 * Foreign bytes run nothing here: whatever is wrong with a file becomes a typed error (`FormatError` with the
 * byte offset, `NetworkError`). This entry is for Node; the readers without paths (`checkpoint.ts`,
 * `pickle.ts`, `safetensors.ts`, `npy.ts`, `random-state.ts`) work in pages too.
 */

export { BODY_FIELDS, readBodyFile } from './body-file.ts';
export * from './browser.ts';
export {
  type ConvertOptions,
  type ConvertProgress,
  type ConvertReport,
  convertCheckpoint,
} from './convert.ts';
export { type FileSource, openFileSource } from './file-source.ts';
export { describeFile, type FileDescription } from './inspect.ts';
export { type NpzOptions, readNpz, writeNpz } from './npz.ts';
export { type OpenCheckpoint, openCheckpoint } from './open-checkpoint.ts';
export {
  type NetworkOptions,
  networkOptions,
  PORTRAIT_FORMAT,
  PORTRAIT_VERSION,
  type PortraitOptions,
} from './portrait-safetensors.ts';
export { type TensorDescriptor, writeSafetensors } from './safetensors-write.ts';
export { type BadTensor, findBadValues } from './values.ts';
export { readZip, type ZipLimits, type ZipMember } from './zip-read.ts';
