import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '@tagplane/runtime';
import type { HeldLabels } from '@tagplane/session';
import type { Clock } from './clock.ts';
import { LabelHolder } from './label-holder.ts';
import type { LabelStore } from './label-holder.ts';
import { clockAt, heldOf, replaceWith } from './testing/index.ts';

const PROD = new Map([['aws/env', 'prod']]);
const DEV = new Map([['aws/env', 'dev']]);
const MINUTE = 60_000;

/** Remembers the order of things. */
class FakeStore implements LabelStore {
  readonly written: (HeldLabels | 'clear')[] = [];
  failure: Error | undefined;

  write(held: HeldLabels): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.written.push(held);
    return Promise.resolve();
  }

  clear(): Promise<void> {
    this.written.push('clear');
    return Promise.resolve();
  }
}

function holder(store: LabelStore, held?: HeldLabels, clock: Clock = clockAt(0)): LabelHolder {
  const vouching = { signed: false } as const;
  return new LabelHolder({
    ...{ store, held, clock, log: silentLogger() },
    holder: () => ({ serverId: 'web-1', vouching }),
  });
}

describe('LabelHolder', () => {
  it('holds nothing at first', () => {
    expect(holder(new FakeStore()).view()).toMatchObject({
      source: 'none',
      revision: '',
      fresh: [],
      stale: [],
    });
  });

  it('is on disk before it is in force', async () => {
    let inForce: unknown;
    const store = new FakeStore();
    const subject: LabelHolder = holder({
      write: (held) => {
        inForce = subject.view().source;
        return store.write(held);
      },
      clear: () => store.clear(),
    });
    expect(await subject.apply(replaceWith(PROD))).toBeUndefined();
    expect(inForce).toBe('none');
    expect(subject.view()).toMatchObject({ source: 'stream', revision: heldOf(PROD).revision });
    expect(store.written).toHaveLength(1);
  });

  it('keeps what it holds when an update is refused, and writes nothing', async () => {
    const store = new FakeStore();
    const subject = holder(store, heldOf(PROD));
    expect(await subject.apply({ ...replaceWith(DEV), revision: 'wrong' })).toMatch(/revision/);
    expect(subject.view()).toMatchObject({ source: 'disk', revision: heldOf(PROD).revision });
    expect(store.written).toEqual([]);
  });

  it('keeps what it holds when the disk fails, and says so without a value', async () => {
    const store = new FakeStore();
    const subject = holder(store, heldOf(PROD));
    store.failure = new Error('ENOSPC: no space left on device');
    const problem = await subject.apply(replaceWith(DEV));
    expect(problem).toBe('the update could not be written to disk: ENOSPC: no space left on device');
    expect(subject.view().revision).toBe(heldOf(PROD).revision);
    store.failure = undefined;
    expect(await subject.apply(replaceWith(DEV))).toBeUndefined();
    expect(subject.view().revision).toBe(heldOf(DEV).revision);
  });

  it('drops labels from the ones that count when their time is over, by its own clock', () => {
    let now = 0;
    const subject = holder(new FakeStore(), heldOf(PROD, MINUTE), () => clockAt(now)());
    expect(subject.view()).toMatchObject({ remainingMs: MINUTE, ageMs: 1_000, stale: [] });
    now = MINUTE;
    const view = subject.view();
    expect(view).toMatchObject({ remainingMs: 0, ageMs: MINUTE + 1_000, fresh: [] });
    expect(view.stale.map((set) => set.labels)).toEqual([PROD, new Map()]);
    expect(view.revision).toBe(heldOf(PROD).revision);
  });

  it('forgets on disk too when what it holds is discarded', async () => {
    const store = new FakeStore();
    const subject = holder(store, heldOf(PROD));
    await subject.discard();
    expect(subject.view().source).toBe('none');
    expect(store.written).toEqual(['clear']);
  });

  it('takes no labels that were on their way to the disk when all were discarded', async () => {
    const writing = Promise.withResolvers<undefined>();
    const store = new FakeStore();
    const subject = holder({ write: () => writing.promise, clear: () => store.clear() }, heldOf(DEV));
    const applied = subject.apply(replaceWith(PROD));
    const discarded = subject.discard();
    writing.resolve(undefined);
    expect(await applied).toMatch(/another server/);
    await discarded;
    expect(subject.view()).toMatchObject({ source: 'none', revision: '' });
  });

  it('holds nothing after a discard, also when the disk fails', async () => {
    const clear = () => Promise.reject(new Error('EROFS'));
    const subject = holder({ write: () => Promise.resolve(), clear }, heldOf(PROD));
    await subject.discard();
    expect(subject.view().source).toBe('none');
  });
});
