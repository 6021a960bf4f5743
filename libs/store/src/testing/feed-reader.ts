import type { Change, FeedBatch, Store } from '../store.ts';
import { eventually } from './harness.ts';

export interface FeedPosition {
  readonly revision: number;
  readonly epoch: string;
}

/** Reads a feed in the background and keeps all that it said. */
export interface FeedReader extends AsyncDisposable {
  readonly batches: readonly FeedBatch[];
  /** All changes so far. */
  readonly changes: readonly Change[];
  /** Where the reader is; undefined before the first batch. */
  readonly position: FeedPosition | undefined;
  /** Waits until the feed has said enough. */
  until(enough: (reader: FeedReader) => boolean, what: string): Promise<void>;
}

/** Starts to read, and waits until the watch has begun when it starts without a position. */
export async function readFeed(store: Store, after?: FeedPosition): Promise<FeedReader> {
  const stop = new AbortController();
  const batches: FeedBatch[] = [];
  const changes: Change[] = [];
  let position = after;
  let failure: unknown;
  const read = async (): Promise<void> => {
    const options = { signal: stop.signal, ...(after !== undefined && { after }) };
    for await (const batch of store.watch(options)) {
      batches.push(batch);
      if (batch.type === 'changes') changes.push(...batch.changes);
      const epoch = batch.type === 'reset' ? batch.epoch : (position?.epoch ?? '');
      const revision = batch.type === 'reset' ? batch.revision : batch.changes.at(-1)?.revision;
      position = { epoch, revision: revision ?? Number.NaN };
    }
  };
  const reading = read().catch((error: unknown) => {
    failure = error;
  });
  const reader: FeedReader = {
    batches,
    changes,
    get position() {
      return position;
    },
    async until(enough, what) {
      await eventually(() => failure !== undefined || enough(reader), what);
      if (failure !== undefined) throw failure as Error;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await reading;
      if (failure !== undefined) throw failure as Error;
    },
  };
  if (after === undefined) await reader.until(() => batches.length > 0, 'the feed begins');
  return reader;
}
