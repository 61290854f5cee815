/**
 * Safe readers and writers of model files: checkpoints, safetensors, npy and npz, pickles, body models.
 *
 * Foreign bytes run nothing here: whatever is wrong with a file becomes a typed error (`FormatError` with the
 * byte offset, `NetworkError`). This entry is for Node; the readers without paths (`checkpoint.ts`,
 * `pickle.ts`, `safetensors.ts`, `npy.ts`, `random-state.ts`) work in pages too.
 */

export { BODY_FIELDS, readBodyFile } from './body-file.ts';
export { type Checkpoint, NETWORK_NAMES, type NetworkName, readCheckpoint } from './checkpoint.ts';
export {
  type ConvertOptions,
  type ConvertProgress,
  type ConvertReport,
  convertCheckpoint,
} from './convert.ts';
export {
  type ElementArray,
  type ElementNdArray,
  type ElementType,
  toFloat32,
  toNdArray,
} from './elements.ts';
export { type FileSource, openFileSource } from './file-source.ts';
export { describeFile, type FileDescription } from './inspect.ts';
export { type LazyTensor, materialize } from './lazy-tensor.ts';
export type { Network, NetworkTensor } from './network.ts';
export { encodeNpy, type NpyArray, type NpyType, openNpy, readNpy } from './npy.ts';
export { type NpzOptions, readNpz, writeNpz } from './npz.ts';
export { type OpenCheckpoint, openCheckpoint } from './open-checkpoint.ts';
export { type PickleOptions, type PickleResult, readPickle } from './pickle.ts';
export type * from './pickle-types.ts';
export type { Json, JsonObject, Scalar } from './plain.ts';
export {
  type NetworkOptions,
  networkOptions,
  PORTRAIT_FORMAT,
  PORTRAIT_VERSION,
  type PortraitOptions,
} from './portrait-safetensors.ts';
export { type RandomState, randomState } from './random-state.ts';
export { readSafetensors, type Safetensors } from './safetensors.ts';
export { type TensorDescriptor, writeSafetensors } from './safetensors-write.ts';
export { type FileKind, sniff } from './sniff.ts';
export { type ByteSource, bytesSource } from './source.ts';
export { type BadTensor, findBadValues } from './values.ts';
export { readZip, type ZipLimits, type ZipMember } from './zip-read.ts';
