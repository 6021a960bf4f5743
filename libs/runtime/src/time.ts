export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/**
 * Waits. Every loop sleeps through this one function over the global timers, so that virtual time can
 * drive it.
 *
 * @param ms milliseconds
 * @throws the signal's reason, at once when it aborts
 */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * A signal that aborts with the given one, or with a DeadlineError after `ms` milliseconds. Dispose of
 * it when the work is done: `using limit = deadline(signal, 10 * SECOND)`.
 */
export function deadline(signal: AbortSignal, ms: number): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const onAbort = (): void => {
    controller.abort(signal.reason);
  };
  const timer = setTimeout(() => {
    controller.abort(new DeadlineError(`not done within ${ms} ms`));
  }, ms);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}

/** Spreads a duration evenly over ± the given share of it. */
export function jittered(ms: number, share: number, random: () => number = Math.random): number {
  return ms * (1 - share + 2 * share * random());
}

/**
 * Full jitter: evenly between 0 and the exponential ceiling, so that clients which failed together do
 * not come back together (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 *
 * @param attempt 0 for the first retry
 * @returns milliseconds
 */
export function fullJitter(
  attempt: number,
  bounds: { readonly baseMs: number; readonly maxMs: number },
  random: () => number = Math.random,
): number {
  return random() * Math.min(bounds.maxMs, bounds.baseMs * 2 ** Math.min(attempt, 30));
}
