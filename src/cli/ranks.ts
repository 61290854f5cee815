/** Several threads that train one model, each with an engine and a share of every batch: the first one's side. */

import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { DatasetError, EngineError, UsageError } from '../errors.ts';
import { type SharedRanks, sharedRanks, threadCollective } from '../ranks/thread-collective.ts';
import { sizeOf } from '../tensor/index.ts';
import { alone, type Collective } from '../training/collective.ts';
import type { RunConfig } from '../training/config.ts';
import type { RunNetworks } from '../training/run-networks.ts';
import type { TrainingState } from '../training/state.ts';
import { workerUrl } from '../worker-url.ts';
import type { EngineOptions } from './engine.ts';

/** How long ranks may take to end. */
const PATIENCE_MS = 10_000;

/** What a rank is started with. */
export interface RankStart {
  readonly rank: number;
  readonly shared: SharedRanks;
  readonly config: RunConfig;
  readonly engine: EngineOptions;
  readonly state: TrainingState;
}

export interface Ranks {
  readonly collective: Collective;
  /** Tells the others to do an iteration, or that there are no more. */
  goOn(more: boolean): Promise<void>;
  /** The work of this rank; fails when another one does. */
  withOthers<T>(work: Promise<T>): Promise<T>;
  end(): Promise<void>;
}

/** The engine of each of so many ranks: together they use the threads that were asked for, or all cores. */
export function engineOfRank({ engine, threads, half }: EngineOptions, ranks: number): EngineOptions {
  const options = half === undefined ? { engine } : { engine, half };
  if (ranks === 1) return threads === undefined ? options : { ...options, threads };
  return { ...options, threads: Math.max(1, Math.floor((threads ?? availableParallelism()) / ranks)) };
}

/** Starts all ranks but this one. */
export function startRanks(
  size: number,
  start: Omit<RankStart, 'rank' | 'shared'>,
  { generator, discriminator }: RunNetworks,
): Ranks {
  if (size === 1)
    return {
      collective: alone,
      goOn: async () => undefined,
      withOthers: (work) => work,
      end: async () => undefined,
    };
  const counts = [generator, discriminator].map(({ shapes, trainable }) =>
    trainable.reduce((sum, name) => sum + sizeOf(shapes.get(name)!.shape), 0),
  );
  const shared = sharedRanks(size, Math.max(...counts));
  const workers = Array.from({ length: size - 1 }, (_, i) => {
    const workerData: RankStart = { ...start, rank: i + 1, shared };
    return new Worker(workerUrl('cli/rank'), { workerData, execArgv: [] });
  });
  let ended = false;
  const collective = threadCollective(0, shared);
  const failure = new Promise<never>((_, reject) => {
    workers.forEach((worker, i) => {
      worker.on('error', (error) => reject(failureOf(i + 1, error)));
      worker.on('exit', (code) => {
        if (!ended) reject(new EngineError(`rank ${i + 1} ended with code ${code}`));
      });
    });
  });
  failure.catch(() => undefined);
  return {
    collective,
    goOn: (more) => {
      ended ||= !more;
      return collective.broadcast(Float32Array.of(more ? 1 : 0));
    },
    withOthers: (work) => Promise.race([work, failure]),
    end: async () => {
      // Those that were told that it is over end by themselves, which is gentler on native code.
      const left = ended ? workers.map((worker) => once(worker, 'exit')) : [];
      await Promise.race([
        Promise.all(left),
        new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref()),
      ]);
      ended = true;
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** Errors come from another thread as plain ones: their names say which they were. */
function failureOf(rank: number, { name, message }: Error): Error {
  const text = `rank ${rank} failed: ${message}`;
  if (name === 'UsageError') return new UsageError(text);
  return name === 'DatasetError' ? new DatasetError(text) : new EngineError(text);
}
