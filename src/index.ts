/**
 * `portraitgan`: from a checkpoint to portraits.
 *
 * Open a checkpoint, put its generator on an engine (`portraitgan/engines/cpu` and others), map a latent to
 * styles, make planes and background, and render views. The other entries go deeper: `portraitgan/portrait`,
 * `portraitgan/weights`, `portraitgan/tensor`.
 */

export * from './browser.ts';
export { openCheckpoint } from './weights/open-checkpoint.ts';
