import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks again and again until there is an answer.
 *
 * @param probe undefined or false for "not yet"; an error it throws is "not yet" too
 * @throws Error that says what was waited for and why it was not so, after the deadline; the signal's
 *   reason when it aborts
 */
export async function waitFor<Value>(
  what: string,
  probe: () => Promise<Value | undefined | false> | Value | undefined | false,
  options: { readonly timeoutMs?: number; readonly everyMs?: number; readonly signal?: AbortSignal } = {},
): Promise<Value> {
  const { timeoutMs = 30_000, everyMs = 25, signal } = options;
  const end = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      throw new Error(
        `${what}: not within ${timeoutMs} ms${last instanceof Error ? `: ${last.message}` : ''}`,
        {
          cause: last,
        },
      );
    }
    await delay(everyMs);
  }
}
