/**
 * `portraitgan`: from a checkpoint to portraits.
 *
 * Open a checkpoint, put its generator on an engine (`portraitgan/engines/cpu` and others), map a latent to
 * styles, make planes and background, and render views. The other entries go deeper: `portraitgan/portrait`,
 * `portraitgan/weights`, `portraitgan/tensor`.
 */

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
export { openCheckpoint } from './weights/open-checkpoint.ts';
export { randomState } from './weights/random-state.ts';
