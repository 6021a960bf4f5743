import { describe, expect, it } from '@jest/globals';
import { authSessionDueAt, nextAuthSession, openAuthSession } from './auth-session.ts';
import { DEFAULT_AUTH_SESSION_SETTINGS as settings } from './auth-session-state.ts';
import type {
  AuthSessionEffect,
  AuthSessionEvent,
  AuthSessionState,
  HeldClaim,
} from './auth-session-state.ts';
import type { LabelsVersion, Span } from './lifetimes.ts';

const T0 = 1_000_000;
const SECOND = 1_000;

function version(revision: string, expiresAt: number | undefined = T0 + 5_400_000): LabelsVersion {
  return { revision, spans: { 'aws/': { observedAt: T0, expiresAt }, 'dynamic/': undefined } };
}

const NO_END: Span = { observedAt: undefined, expiresAt: undefined };
const A = version('a');
const B = version('b');
const NOTHING_HELD: HeldClaim = { revision: '', remainingMs: undefined };
const empty: LabelsVersion = { revision: '', spans: { 'aws/': undefined, 'dynamic/': undefined } };

/** Feeds events and keeps what came of the last one. */
class Run {
  state: AuthSessionState = openAuthSession(T0);
  effects: readonly AuthSessionEffect[] = [];
  now = T0;

  on(...events: AuthSessionEvent[]): this {
    for (const event of events) {
      const step = nextAuthSession(this.state, event, this.now);
      this.state = step.state;
      this.effects = step.effects;
    }
    return this;
  }

  after(ms: number): this {
    this.now += ms;
    return this.on({ type: 'tick' });
  }

  get phase(): string {
    return this.state.sync.phase;
  }

  get types(): string[] {
    return this.effects.map((effect) => effect.type);
  }
}

function admitted(held: HeldClaim = NOTHING_HELD): Run {
  return new Run().on({ type: 'hello', held }, { type: 'admitted' });
}

function pushed(): Run {
  return admitted().on({ type: 'wanted', version: A });
}

function synced(): Run {
  return pushed().on({ type: 'ack', nonce: '1' });
}

const heartbeat = (held: HeldClaim, changed = false): AuthSessionEvent => ({
  type: 'heartbeat',
  held,
  changed,
});
const claim = (revision: string, run: Run, expiresAt = T0 + 5_400_000): HeldClaim => ({
  revision,
  remainingMs: expiresAt - run.now,
});

describe('the hello', () => {
  it('is admitted first, then answered, and asks what the agent should have', () => {
    const run = new Run().on({ type: 'hello', held: NOTHING_HELD });
    expect([run.phase, run.types]).toEqual(['admitting', ['admit']]);
    run.on({ type: 'admitted' });
    expect(run.effects).toEqual([{ type: 'send-hello' }, { type: 'reconcile', cause: 'hello' }]);
    expect(run.phase).toBe('undecided');
  });

  it('must come within 10 seconds', () => {
    const run = new Run().after(10 * SECOND - 1);
    expect(run.phase).toBe('awaiting-hello');
    run.after(1);
    expect(run.state.sync).toEqual({ phase: 'closed', reason: 'unresponsive' });
    expect(run.types).toEqual(['close']);
  });

  it.each<AuthSessionEvent>([
    heartbeat(NOTHING_HELD),
    { type: 'ack', nonce: '1' },
    { type: 'nack', nonce: '1', reason: '' },
    { type: 'pong', nonce: '1' },
  ])('must come before a $type', (event) => {
    expect(new Run().on(event).state.sync).toEqual({ phase: 'closed', reason: 'refused' });
  });

  it('must not come twice', () => {
    const run = synced().on({ type: 'hello', held: NOTHING_HELD });
    expect(run.state.sync).toEqual({ phase: 'closed', reason: 'refused' });
  });

  it('may be followed by a heartbeat that knows better while it waits', () => {
    const run = new Run().on({ type: 'hello', held: NOTHING_HELD });
    run.on(heartbeat(claim('a', run)), { type: 'admitted' }, { type: 'wanted', version: A });
    expect([run.phase, run.types]).toEqual(['synced', []]);
  });

  it('may come after a message that is unknown, and does not wait for ever for its turn', () => {
    const run = new Run().on({ type: 'unknown' }, { type: 'hello', held: NOTHING_HELD });
    expect(authSessionDueAt(run.state)).toBe(Infinity);
    expect(run.after(3_600 * SECOND).phase).toBe('admitting');
  });
});

