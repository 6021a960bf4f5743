import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Registry, silentLogger } from '@tagplane/runtime';
import { StoreUnavailableError } from '@tagplane/store';
import type { FeedBatch, Store } from '@tagplane/store';
import { openEmbeddedStore } from '@tagplane/store-embedded';
import { instance } from '../testing/fleet.ts';
import { FakeConnection, identityOf } from '../testing/identities.ts';
import { RecordingAudit } from '../testing/recording-audit.ts';
import { metric, overridden, until } from '../testing/test-stores.ts';
import { createLocks } from './create-locks.ts';
import type { LockRegistry } from './create-locks.ts';
import { enforceLocks } from './enforce-locks.ts';
import { parseLockId } from './lock.ts';
import type { LockDraft } from './lock.ts';

const never = new AbortController().signal;
let stack: AsyncDisposableStack;
let store: Store & AsyncDisposable;
let audit: RecordingAudit;
let registry: Registry;

beforeEach(() => {
  stack = new AsyncDisposableStack();
  store = stack.use(openEmbeddedStore({ path: ':memory:', kind: 'security', expiryIntervalMs: 50 }));
  audit = new RecordingAudit();
  registry = new Registry();
});
afterEach(() => stack.disposeAsync());

function draft(id: string, parts: Partial<LockDraft> = {}): LockDraft {
  const target = parseLockId(id);
  if (target === undefined) throw new Error(`no lock: ${id}`);
  return { target, message: '', ttlMs: undefined, createdBy: 'operator/ada', ...parts };
}

/** The locks of one auth process, which follow the store. */
function start(over: Store = store, now = () => Date.now()): LockRegistry {
  registry = new Registry();
  const locks = createLocks({ store: over, audit, log: silentLogger(), registry, now });
  const stop = new AbortController();
  const running = locks.run(stop.signal);
  stack.defer(async () => {
    stop.abort(new Error('the test is over'));
    await running;
  });
  return locks;
}

const web = identityOf('agent', 'web-1', instance(1));

describe('locks', () => {
  it('are known when they were read for the first time', async () => {
    await start().add(draft('agent:web-1'), never);
    const locks = createLocks({ store, audit, log: silentLogger(), registry: new Registry() });
    expect([locks.loaded, locks.lockedReason(web)]).toEqual([false, undefined]);
    const other = start();
    await until(() => other.loaded, 'the locks');
    expect(other.lockedReason(web)).toBe('locked (agent:web-1)');
    expect(await metric(registry, 'locks')).toBe(1);
  });

  it.each([
    ['a server id', 'agent:web-1', true],
    ['a proven instance', `instance:123456789012/eu-central-1/${instance(1).instance}`, true],
    ['a SPIFFE ID', 'identity:spiffe://test/agent/web-1', true],
    ['another server id', 'agent:web-2', false],
    ['another instance', `instance:123456789012/eu-central-1/${instance(2).instance}`, false],
    ['another identity', 'identity:spiffe://test/operator/web-1', false],
  ])('of %s', async (_, id, locked) => {
    const locks = start();
    await locks.add(draft(id, { message: 'stolen' }), never);
    expect(locks.lockedReason(web)).toBe(locked ? `locked (${id}): stolen` : undefined);
    expect(locks.lockedReason(identityOf('agent', 'db-1'))).toBeUndefined();
  });

  it('come to every process and go from it, by removal and by their end', async () => {
    const [one, two] = [start(), start()];
    await until(() => one.loaded && two.loaded, 'both');
    const told: string[] = [];
    two.onLock((locks) => told.push(...locks.map(({ id }) => id)));
    await one.add(draft('agent:web-1'), never);
    await until(() => two.lockedReason(web) !== undefined, 'the lock');
    expect((await two.list(never)).map(({ id, createdBy }) => [id, createdBy])).toEqual([
      ['agent:web-1', 'operator/ada'],
    ]);
    expect(await two.remove('agent:web-1', never)).toBe(true);
    expect(await two.remove('agent:web-1', never)).toBe(false);
    await until(() => one.lockedReason(web) === undefined, 'its end');
    await one.add(draft('agent:web-1', { ttlMs: 1_000 }), never);
    await until(() => two.lockedReason(web) !== undefined, 'the second lock');
    await until(
      () => one.lockedReason(web) === undefined && two.lockedReason(web) === undefined,
      'their end',
    );
    expect(told).toEqual(['agent:web-1', 'agent:web-1']);
  });

  it('are replaced by a lock of the same target', async () => {
    const locks = start();
    await locks.add(draft('agent:web-1', { message: 'a' }), never);
    await locks.add(draft('agent:web-1', { message: 'b', ttlMs: 60_000 }), never);
    const [lock, ...others] = await locks.list(never);
    expect([lock?.message, lock?.expiresAt !== undefined, others]).toEqual(['b', true, []]);
  });

  it('are so many and no more', async () => {
    const locks = start();
    const message = 'x'.repeat(1_000_000);
    expect(await locks.add(draft('agent:a', { message }), never)).toBeDefined();
    expect(await locks.add(draft('agent:b', { message }), never)).toBeDefined();
    expect(await locks.add(draft('agent:c', { message }), never)).toBeUndefined();
    expect(await locks.add(draft('agent:b', { message }), never)).toBeDefined();
  });
});

