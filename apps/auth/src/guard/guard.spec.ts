import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Registry } from '@tagplane/runtime';
import type { Put, Store } from '@tagplane/store';
import { openEmbeddedStore } from '@tagplane/store-embedded';
import { RecordingAudit } from '../testing/recording-audit.ts';
import { metric, overridden, until } from '../testing/test-stores.ts';
import { DEFAULT_THRESHOLDS } from './config.ts';
import { Guard, REQUEST_PREFIX, TooManyHoldsError } from './guard.ts';
import { HOLD_PREFIX } from './hold.ts';
import type { Weighed } from './window.ts';

const never = new AbortController().signal;
const DISCOVERY = { actor: 'discovery/main', remoteAddress: undefined };
const ADA = { actor: 'operator/ada', remoteAddress: '10.0.0.1' };
const SCOPE = 'aws/123456789012/eu-central-1';

let stack: AsyncDisposableStack;
let store: Store & AsyncDisposable;
let audit: RecordingAudit;
let registry: Registry;

beforeEach(() => {
  stack = new AsyncDisposableStack();
  store = stack.use(openEmbeddedStore({ path: ':memory:', kind: 'security' }));
  audit = new RecordingAudit();
});
afterEach(() => stack.disposeAsync());

/** The guard of one auth process. */
function guardOn(over: Store = store): Guard {
  registry = new Registry();
  return new Guard({ store: over, thresholds: DEFAULT_THRESHOLDS, audit, registry });
}

const change = (parts: Partial<Weighed> = {}): Weighed => ({
  scope: SCOPE,
  fingerprint: 'f',
  nodesChanged: 30,
  nodesTotal: 100,
  samples: ['a', 'b'],
  requestedBy: DISCOVERY.actor,
  description: 'some change',
  follows: true,
  ...parts,
});
const BY_DISCOVERY = { windowName: 'main', caller: DISCOVERY };

