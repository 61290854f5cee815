export { foldUp, layerEpilogue, skipUp } from './synthesis';
