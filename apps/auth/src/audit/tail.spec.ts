import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRegistry, silentLogger } from '@tagplane/runtime';
import { StoreUnavailableError } from '@tagplane/store';
import type { Store } from '@tagplane/store';
import { overridden, testStores, until } from '../testing/test-stores.ts';
import type { TestStores } from '../testing/test-stores.ts';
import { createAuditLog } from './audit-log.ts';
import type { AuditLog } from './audit-log.ts';
import type { AuditEvent } from './event.ts';
import { AuditTails } from './tail.ts';
import type { TailRequest } from './tail.ts';

const never = new AbortController().signal;
let stack: AsyncDisposableStack;
let stores: TestStores;

beforeEach(() => {
  stack = new AsyncDisposableStack();
  stores = stack.use(testStores());
});
afterEach(() => stack.disposeAsync());

/** The audit of one auth process on the shared store. */
function process(authId: string): AuditLog {
  const options = { output: '/dev/null', retentionMs: 3_600_000, log: silentLogger() };
  return createAuditLog({ ...options, store: stores.audit, authId, registry: createRegistry('auth') });
}

async function write(audit: AuditLog, code: string, ...subjects: string[]): Promise<void> {
  for (const subject of subjects) audit.record({ code, result: 'ok', subjects: [subject] });
  await audit.flush(never);
}

/** Reads a tail in the background. */
class Tail {
  readonly events: AuditEvent[] = [];
  marks = 0;
  ended = false;
  readonly stop = new AbortController();

  constructor(request: Partial<TailRequest>, store: Store = stores.audit, now = () => Date.now()) {
    const tails = new AuditTails({ store, now, log: silentLogger() });
    const batches = tails.open(
      { sinceMs: undefined, follow: true, codePrefix: '', ...request },
      this.stop.signal,
    );
    if (batches === undefined) throw new Error('no tail');
    const reading = this.#read(batches);
    stack.defer(async () => {
      this.stop.abort();
      await reading;
    });
  }

  get subjects(): string[] {
    return this.events.flatMap(({ subjects }) => [...subjects]);
  }

  async #read(batches: AsyncIterable<readonly AuditEvent[]>): Promise<void> {
    for await (const batch of batches) {
      this.events.push(...batch);
      if (batch.length === 0) this.marks += 1;
    }
    this.ended = true;
  }
}

describe('a tail', () => {
  it('has the past of every process in order, then what happens, each once', async () => {
    const [one, two] = [process('auth-1'), process('auth-2')];
    await write(one, 'lock.added', 'a');
    await write(two, 'lock.added', 'b');
    const tail = new Tail({ sinceMs: 60_000 });
    await until(() => tail.marks === 1, 'the past');
    expect(tail.subjects).toEqual(['a', 'b']);
    await write(two, 'lock.removed', 'c');
    await write(one, 'lock.removed', 'd');
    await until(() => tail.events.length === 4, 'the rest');
    expect(tail.subjects).toEqual(['a', 'b', 'c', 'd']);
    expect(tail.events.map(({ authId }) => authId)).toEqual(['auth-1', 'auth-2', 'auth-2', 'auth-1']);
  });

  it('begins now when no past was asked for', async () => {
    const audit = process('auth-1');
    await write(audit, 'lock.added', 'before');
    const tail = new Tail({});
    await until(() => tail.marks === 1, 'the start');
    await write(audit, 'lock.added', 'after');
    await until(() => tail.events.length === 1, 'the event');
    expect(tail.subjects).toEqual(['after']);
  });

  it('goes back so far and no farther, and ends with the past unless it is to follow', async () => {
    await write(process('auth-1'), 'lock.added', 'old');
    const later = () => Date.now() + 3_600_000;
    const [short, long] = [3_000_000, 3_700_000].map(
      (sinceMs) => new Tail({ sinceMs, follow: false }, stores.audit, later),
    );
    await until(() => short?.ended === true && long?.ended === true, 'both ends');
    expect([short?.subjects, long?.subjects]).toEqual([[], ['old']]);
    expect(short?.marks).toBe(1);
  });

  it('pages through a long past', async () => {
    await write(process('auth-1'), 'lock.added', ...Array.from({ length: 350 }, (_, n) => `${n}`));
    const tail = new Tail({ sinceMs: 60_000, follow: false });
    await until(() => tail.ended, 'the end');
    expect(tail.subjects).toEqual(Array.from({ length: 350 }, (_, n) => `${n}`));
  });

  it('sends only codes that begin as asked', async () => {
    const audit = process('auth-1');
    await write(audit, 'lock.added', 'l');
    await write(audit, 'token.added', 't');
    const tail = new Tail({ sinceMs: 60_000, codePrefix: 'token.' });
    await until(() => tail.marks === 1, 'the past');
    await write(audit, 'lock.removed', 'm');
    await write(audit, 'token.removed', 'u');
    await until(() => tail.events.length === 2, 'both');
    expect(tail.subjects).toEqual(['t', 'u']);
  });

  it('survives an outage of the store and a feed that begins anew, and misses nothing', async () => {
    const audit = process('auth-1');
    let outages = 0;
    const store = overridden(stores.audit, {
      watch: async function* (options) {
        // Without a position the feed begins anew each time; it breaks off after each batch.
        const { signal } = options;
        for await (const batch of stores.audit.watch({ signal })) {
          yield batch;
          if (batch.type === 'reset' && outages > 3) continue;
          outages += 1;
          throw new StoreUnavailableError('away');
        }
      },
    });
    await write(audit, 'lock.added', 'a');
    const tail = new Tail({ sinceMs: 60_000 }, store);
    for (const subject of ['b', 'c', 'd']) await write(audit, 'lock.added', subject);
    await until(() => outages > 3 && tail.events.length === 4, 'all of them');
    await write(audit, 'lock.added', 'e');
    await until(() => tail.events.length === 5, 'the last one');
    expect(tail.subjects).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('holds one batch while its reader does not read, and ends when it is told to', async () => {
    const audit = process('auth-1');
    let ranges = 0;
    const store = overridden(stores.audit, {
      range: (range, options) => {
        ranges += 1;
        return stores.audit.range(range, options);
      },
    });
    await write(audit, 'lock.added', ...Array.from({ length: 1_000 }, (_, n) => `${n}`));
    const stop = new AbortController();
    const tails = new AuditTails({ store, now: () => Date.now(), log: silentLogger() });
    const batches = tails.open({ sinceMs: 60_000, follow: true, codePrefix: '' }, stop.signal);
    const iterator = batches?.[Symbol.asyncIterator]();
    expect((await iterator?.next())?.value).toHaveLength(100);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(ranges).toBeLessThanOrEqual(3);
    stop.abort();
    const rest = [];
    for (let next = await iterator?.next(); next?.done === false; next = await iterator?.next())
      rest.push(next.value);
    expect(rest.length).toBeLessThanOrEqual(2);
  });

  it('is refused when there are too many', async () => {
    const tails = new AuditTails({
      store: stores.audit,
      now: () => Date.now(),
      log: silentLogger(),
      maxTails: 1,
    });
    const request = { sinceMs: 1, follow: true, codePrefix: '' };
    const stop = new AbortController();
    const first = tails.open(request, stop.signal)?.[Symbol.asyncIterator]();
    await first?.next();
    expect(tails.open(request, stop.signal)).toBeUndefined();
    stop.abort();
    await first?.return?.();
    expect(tails.open(request, stop.signal)).toBeDefined();
  });
});
