export { foldUp, layerEpilogue, skipUp } from './synthesis';
export { packPlanes } from './render-planes';
export { decodePoints } from './render-points';
export { decodePointsGrad } from './render-points-grad';
export { renderRays } from './render';
export { renderRaysGrad, sumRenderGradients } from './render-grad';
export { deformPoints, nearestFaces } from './nearest';
export { biasAct, biasActGrad, layerEpilogueGrad } from './activation';
export { unfoldUp, upfirdn } from './fir';
export { adamStep, emaStep } from './optimiser';
export {
  arrangeWeight, biasActBlocked, biasActGradBlocked, fromBlocked, interleaveBlocked, splitBlocked, toBlocked, upfirdnBlocked,
} from './blocked';
export { cumsum, scatterAdd } from './indexing';
