import { SECOND, fullJitter, isAbort, sleep } from '@tagplane/runtime';
import { StoreUnavailableError } from './store.ts';
import type { Change, Store } from './store.ts';

/** A place in the change feed. */
export interface FeedPosition {
  readonly revision: number;
  readonly epoch: string;
}

/**
 * What a reader of the feed does with it. Batches come one at a time and in order. A handler that
 * rejects with StoreUnavailableError gets the same batch again later (or a reset, if the feed no longer
 * reaches back); any other error ends the following.
 */
export interface FeedFollower {
  /** The feed starts here: range over everything that matters; later changes follow. */
  reset(position: FeedPosition, signal: AbortSignal): Promise<void> | void;
  changes(changes: readonly Change[], signal: AbortSignal): Promise<void> | void;
  /** The store cannot be reached; it is tried again after `retryMs`. */
  unavailable?(error: StoreUnavailableError, retryMs: number): void;
}

/** A store that was away comes back to at most one watch per reader and 5 s, spread by full jitter. */
const RETRY = { baseMs: 100, maxMs: 5 * SECOND };
/** Not 0, however the jitter falls: a store that refuses at once must not be asked in a tight loop. */
const MIN_RETRY_MS = 20;

/** Follows the feed across outages of the store, until the signal aborts; then it returns. */
export async function followFeed(
  store: Pick<Store, 'watch'>,
  follower: FeedFollower,
  options: { readonly signal: AbortSignal; readonly random?: () => number },
): Promise<void> {
  const { signal } = options;
  let position: FeedPosition | undefined;
  let failures = 0;
  const moveTo = (next: FeedPosition): void => {
    position = next;
    failures = 0;
  };
  while (!signal.aborted) {
    try {
      await followOnce(store, follower, signal, position, moveTo);
      signal.throwIfAborted();
      throw new StoreUnavailableError('the watch ended by itself');
    } catch (error) {
      if (isAbort(error, signal)) return;
      if (!(error instanceof StoreUnavailableError)) throw error;
      const retryMs = Math.max(MIN_RETRY_MS, fullJitter(failures, RETRY, options.random));
      failures += 1;
      follower.unavailable?.(error, retryMs);
      if (!(await slept(retryMs, signal))) return;
    }
  }
}

async function followOnce(
  store: Pick<Store, 'watch'>,
  follower: FeedFollower,
  signal: AbortSignal,
  after: FeedPosition | undefined,
  moveTo: (position: FeedPosition) => void,
): Promise<void> {
  let epoch = after?.epoch ?? '';
  for await (const batch of store.watch(after === undefined ? { signal } : { signal, after })) {
    if (batch.type === 'reset') {
      await follower.reset(batch, signal);
      epoch = batch.epoch;
      moveTo({ revision: batch.revision, epoch });
      continue;
    }
    await follower.changes(batch.changes, signal);
    const last = batch.changes.at(-1);
    if (last !== undefined) moveTo({ revision: last.revision, epoch });
  }
}

/** Whether the time passed without an abort. */
async function slept(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, signal);
    return true;
  } catch (error) {
    if (isAbort(error, signal)) return false;
    throw error;
  }
}
