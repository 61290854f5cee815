/** `portraitgan` in a page: checkpoints are read from bytes (`readCheckpoint(bytesSource(bytes))`). */

export * from './errors.ts';
export { initialNetworks, loadNetwork } from './load.ts';
export {
  type Camera,
  cameraLabel,
  cameraOfLabel,
  focalOfFov,
  intrinsics,
  viewCamera,
} from './portrait/camera.ts';
export { PRESET_NAMES, PRESETS, type Preset, type PresetName } from './portrait/presets.ts';
export * from './portrait/session.ts';
export { interpolateStyles, mixStyles } from './portrait/styles.ts';
export { type NdArray, ndarray } from './tensor/types.ts';
export { readCheckpoint } from './weights/checkpoint.ts';
export { randomState } from './weights/random-state.ts';
export { bytesSource } from './weights/source.ts';