describe('what is wanted', () => {
  it.each<[string, HeldClaim, LabelsVersion, string]>([
    ['nothing, and nothing held', NOTHING_HELD, empty, 'none'],
    ['labels, and nothing held', NOTHING_HELD, A, 'replace'],
    ['other labels', { revision: 'x', remainingMs: 5_400_000 }, A, 'replace'],
    ['nothing, and labels held', { revision: 'x', remainingMs: undefined }, empty, 'replace'],
    ['the same until the same time', { revision: 'a', remainingMs: 5_400_000 }, A, 'none'],
    ['the same, within a minute', { revision: 'a', remainingMs: 5_341_000 }, A, 'none'],
    ['the same for longer', { revision: 'a', remainingMs: 1_800_000 }, A, 'renew'],
    ['the same for ever', { revision: 'a', remainingMs: 1_800_000 }, version('a', undefined), 'renew'],
    ['the same, held for ever', { revision: 'a', remainingMs: undefined }, A, 'renew'],
    ['the same, but over', { revision: 'a', remainingMs: 0 }, version('a', T0 - 1), 'none'],
  ])('%s', (_, held, wanted, kind) => {
    const run = admitted(held).on({ type: 'wanted', version: wanted });
    expect(run.effects.map((effect) => ('kind' in effect ? effect.kind : ''))).toEqual(
      kind === 'none' ? [] : [kind],
    );
    expect(run.phase).toBe(kind === 'none' ? 'synced' : 'awaiting-ack');
  });

  it('renews once when the agent names one end and there are two', () => {
    const spans = {
      'aws/': { observedAt: 1, expiresAt: T0 + 9_000 },
      'dynamic/': { observedAt: 1, expiresAt: undefined },
    };
    const run = admitted({ revision: 'c', remainingMs: 9_000 });
    run.on({ type: 'wanted', version: { revision: 'c', spans } });
    expect(run.effects).toMatchObject([{ type: 'send-update', kind: 'renew' }]);
    run.on({ type: 'ack', nonce: '1' }, { type: 'wanted', version: { revision: 'c', spans: { ...spans } } });
    expect([run.phase, run.types]).toEqual(['synced', []]);
  });

  it('is not sent again when it did not change', () => {
    const run = synced().on({ type: 'wanted', version: version('a') });
    expect([run.phase, run.types]).toEqual(['synced', []]);
  });

  it('is only renewed when only its lifetime changed', () => {
    const run = synced().on({ type: 'wanted', version: version('a', T0 + 9_000_000) });
    expect(run.effects).toMatchObject([{ type: 'send-update', kind: 'renew', nonce: '2' }]);
  });

  it('waits while an update is on its way, and is looked up again after the ack', () => {
    const run = pushed().on({ type: 'wanted', version: B });
    expect(run.types).toEqual([]);
    run.on({ type: 'ack', nonce: '1' });
    expect(run.types).toEqual(['acked', 'reconcile']);
    run.on({ type: 'wanted', version: B });
    expect(run.effects).toMatchObject([{ type: 'send-update', kind: 'replace', nonce: '2' }]);
  });

  it('needs no second look when it went back to what is on its way', () => {
    const run = pushed().on({ type: 'wanted', version: B }, { type: 'wanted', version: version('a') });
    expect(run.on({ type: 'ack', nonce: '1' }).types).toEqual(['acked']);
  });

  it('stays open when nobody can say', () => {
    const run = admitted({ revision: 'x', remainingMs: 5 }).on({ type: 'keep' });
    expect([run.phase, run.types]).toEqual(['undecided', []]);
    expect(synced().on({ type: 'keep' }).phase).toBe('synced');
  });

  it('tells an agent once that what it imported does not count, and once that it does again', () => {
    const cleared = { ...empty, cleared: true };
    const run = admitted().on({ type: 'wanted', version: cleared });
    expect(run.effects).toMatchObject([{ type: 'send-update', kind: 'replace', version: cleared }]);
    run.on({ type: 'ack', nonce: '1' }, { type: 'wanted', version: { ...cleared } });
    expect([run.phase, run.types]).toEqual(['synced', []]);
    expect(run.on(heartbeat(NOTHING_HELD)).types).toEqual([]);
    expect(run.on({ type: 'wanted', version: empty }).effects).toMatchObject([{ kind: 'replace' }]);
    expect(run.on({ type: 'wanted', version: cleared }).types).toEqual([]);
    expect(run.on({ type: 'ack', nonce: '2' }).types).toEqual(['acked', 'reconcile']);
  });

  it('means nothing before the hello is answered', () => {
    expect(new Run().on({ type: 'wanted', version: A }).phase).toBe('awaiting-hello');
    const run = new Run().on({ type: 'hello', held: NOTHING_HELD }, { type: 'wanted', version: A });
    expect(run.phase).toBe('admitting');
  });
});

