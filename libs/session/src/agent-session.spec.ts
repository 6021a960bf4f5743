import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { AgentContext, AgentEffect, AgentEvent, AgentSession, AuthMessage } from './agent-model.ts';
import { dueAt, nextAgentSession, startAgentSession } from './agent-session.ts';

const SECOND = 1_000;
const LIMITS = { heartbeatMs: 300 * SECOND, idleMs: 60 * SECOND };
const HELLO: AuthMessage = { kind: 'hello', authId: 'auth-1', limits: LIMITS };
const ROLES = { nonce: 'r1', revision: 'r', remainingMs: 1, change: { kind: 'renew' } } as const;
const UPDATE = { nonce: 'n1', revision: 'r', change: { kind: 'unknown' } } as const;

function context(now: number, random = 0.5): AgentContext {
  const policy = {
    addresses: 2,
    firstMs: 10 * SECOND,
    longestMs: 90 * SECOND,
    helloTimeoutMs: 10 * SECOND,
  };
  return { now, random: () => random, policy };
}

function received(message: AuthMessage): AgentEvent {
  return { kind: 'received', message };
}

/** Plays events, each a second after the one before; the effects of the last one. */
function play(...events: readonly AgentEvent[]): { state: AgentSession; effects: readonly AgentEffect[] } {
  let step: { state: AgentSession; effects: readonly AgentEffect[] } = {
    state: startAgentSession(context(0)),
    effects: [],
  };
  events.forEach((event, index) => {
    step = nextAgentSession(step.state, event, context((index + 1) * SECOND));
  });
  return step;
}

const DUE: AgentEvent = { kind: 'due' };
const LOST: AgentEvent = { kind: 'ended', end: { kind: 'lost' }, reason: 'gone' };

