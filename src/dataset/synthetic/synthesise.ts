/**
 * Makes a set of synthetic portraits with several workers: parts first, then datasets out of them.
 *
 * Everything stays in `OUT.parts` until the set is complete, so that an interrupted run goes on where it was.
 */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { DatasetError, PortraitganError, UsageError } from '../../errors.ts';
import { workerUrl } from '../../worker-url.ts';
import { assemble, assembledIn, outputsOf, place, type Written } from './assemble.ts';
import { readAssets } from './assets.ts';
import { isWholePart, type PartOptions } from './part.ts';
import { heldOutBefore, partBounds } from './shots.ts';
import { closeUnfinished, openUnfinished, partsFolder } from './unfinished.ts';
import type { PartAnswer, PartRequest, WorkerStart } from './worker.ts';

export interface SynthesisProgress {
  readonly step: 'painting' | 'writing';
  /** Pictures, and of how many. */
  readonly done: number;
  readonly total: number;
}

export interface SynthesisRequest extends PartOptions {
  /** `NAME.zip`, or a folder; its own folder must exist. */
  readonly out: string;
  /** Folder of the assets. */
  readonly assets: string;
  readonly workers: number;
  /** Goes on with an interrupted run. */
  readonly resume: boolean;
  /** Stops the workers; finished parts stay. */
  readonly signal?: AbortSignal;
  /** Told of the folder of unfinished parts once it is there. */
  readonly onFolder?: (folder: string) => void;
  readonly onProgress?: (progress: SynthesisProgress) => void;
}

export interface SynthesisReport {
  /** Pictures made now, and found from an earlier run. */
  readonly made: number;
  readonly found: number;
  /** Datasets written, the training set first. */
  readonly datasets: Written;
}

/** Makes the set.
 *
 * @throws UsageError when the output or unfinished work is in the way, or assets are missing; whatever a worker meets.
 */
export async function synthesise(request: SynthesisRequest): Promise<SynthesisReport> {
  // Here as well, so that what is missing is said before anything starts.
  readAssets(request.assets);
  refuseNobody(request);
  const folder = partsFolder(request.out);
  if (assembledIn(folder) === undefined) {
    for (const path of outputsOf(request)) {
      if (existsSync(path))
        throw new UsageError(`"${path}" is there already; remove it or choose another --out`);
    }
  }
  openUnfinished(folder, planOf(request), request.resume);
  try {
    request.onFolder?.(folder);
    const report = await complete(folder, request);
    place(folder, request);
    rmSync(folder, { recursive: true, force: true });
    return report;
  } finally {
    closeUnfinished(folder);
  }
}

async function complete(folder: string, request: SynthesisRequest): Promise<SynthesisReport> {
  const { count: total, onProgress } = request;
  const before = assembledIn(folder);
  if (before !== undefined) return { made: 0, found: total, datasets: before };
  const bounds = partBounds(total);
  const parts = bounds.slice(0, -1).map((begin, i): PartRequest => {
    const file = join(folder, `part-${String(i).padStart(6, '0')}.zip`);
    return { begin, end: bounds[i + 1], file };
  });
  const missing: PartRequest[] = [];
  for (const part of parts) {
    if (existsSync(part.file) && (await isWholePart(part.file))) continue;
    missing.push(part);
  }
  const found = total - missing.reduce((sum, { begin, end }) => sum + end - begin, 0);
  let done = found;
  await makeAll(missing, request, (pictures) => {
    done += pictures;
    onProgress?.({ step: 'painting', done, total });
  });
  const files = parts.map(({ file }) => file);
  const datasets = await assemble(files, folder, request, (read) =>
    onProgress?.({ step: 'writing', done: bounds[read], total }),
  );
  return { made: total - found, found, datasets };
}

/** A dataset of nobody could not be read. */
function refuseNobody({ count, views, heldOut }: SynthesisRequest): void {
  if (heldOut === 0) return;
  const people = Math.ceil(count / views);
  const apart = heldOutBefore(people, heldOut);
  if (apart === 0)
    throw new UsageError(
      `--held-out ${heldOut} of ${people} people is nobody: make at least ${Math.ceil(1 / heldOut) * views} pictures, or hold out more`,
    );
  if (apart === people) throw new UsageError(`--held-out ${heldOut} of ${people} people is everybody`);
}

/** Everything that the pictures depend on. */
function planOf(request: SynthesisRequest): Record<string, unknown> {
  const { seed, count, size, views, cameras, poses, heldOut, cameraLight, backdrops, format, depth } =
    request;
  const root = new URL('../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(root, 'utf8')) as { version: string };
  const manifest = createHash('sha256').update(readFileSync(join(request.assets, 'manifest.json')));
  const assets = manifest.digest('hex').slice(0, 16);
  const set = { seed, count, size, views, cameras, poses, heldOut, cameraLight, backdrops };
  return { ...set, format, depth, assets, version };
}

const ERRORS = { usage: UsageError, dataset: DatasetError, failure: PortraitganError, internal: Error };

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
  const aborted = new AbortController();
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
      signal?.addEventListener('abort', () => reject(signal.reason), { signal: aborted.signal });
      next();
    });
  try {
    await Promise.all(crew.map(work));
  } finally {
    aborted.abort();
    await Promise.all(crew.map((worker) => worker.terminate()));
  }
}
