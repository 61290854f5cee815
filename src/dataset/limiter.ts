/** Several pieces of work at a time, and never more. */

/** Runs at most `limit` pieces of work at a time, in the order they came. */
export function limiter(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}

/** Works through numbers below `count`, `limit` at a time, and gives the results in order.
 *
 * An error comes at its turn, after the results before it.
 */
export async function* inOrder<T>(
  count: number,
  limit: number,
  work: (index: number) => Promise<T>,
): AsyncGenerator<T> {
  const running: Promise<T>[] = [];
  let started = 0;
  try {
    for (let done = 0; done < count; done++) {
      while (started < count && running.length < limit) {
        const result = work(started++);
        result.catch(() => {});
        running.push(result);
      }
      yield await (running.shift() as Promise<T>);
    }
  } finally {
    await Promise.allSettled(running);
  }
}
