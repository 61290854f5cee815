/** The engine interface lives with the tensors: mathematics may run programs without knowing machines. */
export type * from '../tensor/engine.ts';
