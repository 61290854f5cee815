/**
 * Batches without waiting: items are read and decoded ahead, several at a time, while the last batch is used.
 *
 * What comes in which order depends on the seed alone, never on which picture was decoded first.
 */

import { DatasetError, UsageError } from '../errors.ts';
import type { Dataset, DatasetItem } from './dataset.ts';
import { CAMERA_NUMBERS, POSE_NUMBERS } from './labels.ts';
import { limiter } from './limiter.ts';
import { itemOrder, ORDERS, type OrderKind } from './order.ts';

/** Where a loader is: what a training run saves to go on with exactly the batches that would have come. */
export interface LoaderPosition {
  readonly order: OrderKind;
  readonly seed: number;
  /** Items of the dataset, to notice another one. */
  readonly count: number;
  /** Indices used up, those of skipped items included. */
  readonly drawn: number;
}

/** Settings of {@link createLoader}. */
export interface LoaderOptions {
  readonly batch: number;
  readonly seed?: number;
  readonly order?: OrderKind;
  /** Goes on where another loader was; its seed and order are taken from there. */
  readonly position?: LoaderPosition;
  /** Batches that are decoded ahead, 2 by default. */
  readonly ahead?: number;
  /** Items decoded at the same time, 8 by default. */
  readonly concurrency?: number;
  /** An item that cannot be decoded: an error, by default, or the next one of the order is taken. */
  readonly onBad?: 'refuse' | 'skip';
  /** Hears of each skipped item. */
  readonly onSkip?: (name: string, error: DatasetError) => void;
}

/** Items stacked in the order they were drawn. */
export interface Batch {
  /** [batch, channels, side, side], 0 to 255. */
  readonly images: Uint8Array;
  /** [batch, 1, side, side]. */
  readonly masks: Uint8Array;
  /** [batch, 25]. */
  readonly labels: Float32Array;
  /** [batch, 6]. */
  readonly poses: Float32Array;
  /** [batch] indices of the items. */
  readonly indices: Int32Array;
}

/** An endless sequence of batches. */
export interface Loader {
  /** The next batch; one call at a time. @throws DatasetError when an item is bad. */
  next(): Promise<Batch>;
  /** The place after the last batch that `next` gave, however far ahead the loader has read. */
  position(): LoaderPosition;
  /** Stops reading and waits for what is being read. The dataset stays open. */
  close(): Promise<void>;
}

type Outcome = { readonly item: DatasetItem } | { readonly error: unknown };

interface Slot {
  readonly index: number;
  /** Never rejects: an error waits until its turn. */
  readonly outcome: Promise<Outcome>;
}

/** Starts reading. */
export function createLoader(dataset: Dataset, options: LoaderOptions): Loader {
  const { batch, ahead = 2, concurrency = 8, position, onBad = 'refuse', onSkip } = options;
  for (const [name, value] of Object.entries({ batch, ahead, concurrency })) {
    if (!Number.isInteger(value) || value < 1)
      throw new UsageError(`${name} is ${value}; it must be a whole number, at least 1`);
  }
  if (position !== undefined && !ORDERS.includes(position.order))
    throw new UsageError(`the position has an order "${position.order}" that does not exist`);
  if (position !== undefined && position.count !== dataset.count) {
    throw new UsageError(
      `the position belongs to a dataset of ${position.count} items; this one has ${dataset.count}`,
    );
  }
  const start: LoaderPosition = position ?? {
    order: options.order ?? 'shuffled',
    seed: options.seed ?? 0,
    count: dataset.count,
    drawn: 0,
  };
  const order = itemOrder(start.order, start.count, start.seed, start.drawn);
  const gate = limiter(concurrency);
  const queue: Slot[] = [];
  let [drawn, closed, skippedInRow] = [start.drawn, false, 0];

  function fill(): void {
    while (!closed && queue.length < (ahead + 1) * batch) {
      const index = order.next();
      const outcome = gate(async (): Promise<Outcome> => {
        if (closed) return { error: new UsageError('the loader is closed') };
        try {
          return { item: await dataset.item(index) };
        } catch (error) {
          return { error };
        }
      });
      queue.push({ index, outcome });
    }
  }

  /** The next good item of the order. */
  async function take(): Promise<{ index: number; item: DatasetItem }> {
    for (;;) {
      fill();
      const slot = queue.shift();
      if (slot === undefined) throw new UsageError('the loader is closed');
      drawn++;
      const outcome = await slot.outcome;
      if ('item' in outcome) {
        skippedInRow = 0;
        return { index: slot.index, item: outcome.item };
      }
      if (onBad === 'refuse' || !(outcome.error instanceof DatasetError)) throw outcome.error;
      onSkip?.(dataset.labels(slot.index).name, outcome.error);
      if (++skippedInRow >= 2 * dataset.count)
        throw new DatasetError(`none of the pictures can be decoded; the last one: ${outcome.error.message}`);
    }
  }

  let settled = start.drawn;
  fill();
  return {
    async next() {
      const out = emptyBatch(dataset, batch);
      for (let i = 0; i < batch; i++) {
        const { index, item } = await take();
        out.images.set(item.image, i * item.image.length);
        out.masks.set(item.mask, i * item.mask.length);
        out.labels.set(item.label, i * CAMERA_NUMBERS);
        out.poses.set(item.pose, i * POSE_NUMBERS);
        out.indices[i] = index;
      }
      fill();
      settled = drawn;
      return out;
    },
    position: () => ({ ...start, drawn: settled }),
    async close() {
      closed = true;
      await Promise.all(queue.splice(0).map(({ outcome }) => outcome));
    },
  };
}

function emptyBatch({ channels, resolution }: Dataset, batch: number): Batch {
  const plane = resolution * resolution;
  return {
    images: new Uint8Array(batch * channels * plane),
    masks: new Uint8Array(batch * plane),
    labels: new Float32Array(batch * CAMERA_NUMBERS),
    poses: new Float32Array(batch * POSE_NUMBERS),
    indices: new Int32Array(batch),
  };
}