describe('nextAgentSession', () => {
  it('connects at once, at an address of its choice', () => {
    const first = startAgentSession(context(5));
    expect(dueAt(first)).toBe(5);
    expect(first).toMatchObject({ address: 1 });
    expect(startAgentSession(context(0, 0.4))).toMatchObject({ address: 0 });
    expect(nextAgentSession(first, DUE, context(5)).effects).toEqual([{ do: 'open', address: 1 }]);
  });

  it('is open after both hellos, and heartbeats after the interval ± 10 %', () => {
    const { state } = play(DUE, received(HELLO));
    expect(state).toMatchObject({ phase: 'open', authId: 'auth-1', heartbeatAt: 302 * SECOND });
    const early = nextAgentSession(play(DUE).state, received(HELLO), context(0, 0)).state;
    const late = nextAgentSession(play(DUE).state, received(HELLO), context(0, 1)).state;
    expect([early, late]).toMatchObject([{ heartbeatAt: 270 * SECOND }, { heartbeatAt: 330 * SECOND }]);
  });

  it('with another identity connects at once, whatever it waited for', () => {
    const refused: AgentEvent = {
      kind: 'ended',
      end: { kind: 'refused', reconnectAfterMs: 500 * SECOND },
      reason: 'no',
    };
    const { state } = play(DUE, refused);
    expect(dueAt(state)).toBeGreaterThan(500 * SECOND);
    const now = nextAgentSession(state, { kind: 'reidentified' }, context(5 * SECOND)).state;
    expect(now).toMatchObject({ phase: 'waiting', failures: 0, until: 5 * SECOND });
  });

  it('stays as it is when other authorities are to be trusted, and has heard of the other side', () => {
    const changed: AuthMessage = { kind: 'trust-changed', generation: 2, withinMs: 1 };
    const { state, effects } = play(DUE, received(HELLO), received(changed));
    expect(effects).toEqual([]);
    expect(state).toMatchObject({ phase: 'open', heardAt: 3 * SECOND });
    expect(play(DUE, received(changed)).state).toMatchObject({ phase: 'greeting' });
  });

  it('answers a ping, applies an update, and acks or nacks it with its nonce', () => {
    expect(play(DUE, received(HELLO), received({ kind: 'ping', nonce: 'p' })).effects).toEqual([
      { do: 'send', message: { kind: 'pong', nonce: 'p' } },
    ]);
    expect(play(DUE, received(HELLO), received({ kind: 'update', update: UPDATE })).effects).toEqual([
      { do: 'apply', update: UPDATE },
    ]);
    const ack = play(DUE, received(HELLO), { kind: 'applied', nonce: 'n1', problem: undefined });
    expect(ack.effects).toEqual([{ do: 'send', message: { kind: 'ack', nonce: 'n1' } }]);
    const nack = play(DUE, received(HELLO), { kind: 'applied', nonce: 'n1', problem: 'no' });
    expect(nack.effects).toEqual([{ do: 'send', message: { kind: 'nack', nonce: 'n1', reason: 'no' } }]);
  });

  it('applies roles beside labels, and acks or nacks them apart', () => {
    const offered: AgentEvent = received({ kind: 'update-roles', update: ROLES });
    expect(play(DUE, received(HELLO), offered).effects).toEqual([{ do: 'apply-roles', update: ROLES }]);
    const ack = play(DUE, received(HELLO), { kind: 'roles-applied', nonce: 'r1', problem: undefined });
    expect(ack.effects).toEqual([{ do: 'send', message: { kind: 'roles-ack', nonce: 'r1' } }]);
    const nack = play(DUE, received(HELLO), { kind: 'roles-applied', nonce: 'r1', problem: 'no' });
    expect(nack.effects).toEqual([
      { do: 'send', message: { kind: 'roles-nack', nonce: 'r1', reason: 'no' } },
    ]);
    expect(play(DUE, offered).effects).toMatchObject([{ do: 'close', refused: false }]);
  });

  it('heartbeats at once on a change, and counts the interval from there', () => {
    const { state, effects } = play(DUE, received(HELLO), { kind: 'changed' });
    expect(effects).toEqual([{ do: 'send', message: { kind: 'heartbeat' } }]);
    expect(state).toMatchObject({ heartbeatAt: 303 * SECOND });
    expect(play(DUE, { kind: 'changed' }).effects).toEqual([]);
  });

  it('takes a silent stream for dead, and any message for a sign of life', () => {
    const { state } = play(DUE, received(HELLO));
    expect(dueAt(state)).toBe(62 * SECOND);
    const heard = nextAgentSession(state, received({ kind: 'unknown' }), context(50 * SECOND)).state;
    expect(dueAt(heard)).toBe(110 * SECOND);
    expect(nextAgentSession(state, DUE, context(61 * SECOND)).effects).toEqual([]);
    expect(nextAgentSession(state, DUE, context(62 * SECOND))).toMatchObject({
      state: { phase: 'waiting', address: 0, failures: 1 },
      effects: [{ do: 'close' }],
    });
  });

  it('leaves silence to HTTP/2 when the auth service names no limit', () => {
    const limits = { heartbeatMs: 300 * SECOND, idleMs: undefined };
    const { state } = play(DUE, received({ ...HELLO, limits }));
    expect(dueAt(state)).toBe(302 * SECOND);
    expect(nextAgentSession(state, DUE, context(302 * SECOND)).effects).toMatchObject([{ do: 'send' }]);
  });

  it.each<[string, readonly AgentEvent[], number]>([
    ['no hello in time', [DUE, ...Array<AgentEvent>(9).fill(DUE), DUE], 11 + 5],
    ['an update before the hello', [DUE, received({ kind: 'update', update: UPDATE })], 2 + 5],
    ['a ping before the hello', [DUE, received({ kind: 'ping', nonce: '' })], 2 + 5],
    ['a stream that could not be opened', [DUE, LOST], 2 + 5],
    ['a stream that was lost', [DUE, received(HELLO), LOST], 3 + 5],
    [
      'a drain',
      [
        DUE,
        received(HELLO),
        received({
          kind: 'goodbye',
          end: { kind: 'sent-away', reconnectAfterMs: 8 * SECOND },
          reason: 'drain',
        }),
      ],
      3 + 8 + 4,
    ],
    [
      'a newer session',
      [
        DUE,
        received(HELLO),
        received({
          kind: 'goodbye',
          end: { kind: 'refused', reconnectAfterMs: undefined },
          reason: 'superseded',
        }),
      ],
      3 + 67.5,
    ],
  ])('after %s waits, and tries the next address', (_, events, until) => {
    const { state, effects } = play(...events);
    expect(effects).toMatchObject([{ do: 'close' }]);
    expect(state).toMatchObject({ phase: 'waiting', address: 0, failures: 1, until: until * SECOND });
  });

  it('waits longer from failure to failure, and starts over after a good stream', () => {
    let state = startAgentSession(context(0));
    const ceilings: number[] = [];
    for (let attempt = 0; attempt < 6; attempt += 1) {
      const now = dueAt(state) ?? 0;
      state = nextAgentSession(nextAgentSession(state, DUE, context(now)).state, LOST, context(now, 1)).state;
      ceilings.push((dueAt(state) ?? 0) - now);
    }
    expect(ceilings).toEqual([10, 20, 40, 80, 90, 90].map((seconds) => seconds * SECOND));
    const now = dueAt(state) ?? 0;
    for (const event of [DUE, received(HELLO), LOST])
      state = nextAgentSession(state, event, context(now, 1)).state;
    expect(dueAt(state)).toBe(now + 10 * SECOND);
  });

  it('opens the stream anew for another identity, at the same address', () => {
    const { state, effects } = play(DUE, received(HELLO), { kind: 'reidentified' });
    expect(effects).toMatchObject([{ do: 'close' }]);
    expect(state).toMatchObject({ phase: 'waiting', address: 1, until: 3 * SECOND });
  });

  it('says goodbye before it stops, and does not wait for long', () => {
    const stop: AgentEvent = { kind: 'stop', reason: 'bye' };
    const { state, effects } = play(DUE, received(HELLO), stop);
    expect(effects).toEqual([{ do: 'send', message: { kind: 'goodbye', reason: 'bye' } }]);
    expect(nextAgentSession(state, LOST, context(3_001)).state).toEqual({ phase: 'stopped' });
    expect(nextAgentSession(state, DUE, context(3_001)).state).toBe(state);
    expect(nextAgentSession(state, DUE, context(4_500)).state).toEqual({ phase: 'stopped' });
    expect(play(stop)).toEqual({ state: { phase: 'stopped' }, effects: [] });
    expect(play(DUE, stop)).toMatchObject({ state: { phase: 'stopped' }, effects: [{ do: 'close' }] });
  });
});

