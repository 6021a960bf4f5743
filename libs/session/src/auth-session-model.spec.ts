import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { authSessionDueAt, nextAuthSession, openAuthSession } from './auth-session.ts';
import type { AuthSessionEffect, AuthSessionEvent, AuthSessionState } from './auth-session-state.ts';
import type { LabelsVersion } from './lifetimes.ts';

/**
 * A session and an agent with a lossy, reordering channel between them. What should be had is chosen
 * from outside; a reconcile is answered at once with it.
 */
class Model {
  now = 1_000_000;
  wanted: LabelsVersion;
  state: AuthSessionState;
  /** What the agent truly holds. */
  held = { revision: '', expiresAt: undefined as number | undefined, cleared: false };
  /** Whether it ever lost what it held, without losing the stream. */
  lost = false;
  /** Answers on their way to the auth service. */
  answers: AuthSessionEvent[] = [];
  sent: { nonce: string; version: LabelsVersion }[] = [];
  acked: { nonce: string; version: LabelsVersion } | undefined;
  readonly problems: string[] = [];

  constructor(wanted: LabelsVersion) {
    this.wanted = wanted;
    this.state = openAuthSession(this.now);
    this.feed({ type: 'hello', held: { revision: '', remainingMs: undefined } });
  }

  /** Cut off: too much was lost in a row. */
  isClosed(): boolean {
    const { sync } = this.state;
    if (sync.phase === 'closed') expect(sync.reason).toBe('unresponsive');
    return sync.phase === 'closed';
  }

  feed(event: AuthSessionEvent): void {
    const { state, effects } = nextAuthSession(this.state, event, this.now);
    this.state = state;
    for (const effect of effects) this.carryOut(effect, event);
  }

  carryOut(effect: AuthSessionEffect, cause: AuthSessionEvent): void {
    if (effect.type === 'admit') this.feed({ type: 'admitted' });
    if (effect.type === 'reconcile') this.feed({ type: 'wanted', version: this.wanted });
    if (effect.type === 'send-ping') this.feed({ type: 'pong', nonce: effect.nonce });
    if (effect.type === 'acked') this.onAcked(effect.sending.nonce, cause);
    if (effect.type === 'send-update') this.onSent(effect);
  }

  onAcked(nonce: string, cause: AuthSessionEvent): void {
    const last = this.sent.at(-1);
    if (cause.type !== 'ack' || cause.nonce !== last?.nonce || nonce !== last.nonce) {
      this.problems.push(`took an ack of ${nonce}, sent last: ${last?.nonce ?? 'nothing'}`);
    }
    this.acked = last;
  }

  onSent({ nonce, kind, version }: Extract<AuthSessionEffect, { type: 'send-update' }>): void {
    if (this.sent.some((before) => before.nonce === nonce)) this.problems.push(`nonce ${nonce} twice`);
    const again = this.acked?.nonce === this.sent.at(-1)?.nonce && this.acked?.version === version;
    const agentHasIt =
      this.held.revision === version.revision && this.held.cleared === (version.cleared === true);
    if (again && agentHasIt && this.acked !== undefined) this.problems.push('sent acknowledged state again');
    this.sent.push({ nonce, version });
    if (kind === 'renew' && this.held.revision !== version.revision) {
      this.answers.push({ type: 'nack', nonce, reason: 'not held' });
      return;
    }
    const cleared = kind === 'renew' ? this.held.cleared : version.cleared === true;
    this.held = { revision: version.revision, expiresAt: version.spans['aws/']?.expiresAt, cleared };
    this.answers.push({ type: 'ack', nonce });
  }

  heartbeat(): void {
    const { revision, expiresAt } = this.held;
    const remainingMs = expiresAt === undefined ? undefined : expiresAt - this.now;
    this.feed({ type: 'heartbeat', held: { revision, remainingMs }, changed: false });
  }

  advance(ms: number): void {
    const until = this.now + ms;
    while (authSessionDueAt(this.state) <= until && !this.isClosed()) {
      this.now = Math.max(this.now + 1, authSessionDueAt(this.state));
      this.feed({ type: 'tick' });
    }
    this.now = Math.max(this.now, until);
  }

  deliverAll(): void {
    while (this.answers.length > 0) this.feed(this.answers.shift() ?? { type: 'unknown' });
  }
}

const versions = fc
  .record({
    revision: fc.constantFrom('', 'a', 'b', 'c'),
    lifetime: fc.constantFrom(0, 1, 2),
    cleared: fc.boolean(),
  })
  .map(({ revision, lifetime, cleared }): LabelsVersion => {
    const expiresAt = lifetime === 0 ? undefined : 1_000_000 + lifetime * 100_000_000;
    const span = revision === '' ? undefined : { observedAt: lifetime, expiresAt };
    const version = { revision, spans: { 'aws/': span, 'dynamic/': undefined } };
    return cleared ? { ...version, cleared } : version;
  });

type Act = (model: Model) => void;

const acts: fc.Arbitrary<Act> = fc.oneof(
  versions.map((version): Act => (model) => {
    model.wanted = version;
    model.feed({ type: 'wanted', version });
  }),
  fc.nat(3).map((index): Act => (model) => {
    // Out of order.
    const [answer] = model.answers.splice(index % Math.max(1, model.answers.length), 1);
    if (answer !== undefined) model.feed(answer);
  }),
  fc.constant<Act>((model) => model.answers.shift()),
  fc.constant<Act>((model) => {
    const [first] = model.answers;
    if (first !== undefined) model.answers.push(first);
  }),
  fc.constant<Act>((model) => {
    model.heartbeat();
  }),
  fc.constant<Act>((model) => {
    model.feed({ type: 'keep' });
  }),
  fc.constant<Act>((model) => {
    model.held = { revision: '', expiresAt: undefined, cleared: false };
    model.lost = true;
  }),
  fc.constantFrom(10, 5_000, 11_000).map((ms): Act => (model) => {
    model.advance(ms);
  }),
);

describe('the auth service end of a stream, against a model', () => {
  it('converges from anything, takes no ack of another send, and never repeats acknowledged state', () => {
    const property = fc.property(versions, fc.array(acts, { maxLength: 40 }), (first, sequence) => {
      const model = new Model(first);
      for (const act of sequence) act(model);
      expect(model.problems).toEqual([]);
      if (model.isClosed()) return;
      // From here on nothing is lost; the agent heartbeats, and the sweep comes by.
      for (let round = 0; round < 4; round += 1) {
        model.advance(130_000);
        model.deliverAll();
        if (model.isClosed()) return;
        model.heartbeat();
        model.feed({ type: 'wanted', version: model.wanted });
        model.deliverAll();
      }
      expect(model.problems).toEqual([]);
      expect(model.held.revision).toBe(model.wanted.revision);
      // An agent's word cannot tell this; only a new stream shows that it was lost.
      if (model.wanted.cleared === true && !model.lost) expect(model.held.cleared).toBe(true);
      expect(model.held.expiresAt).toBe(model.wanted.spans['aws/']?.expiresAt);
      expect(model.state.sync.phase).toBe('synced');
      const sends = model.sent.length;
      model.heartbeat();
      model.feed({ type: 'wanted', version: { ...model.wanted } });
      expect(model.sent.length).toBe(sends);
    });
    fc.assert(property, { numRuns: 1_000 });
  });
});
