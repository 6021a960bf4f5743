import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { followFeed } from './follow.ts';
import type { FeedFollower } from './follow.ts';
import { StoreUnavailableError } from './store.ts';
import type { CallOptions, Change, FeedBatch } from './store.ts';

type Script = readonly (FeedBatch | Error | 'end')[];

/** A feed that plays one script for each watch, then waits for the abort. */
class ScriptedFeed {
  readonly watches: ({ revision: number; epoch: string } | undefined)[] = [];
  readonly #scripts: Script[];

  constructor(...scripts: Script[]) {
    this.#scripts = scripts;
  }

  async *watch(
    options: CallOptions & { readonly after?: { revision: number; epoch: string } },
  ): AsyncIterable<FeedBatch> {
    this.watches.push(options.after);
    for (const step of this.#scripts.shift() ?? []) {
      await Promise.resolve();
      if (step === 'end') return;
      if (step instanceof Error) throw step;
      yield step;
    }
    await new Promise<void>((resolve) => {
      options.signal.addEventListener('abort', () => {
        resolve();
      });
    });
  }
}

function put(...revisions: number[]): FeedBatch {
  const changes = revisions.map((revision): Change => ({ type: 'put', key: `k${revision}`, revision }));
  return { type: 'changes', changes };
}

const reset = (revision: number, epoch = 'e'): FeedBatch => ({ type: 'reset', revision, epoch });
const away = (): Error => new StoreUnavailableError('away');

class Recorder implements FeedFollower {
  readonly seen: string[] = [];
  readonly waits: number[] = [];
  readonly failures: Error[];

  constructor(...failures: Error[]) {
    this.failures = failures;
  }

  reset({ revision, epoch }: { revision: number; epoch: string }): void {
    this.#fail();
    this.seen.push(`reset ${epoch}${revision}`);
  }

  changes(changes: readonly Change[]): void {
    this.#fail();
    this.seen.push(changes.map((change) => change.key).join());
  }

  unavailable(_error: Error, retryMs: number): void {
    this.waits.push(retryMs);
  }

  #fail(): void {
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
  }
}

async function follow(feed: ScriptedFeed, follower: FeedFollower): Promise<void> {
  const stop = new AbortController();
  const following = followFeed(feed, follower, { signal: stop.signal, random: () => 1 });
  await jest.advanceTimersByTimeAsync(60_000);
  stop.abort(new Error('enough'));
  await following;
}

describe('followFeed', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('hands batches over in order and ends quietly on the abort', async () => {
    const feed = new ScriptedFeed([reset(1), put(2, 3), put(4)]);
    const recorder = new Recorder();
    await follow(feed, recorder);
    expect(recorder.seen).toEqual(['reset e1', 'k2,k3', 'k4']);
    expect(feed.watches).toEqual([undefined]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each([
    ['breaks off', away()],
    ['ends by itself', 'end' as const],
  ])('watches again from where it was when the feed %s', async (_, last) => {
    const feed = new ScriptedFeed([reset(1), put(2), last], [put(3)]);
    const recorder = new Recorder();
    await follow(feed, recorder);
    expect(feed.watches).toEqual([undefined, { revision: 2, epoch: 'e' }]);
    expect(recorder.seen).toEqual(['reset e1', 'k2', 'k3']);
  });

  it('takes the new epoch from a reset on the way', async () => {
    const feed = new ScriptedFeed([reset(1), reset(9, 'f'), put(10), away()], []);
    await follow(feed, new Recorder());
    expect(feed.watches[1]).toEqual({ revision: 10, epoch: 'f' });
  });

  it('waits longer and longer, up to 5 seconds, and starts afresh after a success', async () => {
    const failing = Array.from({ length: 8 }, (): Script => [away()]);
    const feed = new ScriptedFeed(...failing, [reset(1), away()], []);
    const recorder = new Recorder();
    await follow(feed, recorder);
    expect(recorder.waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 100]);
  });

  it('gets a batch again that its handler could not work on for lack of the store', async () => {
    const feed = new ScriptedFeed([reset(1)], [reset(1), put(2)], [put(2)]);
    const recorder = new Recorder(new StoreUnavailableError('at the reset'));
    recorder.changes = (changes) => {
      recorder.seen.push(changes.map((change) => change.key).join());
      if (recorder.seen.length === 2) throw new StoreUnavailableError('at the change');
    };
    await follow(feed, recorder);
    expect(feed.watches).toEqual([undefined, undefined, { revision: 1, epoch: 'e' }]);
    expect(recorder.seen).toEqual(['reset e1', 'k2', 'k2']);
  });

  it('ends with any other error of a handler', async () => {
    const bug = new TypeError('a bug');
    const feed = new ScriptedFeed([reset(1)]);
    const stop = new AbortController();
    await expect(followFeed(feed, new Recorder(bug), { signal: stop.signal })).rejects.toBe(bug);
  });

  it('returns at once when aborted before the start or during a wait', async () => {
    const feed = new ScriptedFeed([away()]);
    await followFeed(feed, new Recorder(), { signal: AbortSignal.abort() });
    expect(feed.watches).toEqual([]);
    const stop = new AbortController();
    const following = followFeed(feed, new Recorder(), { signal: stop.signal, random: () => 1 });
    await jest.advanceTimersByTimeAsync(50);
    stop.abort();
    await following;
    expect(feed.watches.length).toBe(1);
  });
});