describe('answers', () => {
  it('takes the ack of the latest send only', () => {
    const run = pushed().on({ type: 'ack', nonce: '7' });
    expect([run.phase, run.effects]).toEqual(['awaiting-ack', [{ type: 'stale', answer: 'ack' }]]);
    expect(run.on({ type: 'nack', nonce: '7', reason: '' }).phase).toBe('awaiting-ack');
    expect(run.on({ type: 'ack', nonce: '1' }).phase).toBe('synced');
    expect(run.on({ type: 'ack', nonce: '1' }).effects).toEqual([{ type: 'stale', answer: 'ack' }]);
  });

  it('sends again after 10, then 20 seconds without an answer, and cuts off after 40 more', () => {
    const run = pushed().after(10 * SECOND);
    expect([run.phase, run.effects]).toEqual(['overdue', [{ type: 'reconcile', cause: 'retry' }]]);
    run.on({ type: 'wanted', version: B });
    expect(run.effects).toMatchObject([{ kind: 'replace', nonce: '2', version: B }]);
    run.on({ type: 'pong', nonce: '' });
    expect(run.after(20 * SECOND - 1).phase).toBe('awaiting-ack');
    run.after(1).on({ type: 'wanted', version: B }, { type: 'pong', nonce: '' });
    run.after(40 * SECOND);
    expect(run.state.sync).toEqual({ phase: 'closed', reason: 'unresponsive' });
  });

  it('takes a late ack while the update is looked up again', () => {
    const run = pushed()
      .after(10 * SECOND)
      .on({ type: 'ack', nonce: '1' });
    expect(run.phase).toBe('synced');
  });

  it('leaves an overdue update when nobody can say any more, and then trusts nothing', () => {
    const run = pushed()
      .after(10 * SECOND)
      .on({ type: 'keep' });
    expect(run.phase).toBe('undecided');
    expect(run.on({ type: 'wanted', version: A }).effects).toMatchObject([{ kind: 'replace' }]);
  });

  it('backs off after a refusal: a minute, then two; another set goes at once', () => {
    const run = pushed().on({ type: 'nack', nonce: '1', reason: 'too many' });
    expect([run.phase, run.types]).toEqual(['backing-off', ['nacked']]);
    expect(run.on({ type: 'wanted', version: A }).types).toEqual([]);
    run.after(60 * SECOND - 1).on({ type: 'unknown' });
    expect(run.types).toEqual([]);
    expect(run.after(1).effects).toEqual([{ type: 'reconcile', cause: 'retry' }]);
    run.on({ type: 'wanted', version: A }, { type: 'nack', nonce: '2', reason: 'too many' });
    run.after(119 * SECOND).on({ type: 'unknown' });
    expect(run.phase).toBe('backing-off');
    run.on({ type: 'wanted', version: B });
    expect(run.effects).toMatchObject([{ kind: 'replace', version: B }]);
  });

  it('sends the whole set when a renewal is refused', () => {
    const run = synced().on({ type: 'wanted', version: version('a', T0 + 9_000_000) });
    run.on({ type: 'nack', nonce: '2', reason: 'not held' });
    expect(run.types).toEqual(['nacked', 'reconcile']);
    run.on({ type: 'wanted', version: version('a', T0 + 9_000_000) });
    expect(run.effects).toMatchObject([{ kind: 'replace' }]);
  });
});

describe('heartbeats', () => {
  it('that confirm ask for nothing', () => {
    const run = synced();
    run.now += 300 * SECOND;
    expect(run.on(heartbeat(claim('a', run))).types).toEqual([]);
  });

  it.each<[string, HeldClaim]>([
    ['lost its labels', NOTHING_HELD],
    ['holds others', { revision: 'z', remainingMs: 5_400_000 }],
    ['lets them end early', { revision: 'a', remainingMs: 60_000 }],
  ])('show an agent that %s', (_, held) => {
    const run = synced().on(heartbeat(held));
    expect(run.effects).toEqual([{ type: 'reconcile', cause: 'heartbeat' }]);
    expect(run.on({ type: 'wanted', version: A }).types).toEqual(['send-update']);
  });

  it('that crossed an update mean nothing', () => {
    const run = pushed().on(heartbeat(NOTHING_HELD));
    expect([run.phase, run.types]).toEqual(['awaiting-ack', []]);
  });

  it('ask again when the node has changed, in any phase', () => {
    for (const run of [synced(), pushed(), pushed().after(10 * SECOND), admitted()]) {
      run.on(heartbeat(claim('a', run), true));
      expect(run.effects).toContainEqual({ type: 'reconcile', cause: 'heartbeat' });
    }
  });
});

