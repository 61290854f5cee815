/** The worker thread of `synthesise.ts`: makes parts of a set, one after another, as it is asked. */

import { parentPort, workerData } from 'node:worker_threads';
import sharp from 'sharp';
import { PortraitganError, UsageError } from '../../errors.ts';
import { readAssets } from './assets.ts';
import { createPainter, type Painter } from './painter.ts';
import { makePart, type PartOptions } from './part.ts';

/** What a worker is started with. */
export interface WorkerStart {
  readonly assets: string;
  readonly options: PartOptions;
}

/** What it answers. */
export type PartAnswer =
  | { readonly done: number }
  | { readonly failed: string; readonly kind: 'usage' | 'failure' | 'internal' };

/** What it is asked for, one at a time. */
export interface PartRequest {
  readonly begin: number;
  readonly end: number;
  readonly file: string;
}

if (parentPort === null) throw new Error('internal: this file runs as a worker thread');
const port = parentPort;
const { assets, options } = workerData as WorkerStart;

// Each worker keeps one core busy; more threads would only get into each other's way.
sharp.concurrency(1);
sharp.cache(false);

let painter: Promise<Painter> | undefined;

port.on('message', async ({ begin, end, file }: PartRequest) => {
  try {
    painter ??= createPainter(readAssets(assets), options.size);
    await makePart(await painter, options, begin, end, file);
    port.postMessage({ done: end - begin } satisfies PartAnswer);
  } catch (error) {
    // Errors lose their class on the way between threads.
    const known = error instanceof PortraitganError ? 'failure' : 'internal';
    const kind = error instanceof UsageError ? 'usage' : known;
    const failed = error instanceof Error ? error.message : String(error);
    port.postMessage({ failed, kind } satisfies PartAnswer);
  }
});
