/**
 * Makes a set of synthetic portraits with several workers: parts first, then one dataset out of them.
 *
 * Finished parts stay in `OUT.parts` until the set is complete, so that an interrupted run goes on where it was.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { PortraitganError, UsageError } from '../../errors.ts';
import { workerUrl } from '../../worker-url.ts';
import { assemble, outputsOf } from './assemble.ts';
import { readAssets } from './assets.ts';
import type { PartOptions } from './part.ts';
import { partBounds } from './set.ts';
import type { PartAnswer, PartRequest, WorkerStart } from './worker.ts';

export interface SynthesisRequest extends PartOptions {
  /** `NAME.zip`, or a folder. */
  readonly out: string;
  /** Folder of the assets. */
  readonly assets: string;
  readonly workers: number;
  /** Goes on with an interrupted run. */
  readonly resume: boolean;
  /** Told of the folder of unfinished parts, before it is written to. */
  readonly onFolder?: (folder: string) => void;
  /** Stops the workers; finished parts stay. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

export interface SynthesisReport {
  /** Pictures made now, and found from an earlier run. */
  readonly made: number;
  readonly found: number;
  /** Datasets written, the training set first. */
  readonly datasets: readonly { readonly path: string; readonly pictures: number }[];
}

const PLAN = 'plan.json';

/** The folder of unfinished work of an output. */
export function partsFolder(out: string): string {
  return `${out.replace(/[/\\]+$/, '')}.parts`;
}

/** Makes the set.
 *
 * @throws UsageError when the output or unfinished work is in the way, or assets are missing; whatever a worker meets.
 */
export async function synthesise(request: SynthesisRequest): Promise<SynthesisReport> {
  // Here as well, so that what is missing is said before anything starts.
  readAssets(request.assets);
  for (const path of outputsOf(request)) {
    if (existsSync(path))
      throw new UsageError(`"${path}" is there already; remove it or choose another --out`);
  }
  const folder = partsFolder(request.out);
  openFolder(folder, request);
  request.onFolder?.(folder);
  const bounds = partBounds(request);
  const parts = bounds.slice(0, -1).map((begin, i): PartRequest => {
    const file = join(folder, `part-${String(i).padStart(6, '0')}.zip`);
    return { begin, end: bounds[i + 1], file };
  });
  const missing = parts.filter(({ file }) => !existsSync(file));
  const total = request.count;
  const found = total - missing.reduce((sum, { begin, end }) => sum + end - begin, 0);
  let done = found;
  await makeAll(missing, request, (pictures) => {
    done += pictures;
    request.onProgress?.({ done, total });
  });
  const datasets = await assemble(
    parts.map(({ file }) => file),
    request,
  );
  rmSync(folder, { recursive: true, force: true });
  return { made: total - found, found, datasets };
}

/** Everything that the pictures depend on. */
function planOf(request: SynthesisRequest): Record<string, unknown> {
  const { seed, count, size, views, cameras, poses, heldOut, cameraLight, format, depth } = request;
  return { seed, count, size, views, cameras, poses, heldOut, cameraLight, format, depth };
}

function openFolder(folder: string, request: SynthesisRequest): void {
  const plan = planOf(request);
  const file = join(folder, PLAN);
  if (!existsSync(file)) {
    if (existsSync(folder) && readdirSync(folder).length > 0)
      throw new UsageError(`the folder "${folder}" is needed for unfinished parts, but holds something else`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, `${JSON.stringify(plan)}\n`);
    return;
  }
  if (!request.resume)
    throw new UsageError(`"${folder}" holds an unfinished run: go on with --resume, or remove that folder`);
  const before = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const differing = Object.keys(plan).filter((name) => before[name] !== plan[name]);
  if (differing.length > 0) {
    const what = differing.map((name) => `${name} was ${before[name]}, not ${plan[name]}`).join('; ');
    throw new UsageError(`cannot resume "${folder}" with other settings: ${what}`);
  }
}

const ERRORS = { usage: UsageError, failure: PortraitganError, internal: Error };

async function makeAll(
  parts: readonly PartRequest[],
  { assets, workers, signal, onProgress: _progress, onFolder: _folder, ...options }: SynthesisRequest,
  onPart: (pictures: number) => void,
): Promise<void> {
  signal?.throwIfAborted();
  const waiting = [...parts];
  const start: WorkerStart = { assets, options };
  const crew = Array.from({ length: Math.min(workers, parts.length) }, () => {
    return new Worker(workerUrl('dataset/synthetic/worker'), { workerData: start });
  });
  const work = (worker: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      const next = (): void => {
        const part = waiting.shift();
        if (part === undefined) resolve();
        else worker.postMessage(part);
      };
      worker.on('message', (answer: PartAnswer) => {
        if ('failed' in answer) {
          reject(new ERRORS[answer.kind](answer.failed));
          return;
        }
        try {
          onPart(answer.done);
          next();
        } catch (error) {
          reject(error);
        }
      });
      worker.on('error', reject);
      signal?.addEventListener('abort', () => reject(signal.reason));
      next();
    });
  try {
    await Promise.all(crew.map(work));
  } finally {
    await Promise.all(crew.map((worker) => worker.terminate()));
  }
}
