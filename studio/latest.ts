/** Work that is asked for more often than it can be done: one at a time, and after it only the latest wish. */

export interface Latest {
  /** Asks for the work. Wishes that come while it is done become one. */
  request(): void;
  /** Whether work is being done or waits. */
  isBusy(): boolean;
  /** Takes back a wish that is waiting; work that has begun ends. */
  cancel(): void;
}

/** @param work does it; what it throws goes to `fail`, and a wish that waits is dropped. */
export function latestOnly(work: () => Promise<void>, fail: (error: unknown) => void): Latest {
  let isWanted = false;
  let isRunning = false;
  const run = async (): Promise<void> => {
    isRunning = true;
    try {
      while (isWanted) {
        isWanted = false;
        const from = performance.now();
        await work();
        await pause(performance.now() - from);
      }
    } catch (error) {
      isWanted = false;
      fail(error);
    } finally {
      isRunning = false;
    }
  };
  return {
    request: () => {
      isWanted = true;
      if (!isRunning) void run();
    },
    isBusy: () => isRunning,
    cancel: () => {
      isWanted = false;
    },
  };
}

/** A screen shows no more frames than one in so many milliseconds. */
const SHORTEST_FRAME_MS = 12;

/** Lets the page draw and listen. Short work waits for the screen, and all work does while nobody looks. */
function pause(ms: number): Promise<unknown> {
  return ms < SHORTEST_FRAME_MS || document.hidden
    ? new Promise(requestAnimationFrame)
    : new Promise((resolve) => setTimeout(resolve));
}