describe('the guard', () => {
  it('holds a change once, however often and wherever it is asked about', async () => {
    const guards = [guardOn(), guardOn()] as const;
    const verdicts = await Promise.all(
      Array.from({ length: 10 }, (_, n) => guards[n % 2 === 0 ? 0 : 1].ask(change(), BY_DISCOVERY, never)),
    );
    const ids = verdicts.map((verdict) => (verdict.verdict === 'held' ? verdict.hold.id : 'none'));
    expect(new Set(ids).size).toBe(1);
    expect(await guards[0].list(never)).toHaveLength(1);
    expect(audit.of('guard.held')).toHaveLength(1);
  });

  it('lets small changes add up over all auth processes: none gets around it by asking two', async () => {
    const guards = [guardOn(), guardOn()] as const;
    const pieces = Array.from({ length: 20 }, (_, n) =>
      guards[n % 2 === 0 ? 0 : 1].ask(
        change({ fingerprint: String(n), nodesChanged: 5 }),
        BY_DISCOVERY,
        never,
      ),
    );
    const went = (await Promise.all(pieces)).filter((verdict) => verdict.verdict === 'go');
    expect(went).toHaveLength(5);
  });

  it('lets a change go when an operator releases it, and says who', async () => {
    const guard = guardOn();
    const held = await guard.ask(change(), BY_DISCOVERY, never);
    const id = held.verdict === 'held' ? held.hold.id : '';
    const released = await guard.decide(id, 'released', ADA, never);
    expect(released?.hold).toMatchObject({ state: 'released', decidedBy: 'operator/ada' });
    expect(await guard.ask(change(), BY_DISCOVERY, never)).toEqual({ verdict: 'go' });
    expect(audit.of('guard.released')).toEqual([
      expect.objectContaining({ ...ADA, subjects: [id], result: 'ok' }),
    ]);
    expect(
      await guard.ask(change({ fingerprint: 'g' }), { ...BY_DISCOVERY, windowName: 'other' }, never),
    ).toMatchObject({
      verdict: 'held',
    });
  });

  it('keeps a change that was dropped out for good, and decides once', async () => {
    const guard = guardOn();
    const held = await guard.ask(change(), BY_DISCOVERY, never);
    const id = held.verdict === 'held' ? held.hold.id : '';
    await guard.decide(id, 'dropped', ADA, never);
    expect(await guard.ask(change(), BY_DISCOVERY, never)).toMatchObject({
      verdict: 'dropped',
      hold: { id },
    });
    const again = await guard.decide(id, 'released', ADA, never);
    expect(again?.hold.state).toBe('dropped');
    expect(await guard.decide('nothing', 'dropped', ADA, never)).toBeUndefined();
    expect(audit.of('guard.dropped')).toHaveLength(1);
  });

  it('hands a request out to whoever releases it, until it was carried out', async () => {
    const guard = guardOn();
    const asked = { windowName: 'dynamic/', request: 'the request', caller: ADA };
    const held = await guard.ask(change({ follows: false }), asked, never);
    const id = held.verdict === 'held' ? held.hold.id : '';
    // The second after the process that had the first has ended, say.
    for (const _ of [1, 2]) {
      expect(await guard.decide(id, 'released', ADA, never)).toMatchObject({ request: 'the request' });
    }
    expect(audit.of('guard.released')).toHaveLength(1);
    const released = await guard.decide(id, 'released', ADA, never);
    if (released === undefined) throw new Error('no hold');
    const over = await guard.carriedOut(released.hold, 'done', never);
    expect(over.description).toBe('some change; done');
    const afterwards = await guard.decide(id, 'released', ADA, never);
    expect([afterwards?.request, afterwards?.hold.description]).toEqual([undefined, 'some change; done']);
    const [left] = await store.getMany([REQUEST_PREFIX + id], { signal: never });
    expect(left?.state).toBe('gone');
  });

  it('ends a hold that nobody asks for any more', async () => {
    const guard = guardOn();
    await guard.ask(change(), BY_DISCOVERY, never);
    await guard.ask(change({ nodesChanged: 0, fingerprint: 'none' }), BY_DISCOVERY, never);
    const [hold] = await guard.list(never);
    expect(hold).toMatchObject({ state: 'dropped', decidedBy: 'discovery/main' });
  });

  it('weighs without keeping anything, for a preview', async () => {
    const guard = guardOn();
    expect(await guard.wouldHold(change(), 'dynamic/', never)).toBe(true);
    expect(await guard.wouldHold(change({ nodesChanged: 3 }), 'dynamic/', never)).toBe(false);
    expect(await store.range({ prefix: '', limit: 10 }, { signal: never })).toEqual([]);
  });

  it('holds no more than 1,000 changes, and lets none go for that', async () => {
    const full = overridden(store, { count: () => Promise.resolve(1_000) });
    const asking = guardOn(full).ask(change(), BY_DISCOVERY, never);
    await expect(asking).rejects.toBeInstanceOf(TooManyHoldsError);
  });

  it('keeps a hold of a discovery for two hours after it was asked about, and what was decided a week', async () => {
    const ttls: [string, number | undefined][] = [];
    const spying = overridden(store, {
      put: (items: readonly Put[], options) => {
        for (const { key, ttlMs } of items) if (key.startsWith(HOLD_PREFIX)) ttls.push(['hold', ttlMs]);
        return store.put(items, options);
      },
    });
    const guard = guardOn(spying);
    const held = await guard.ask(change(), BY_DISCOVERY, never);
    await guard.ask(change(), BY_DISCOVERY, never);
    await guard.decide(held.verdict === 'held' ? held.hold.id : '', 'dropped', ADA, never);
    const hour = 3_600_000;
    expect(ttls.map(([, ttlMs]) => (ttlMs ?? 0) / hour)).toEqual([2, 2, 7 * 24]);
  });

  it('tells of the holds that wait, in the status and as a figure, also of other processes', async () => {
    const guard = guardOn();
    const figures = registry;
    const stop = new AbortController();
    const running = guard.run(stop.signal);
    stack.defer(async () => {
      stop.abort(new Error('the test is over'));
      await running;
    });
    const held = await guardOn().ask(change(), BY_DISCOVERY, never);
    await until(() => guard.problems().length === 1, 'a line');
    const id = held.verdict === 'held' ? held.hold.id : '';
    expect(guard.problems()[0]).toContain(`tagctl guard release ${id}`);
    expect(await metric(figures, 'guard_holds{state="held"}')).toBe(1);
    await guardOn().decide(id, 'released', ADA, never);
    await until(() => guard.problems().length === 0, 'no line');
    expect(await metric(figures, 'guard_holds{state="released"}')).toBe(1);
  });
});
