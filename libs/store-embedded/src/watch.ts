import type { FeedBatch } from '@tagplane/store';
import type { Engine } from './engine.ts';
import { changesAfter, feedEnd } from './feed.ts';
import type { Position } from './feed.ts';
import type { Notifier } from './notifier.ts';

/** Writers of other processes are noticed by looking; one look reads two rows, some 10 µs. */
const POLL_MS = 200;
/** Changes in one batch. */
const BATCH = 1_000;

/** Follows the feed until the signal aborts, or throws StoreUnavailableError when the store is closed. */
export async function* watchFeed(
  engine: Engine,
  { signal, after }: { readonly signal: AbortSignal; readonly after: Position | undefined },
): AsyncGenerator<FeedBatch, void> {
  using alarm = createAlarm(engine.notifier, [signal, engine.closed]);
  let position = after;
  while (!signal.aborted) {
    alarm.reset();
    const batch = await next(engine, signal, position);
    if (batch === undefined) {
      await alarm.rung();
    } else {
      position = endOf(batch, position);
      yield batch;
    }
  }
}

async function next(
  engine: Engine,
  signal: AbortSignal,
  after: Position | undefined,
): Promise<FeedBatch | undefined> {
  try {
    return await engine.run(signal, () => {
      const changes = after && changesAfter(engine.tables, after, BATCH);
      if (changes === undefined) return { type: 'reset', ...feedEnd(engine.tables) };
      return changes.length > 0 ? { type: 'changes', changes } : undefined;
    });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

function endOf(batch: FeedBatch, before: Position | undefined): Position {
  if (batch.type === 'reset') return batch;
  return { epoch: before?.epoch ?? '', revision: batch.changes.at(-1)?.revision ?? 0 };
}

interface Alarm extends Disposable {
  reset(): void;
  /** Resolves when something was written, or an end came, since the reset; at the latest when to look. */
  rung(): Promise<void>;
}

function createAlarm(notifier: Notifier, ends: readonly AbortSignal[]): Alarm {
  let ring = Promise.withResolvers<undefined>();
  const wake = (): void => {
    ring.resolve(undefined);
  };
  const subscription = notifier.subscribe(wake);
  for (const end of ends) end.addEventListener('abort', wake);
  return {
    reset() {
      ring = Promise.withResolvers();
    },
    async rung() {
      const timer = notifier.shared ? setTimeout(wake, POLL_MS) : undefined;
      await ring.promise;
      clearTimeout(timer);
    },
    [Symbol.dispose]() {
      subscription[Symbol.dispose]();
      for (const end of ends) end.removeEventListener('abort', wake);
    },
  };
}
