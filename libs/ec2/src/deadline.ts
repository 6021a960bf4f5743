/** A bound on the time that something takes, not counting pauses. */
export interface Deadline {
  /** Aborts when `start` was not followed by `stop` in time. */
  readonly signal: AbortSignal;
  /** Begins to count anew. */
  reset(): void;
  start(): void;
  stop(): void;
  [Symbol.dispose](): void;
}

export function createDeadline(ms: number): Deadline {
  const controller = new AbortController();
  let left = ms;
  let startedAt = 0;
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    left -= performance.now() - startedAt;
  };
  const start = (): void => {
    stop();
    startedAt = performance.now();
    timer = setTimeout(
      () => {
        controller.abort();
      },
      Math.max(0, left),
    );
  };
  return {
    signal: controller.signal,
    reset: () => {
      stop();
      left = ms;
    },
    start,
    stop,
    [Symbol.dispose]: stop,
  };
}