const anyEnd = fc.record({
  kind: fc.constantFrom('lost' as const, 'sent-away' as const, 'refused' as const),
  reconnectAfterMs: fc.option(fc.nat(1e6), { nil: undefined }),
});
const anyMessage: fc.Arbitrary<AuthMessage> = fc.oneof(
  fc.constant(HELLO),
  fc.constant<AuthMessage>({ kind: 'update', update: UPDATE }),
  fc.constant<AuthMessage>({ kind: 'update-roles', update: ROLES }),
  fc.constant<AuthMessage>({ kind: 'ping', nonce: 'p' }),
  fc.constant<AuthMessage>({ kind: 'unknown' }),
  anyEnd.map((end): AuthMessage => ({ kind: 'goodbye', end, reason: 'r' })),
);
const anyEvent: fc.Arbitrary<AgentEvent> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(DUE) },
  { weight: 4, arbitrary: anyMessage.map(received) },
  anyEnd.map((end): AgentEvent => ({ kind: 'ended', end, reason: 'r' })),
  fc.constant<AgentEvent>({ kind: 'changed' }),
  fc.constant<AgentEvent>({ kind: 'reidentified' }),
);

describe('any course of events', () => {
  it('holds one stream at most, sends only on an open one, and always has a next step', () => {
    const steps = fc.array(fc.tuple(anyEvent, fc.double({ min: 0, max: 0.999, noNaN: true })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, (events) => {
        let now = 0;
        let streams = 0;
        let state = startAgentSession(context(0));
        for (const [event, random] of events) {
          const due = dueAt(state) ?? Number.NaN;
          expect(due - now).toBeLessThanOrEqual(700 * SECOND);
          if (event.kind === 'due') now = Math.max(now, due);
          const step = nextAgentSession(state, event, context(now, random));
          for (const effect of step.effects) {
            if (effect.do === 'open') expect(effect.address).toBeLessThan(2);
            if (effect.do === 'open') expect((streams += 1)).toBe(1);
            else expect(streams).toBe(1);
            if (effect.do === 'close') streams -= 1;
            else if (effect.do !== 'open') expect(step.state.phase).toBe('open');
          }
          ({ state } = step);
        }
        const stopping = nextAgentSession(state, { kind: 'stop', reason: 'r' }, context(now)).state;
        expect(nextAgentSession(stopping, DUE, context(now + 2 * SECOND)).state).toEqual({
          phase: 'stopped',
        });
      }),
    );
  });
});
