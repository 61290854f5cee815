export { clearSamples } from './resolve';
export { placeTangents, placeVertices } from './vertices';
export { drawPart } from './draw';
export { castShadow, clearShadow } from './shadow';
export { shadeBlended, shadeOpaque } from './queue';
export { buildLevels } from './texture';
export { heapStart } from './memory';
export { composeTexture } from './compose';
export { finishOcclusion, gatherVertices, look, spreadPoints } from './occlusion';
