/** Several processes that train one model: each has a share of every batch, and all take the same step. */

/** What ranks do together. Everyone calls the same methods in the same order. */
export interface Collective {
  /** 0 to size - 1; rank 0 writes files. */
  readonly rank: number;
  readonly size: number;
  /** Gives everyone rank 0's numbers, in place. */
  broadcast(values: Float32Array): Promise<void>;
  /** Adds up over the ranks, in place, to the same bits everywhere. */
  allReduce(values: Float32Array): Promise<void>;
}

/** One process, which has nobody to wait for. */
export const alone: Collective = {
  rank: 0,
  size: 1,
  broadcast: async () => undefined,
  allReduce: async () => undefined,
};
