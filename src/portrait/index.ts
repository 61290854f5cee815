/**
 * `portraitgan/portrait`: the generator and the discriminator as programs, their cameras, configurations and
 * initial weights. Browser-safe: files and engines come from elsewhere.
 */

export * from './camera.ts';
export {
  type GeneratorConfig,
  generatorConfig,
  type Json,
  type JsonObject,
  type NetworkRecord,
} from './config.ts';
export type { DecoderActivation } from './decoder.ts';
export {
  backgroundGraph,
  fieldGraph,
  type GeneratorNetwork,
  mappingGraph,
  picturesGraph,
  planesGraph,
  poseGraph,
  renderGraph,
} from './generator.ts';
export { initialise, type Normals } from './initialise.ts';
export type { ParameterShapes } from './parameters.ts';
export { type PresetCost, presetCost } from './preset-cost.ts';
export {
  discriminatorPlan,
  discriminatorRecord,
  generatorPlan,
  generatorRecord,
  type NetworkPlan,
  PRESET_NAMES,
  PRESETS,
  type Preset,
  type PresetName,
  presetOf,
  type Start,
  type TensorPlan,
} from './presets.ts';
export type { RenderingOptions } from './renderer.ts';
export * from './session.ts';
export { interpolateStyles, mixStyles } from './styles.ts';
export type { SuperresolutionModule } from './superresolution.ts';
export type { NoiseMode } from './synthesis.ts';
