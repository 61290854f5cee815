/** Batches of people with several pictures of each, decoded ahead; their order depends on the seed alone. */

import { UsageError } from '../errors.ts';
import { randomState } from '../weights/random-state.ts';
import { CAMERA_NUMBERS, POSE_NUMBERS } from './labels.ts';
import type { LoaderPosition } from './loader.ts';
import { itemOrder } from './order.ts';
import type { TaughtPicture, TaughtSet } from './taught.ts';

export interface TaughtLoaderOptions {
  /** People a batch, and pictures of each: at most as many as the set has. */
  readonly people: number;
  readonly views: number;
  readonly seed?: number;
  /** Goes on where another loader was; its seed is taken from there. `count` and `drawn` are of people. */
  readonly position?: LoaderPosition;
  /** Batches that are decoded ahead, 2 by default. */
  readonly ahead?: number;
}

/** I people with V pictures of each, those of one person after another: N = I * V. */
export interface TaughtBatch {
  /** [I, 128] */
  readonly latents: Float32Array;
  /** [N, 3, side, side] and [N, 1, side, side], 0 to 255 */
  readonly images: Uint8Array;
  readonly masks: Uint8Array;
  /** [N, 1, side, side] in units of .05 mm; undefined for a set without depths. */
  readonly depths: Uint16Array | undefined;
  /** [N, 25] and [N, 6] */
  readonly labels: Float32Array;
  readonly poses: Float32Array;
}

export interface TaughtLoader {
  /** The next batch; one call at a time. @throws DatasetError when a picture is bad. */
  next(): Promise<TaughtBatch>;
  /** The place after the last batch that `next` gave. */
  position(): LoaderPosition;
  /** Stops reading; the set stays open. */
  close(): Promise<void>;
}

/** Starts reading.
 *
 * @throws UsageError when the set has fewer pictures of a person than asked for, or the position is of another set.
 */
export function createTaughtLoader(set: TaughtSet, options: TaughtLoaderOptions): TaughtLoader {
  const { people, views, position, ahead = 2 } = options;
  if (views > set.views)
    throw new UsageError(`${views} views of each person are asked for; the set has ${set.views}`);
  const count = set.people.length;
  if (position !== undefined && position.count !== count)
    throw new UsageError(`the position belongs to a set of ${position.count} people; this one has ${count}`);
  const start: LoaderPosition = position ?? { order: 'shuffled', seed: options.seed ?? 0, count, drawn: 0 };
  const order = itemOrder('shuffled', count, start.seed, start.drawn);
  let [begun, settled, closed] = [start.drawn, start.drawn, false];
  const queue: Promise<TaughtBatch | Error>[] = [];
  let taken: Promise<unknown> = Promise.resolve();

  const begin = (): Promise<TaughtBatch | Error> => {
    const members = Array.from({ length: people }, () => ({ person: order.next(), at: begun++ }));
    const chosen = members.map(({ person, at }) => ({
      person: set.people[person],
      items: viewsOf(set.people[person].pictures, views, start.seed, at),
    }));
    // A failure waits until its turn.
    return Promise.all(chosen.flatMap(({ items }) => items.map((item) => set.picture(item)))).then(
      (pictures) =>
        stacked(
          chosen.map(({ person }) => person.latent),
          pictures,
        ),
      (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
    );
  };
  const fill = (): void => {
    while (!closed && queue.length <= ahead) queue.push(begin());
  };

  fill();
  return {
    async next() {
      fill();
      const first = queue.shift();
      taken = first ?? taken;
      const batch = await first;
      if (batch === undefined) throw new UsageError('the loader is closed');
      if (batch instanceof Error) throw batch;
      settled += people;
      fill();
      return batch;
    },
    position: () => ({ ...start, drawn: settled }),
    async close() {
      closed = true;
      await Promise.all([taken, ...queue.splice(0)]);
    },
  };
}

/** Some pictures of a person, by a draw that belongs to the place in the order. */
function viewsOf(pictures: readonly number[], views: number, seed: number, at: number): number[] {
  if (views === pictures.length) return [...pictures];
  const order = [...pictures];
  randomState((seed ^ Math.imul(at + 1, 0x9e3779b1)) >>> 0).shuffle(order);
  return order.slice(0, views);
}

function stacked(latents: readonly Float32Array[], pictures: readonly TaughtPicture[]): TaughtBatch {
  const [first] = pictures;
  const depth = first.depth;
  const batch = {
    latents: new Float32Array(latents.length * latents[0].length),
    images: new Uint8Array(pictures.length * first.image.length),
    masks: new Uint8Array(pictures.length * first.mask.length),
    depths: depth && new Uint16Array(pictures.length * depth.length),
    labels: new Float32Array(pictures.length * CAMERA_NUMBERS),
    poses: new Float32Array(pictures.length * POSE_NUMBERS),
  };
  latents.forEach((latent, i) => {
    batch.latents.set(latent, i * latent.length);
  });
  pictures.forEach((picture, n) => {
    batch.images.set(picture.image, n * picture.image.length);
    batch.masks.set(picture.mask, n * picture.mask.length);
    if (batch.depths && picture.depth) batch.depths.set(picture.depth, n * picture.depth.length);
    batch.labels.set(picture.label, n * CAMERA_NUMBERS);
    batch.poses.set(picture.pose, n * POSE_NUMBERS);
  });
  return batch;
}