describe('a store that is away', () => {
  it('takes nothing from the locks that are known', async () => {
    let away = false;
    let breakOff: ((error: Error) => void) | undefined;
    const flaky = overridden(store, {
      watch: async function* (options) {
        if (away) throw new StoreUnavailableError('away');
        const broken = new Promise<never>((_, reject) => (breakOff = reject));
        const batches = store.watch(options)[Symbol.asyncIterator]();
        for (;;) {
          const next = await Promise.race([batches.next(), broken]);
          if (next.done === true) return;
          yield next.value;
        }
      },
    });
    const locks = start(flaky);
    await locks.add(draft('agent:web-1'), never);
    await until(() => locks.loaded, 'the locks');
    away = true;
    breakOff?.(new StoreUnavailableError('away'));
    await until(async () => (await metric(registry, 'lock_feed_failures_total')) > 0, 'the outage');
    expect([locks.loaded, locks.lockedReason(web)]).toEqual([true, 'locked (agent:web-1)']);
  });

  it('for long does not keep a lock much longer than its time', async () => {
    let now = Date.now();
    const locks = start(overridden(store, { watch: () => nothing() }), () => now);
    await locks.add(draft('agent:web-1', { ttlMs: 60_000 }), never);
    now += 100_000;
    expect(locks.lockedReason(web)).toBeDefined();
    now += 21_000;
    expect(locks.lockedReason(web)).toBeUndefined();
  });

  it('and comes back empty gets its locks back; one that only forgot its feed does not', async () => {
    const batches: FeedBatch[] = [{ type: 'reset', revision: 1, epoch: 'a' }];
    let wake: (() => void) | undefined;
    const scripted = overridden(store, {
      watch: async function* ({ signal }) {
        signal.addEventListener('abort', () => wake?.(), { once: true });
        while (!signal.aborted) {
          const batch = batches.shift();
          if (batch !== undefined) yield batch;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      },
    });
    const locks = start(scripted);
    await until(() => locks.loaded, 'the locks');
    await locks.add(draft('agent:web-1', { message: 'stolen', ttlMs: 600_000 }), never);
    await locks.add(draft('agent:web-2'), never);
    await store.delete([{ key: 'lock/agent:web-1' }, { key: 'lock/agent:web-2' }], { signal: never });
    batches.push({ type: 'reset', revision: 2, epoch: 'b' });
    wake?.();
    await until(async () => (await locks.list(never)).length === 2, 'the locks in the store');
    const [first] = await locks.list(never);
    expect([first?.id, first?.message, first?.expiresAt !== undefined]).toEqual([
      'agent:web-1',
      'stolen',
      true,
    ]);
    expect(audit.of('lock.added').map(({ subjects }) => subjects)).toEqual([
      ['agent:web-1'],
      ['agent:web-2'],
    ]);
    await store.delete([{ key: 'lock/agent:web-1' }], { signal: never });
    batches.push({ type: 'reset', revision: 9, epoch: 'b' });
    wake?.();
    await until(() => locks.lockedReason(web) === undefined, 'its end');
    expect((await locks.list(never)).map(({ id }) => id)).toEqual(['agent:web-2']);
  });
});

async function* nothing(): AsyncGenerator<FeedBatch> {
  await Promise.resolve();
  yield* [];
}

describe('enforceLocks', () => {
  it('cuts whoever is locked, on every process, once, and says so', async () => {
    const [one, two] = [start(), start()];
    await until(() => one.loaded && two.loaded, 'both');
    const locked = new FakeConnection(web, '10.0.0.7');
    const others = [new FakeConnection(identityOf('operator', 'ada')), new FakeConnection(undefined)];
    const log = silentLogger();
    stack.use(enforceLocks({ locks: two, connections: () => [...others, locked], audit, log }));
    await one.add(draft('agent:web-1', { message: 'stolen' }), never);
    await until(() => locked.cuts.length > 0, 'the cut');
    await one.add(draft('identity:spiffe://test/agent/web-1'), never);
    await until(
      () =>
        two.lockOf({ id: 'spiffe://test/agent/web-1', peer: identityOf('agent', 'x').peer }) !== undefined,
      'the second lock',
    );
    expect(locked.cuts).toEqual(['locked (agent:web-1): stolen']);
    expect(others.flatMap(({ cuts }) => cuts)).toEqual([]);
    expect(audit.of('lock.enforced')).toEqual([
      {
        code: 'lock.enforced',
        result: 'ok',
        actor: 'agent/web-1',
        remoteAddress: '10.0.0.7',
        reason: 'locked (agent:web-1): stolen',
        subjects: ['agent:web-1'],
      },
    ]);
    expect(await metric(registry, 'lock_cuts_total')).toBe(1);
  });

  it('cuts the others when one cannot be cut', async () => {
    const locks = start();
    const bad = new FakeConnection(web);
    bad.onCut = () => {
      throw new Error('no');
    };
    const good = new FakeConnection(web);
    stack.use(enforceLocks({ locks, connections: () => [bad, good], audit, log: silentLogger() }));
    await locks.add(draft('agent:web-1'), never);
    expect(good.cuts).toHaveLength(1);
  });
});
