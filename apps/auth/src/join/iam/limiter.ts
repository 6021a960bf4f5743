/** Runs so many tasks at once; the others wait in line. */
export interface Limiter {
  /** Rejects with the signal's reason when it aborts before the turn. */
  run<Result>(task: () => Promise<Result>, signal: AbortSignal): Promise<Result>;
}

/** Who may wait is bounded by whoever calls: each exchange makes one request. */
export function createLimiter(limit: number): Limiter {
  let running = 0;
  const waiting = new Set<() => void>();
  const turn = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const onAbort = (): void => {
        waiting.delete(start);
        reject(signal.reason as Error);
      };
      const start = (): void => {
        signal.removeEventListener('abort', onAbort);
        waiting.delete(start);
        resolve();
      };
      waiting.add(start);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  return {
    async run(task, signal) {
      signal.throwIfAborted();
      // A place that is given up goes straight to the first in line.
      if (running >= limit) await turn(signal);
      else running += 1;
      try {
        return await task();
      } finally {
        const [next] = waiting;
        if (next === undefined) running -= 1;
        else next();
      }
    },
  };
}
