export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** A timer set for longer than this many milliseconds (24.8 days) fires at once (Node, "setTimeout"). */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Runs something once after `ms` milliseconds, however many; the returned function calls it off. */
function startTimer(ms: number, run: () => void): () => void {
  if (Number.isNaN(ms)) throw new RangeError('not a number of milliseconds');
  let timer: NodeJS.Timeout;
  const arm = (rest: number): void => {
    timer = setTimeout(
      () => {
        if (rest > LONGEST_TIMER) arm(rest - LONGEST_TIMER);
        else run();
      },
      Math.min(rest, LONGEST_TIMER),
    );
  };
  arm(ms);
  return () => {
    clearTimeout(timer);
  };
}

/**
 * Waits. Every loop sleeps through this one function over the global timers, so that virtual time can
 * drive it.
 *
 * @param ms milliseconds; zero or less waits for the next turn of the timers
 * @throws the signal's reason, at once when it aborts
 */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      callOff();
      reject(signal.reason as Error);
    };
    const callOff = startTimer(ms, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
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
  if (signal.aborted) {
    controller.abort(signal.reason);
    return { signal: controller.signal, [Symbol.dispose]: () => undefined };
  }
  const release = (): void => {
    callOff();
    signal.removeEventListener('abort', onAbort);
  };
  const onAbort = (): void => {
    release();
    controller.abort(signal.reason);
  };
  const callOff = startTimer(ms, () => {
    release();
    controller.abort(new DeadlineError(`not done within ${ms} ms`));
  });
  signal.addEventListener('abort', onAbort, { once: true });
  return { signal: controller.signal, [Symbol.dispose]: release };
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
