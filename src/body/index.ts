/**
 * `portraitgan/body`: the body model, its poses, and how points are carried from the posed to the rest body.
 * Browser-safe.
 */

export { blockOf } from './combine.ts';
export { readCompactBody, writeCompactBody } from './compact.ts';
export { type Deformed, deform, faceMaps } from './deform.ts';
export { faceMask, facesInBox } from './faces.ts';
export {
  type BodyBuffer,
  type BodyField,
  bodyFromBuffers,
  bodyFromFields,
  type FieldOptions,
  hasBodyBuffers,
} from './fields.ts';
export { type MeshOptions, meshBlock, meshBlockWords } from './mesh-block.ts';
export { type BodyModel, type BodyParts, makeBody, SMPL_HEAD, SMPL_NECK, SMPL_PARENTS } from './model.ts';
export { type NearestFaces, nearestFacesPlain, TIE } from './nearest.ts';
export { carryByMaps, carryPoints, findFaces } from './operations.ts';
export { posedVertices, rotationMatrices } from './posed.ts';
export { deformPoints, nearestFaces } from './search.ts';
export { type FullPose, poseBody, rodrigues, type SkinnedBody, skinBody } from './skinning.ts';
