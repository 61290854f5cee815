/** `portraitgan/weights` in a page: the readers that take bytes instead of paths. */

export { type Checkpoint, NETWORK_NAMES, type NetworkName, readCheckpoint } from './checkpoint.ts';
export {
  type ElementArray,
  type ElementNdArray,
  type ElementType,
  toFloat32,
  toNdArray,
} from './elements.ts';
export { type LazyTensor, materialize } from './lazy-tensor.ts';
export type { Network, NetworkTensor } from './network.ts';
export { encodeNpy, type NpyArray, type NpyType, openNpy, readNpy } from './npy.ts';
export { type PickleOptions, type PickleResult, readPickle } from './pickle.ts';
export type * from './pickle-types.ts';
export type { Json, JsonObject, Scalar } from './plain.ts';
export { type RandomState, randomState } from './random-state.ts';
export { readSafetensors, type Safetensors } from './safetensors.ts';
export { type FileKind, sniff } from './sniff.ts';
export { type ByteSource, bytesSource } from './source.ts';