describe('labels that are to be said once more', () => {
  const renew: AuthSessionEvent = { type: 'renew' };

  it.each([
    ['with an end', A],
    ['without one', { ...A, spans: { ...A.spans, 'aws/': { observedAt: T0, expiresAt: undefined } } }],
    ['of two namespaces', { ...A, spans: { 'aws/': A.spans['aws/'], 'dynamic/': NO_END } }],
  ])('are renewed, %s, and not sent whole', (_what, wanted) => {
    const run = admitted().on({ type: 'wanted', version: wanted }, { type: 'ack', nonce: '1' }, renew);
    expect(run.effects).toEqual([{ type: 'reconcile', cause: 'newer' }]);
    expect(run.on({ type: 'wanted', version: wanted }).effects).toMatchObject([{ kind: 'renew' }]);
    expect(run.on({ type: 'ack', nonce: '2' }, { type: 'wanted', version: wanted }).effects).toEqual([]);
  });

  it('are sent whole when the node may have none, which only that says', () => {
    const none = { ...empty, cleared: true };
    const run = admitted().on({ type: 'wanted', version: none }, { type: 'ack', nonce: '1' }, renew);
    expect(run.on({ type: 'wanted', version: none }).effects).toMatchObject([{ kind: 'replace' }]);
  });

  it('are nothing when there are none, or while an update is on its way', () => {
    const run = admitted().on({ type: 'wanted', version: empty }, renew, { type: 'wanted', version: empty });
    expect(run.effects).toEqual([]);
    expect(run.phase).toBe('synced');
    expect(pushed().on(renew).effects).toEqual([]);
    expect(admitted().on(renew).effects).toEqual([]);
  });
});

describe('liveness', () => {
  it('pings after silence and takes any message for life', () => {
    const run = synced().after(settings.pingIntervalMs);
    expect(run.effects).toEqual([{ type: 'send-ping', nonce: '2' }]);
    run.on({ type: 'pong', nonce: '2' });
    expect(run.types).toEqual([]);
    run.after(settings.pongTimeoutMs);
    expect(run.phase).toBe('synced');
  });

  it('cuts off an agent that does not answer a ping', () => {
    const run = synced().after(settings.pingIntervalMs).after(settings.pongTimeoutMs);
    expect(run.state.sync).toEqual({ phase: 'closed', reason: 'unresponsive' });
  });

  it('pings an agent that talks but hears nothing, and counts a strange pong', () => {
    const run = synced();
    run.now += 50 * SECOND;
    run.on({ type: 'unknown' }).after(10 * SECOND);
    expect(run.types).toEqual(['send-ping']);
    expect(run.on({ type: 'pong', nonce: 'x' }).effects).toEqual([{ type: 'stale', answer: 'pong' }]);
  });

  it('knows when to look next', () => {
    expect(authSessionDueAt(openAuthSession(T0))).toBe(T0 + 10 * SECOND);
    expect(authSessionDueAt(pushed().state)).toBe(T0 + 10 * SECOND);
    expect(authSessionDueAt(synced().state)).toBe(T0 + 60 * SECOND);
    const run = synced().after(60 * SECOND);
    expect(authSessionDueAt(run.state)).toBe(T0 + 80 * SECOND);
    expect(authSessionDueAt(run.on({ type: 'ended' }).state)).toBe(Infinity);
    const refused = pushed().on({ type: 'nack', nonce: '1', reason: '' });
    expect(authSessionDueAt(refused.state)).toBe(T0 + 60 * SECOND);
  });
});

describe('closing', () => {
  it.each(['drain', 'superseded', 'refused', 'unresponsive'] as const)('says %s once', (reason) => {
    const run = synced().on({ type: 'close', reason, message: 'why', reconnectAfterMs: 5 });
    expect(run.effects).toEqual([{ type: 'close', reason, message: 'why', reconnectAfterMs: 5 }]);
    run.on({ type: 'ended' }, { type: 'ack', nonce: '1' }, { type: 'tick' }, { type: 'wanted', version: B });
    expect([run.phase, run.types]).toEqual(['closed', []]);
  });
});
