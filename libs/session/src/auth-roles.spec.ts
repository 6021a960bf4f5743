import { describe, expect, it } from '@jest/globals';
import { OPEN_AUTH_ROLES, authRolesDueAt, nextAuthRoles } from './auth-roles.ts';
import { ROLES_LIFE_MS } from './auth-roles-state.ts';
import type { AuthRolesEvent, AuthRolesState, AuthRolesStep } from './auth-roles-state.ts';
import { DEFAULT_AUTH_SESSION_SETTINGS } from './auth-session-state.ts';

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;
const settings = { ...DEFAULT_AUTH_SESSION_SETTINGS, ackTimeoutMs: 10_000, maxSends: 3 };

function next(state: AuthRolesState, event: AuthRolesEvent, now = NOW, spread = 0): AuthRolesStep {
  return nextAuthRoles(state, event, { now, settings, spread });
}

/** The state after these events, and the effects of the last one. */
function after(
  ...events: readonly (AuthRolesEvent | { at: number; event: AuthRolesEvent })[]
): AuthRolesStep {
  let step: AuthRolesStep = { state: OPEN_AUTH_ROLES, effects: [] };
  for (const each of events) {
    step = 'at' in each ? next(step.state, each.event, each.at) : next(step.state, each);
  }
  return step;
}

const hello = (revision = '', remainingMs?: number, decides = true): AuthRolesEvent => ({
  type: 'hello',
  decides,
  held: { revision, remainingMs },
});
const wanted = (revision: string, ...known: readonly string[]): AuthRolesEvent => ({
  type: 'wanted',
  revision,
  knows: (base) => known.includes(base),
});
const heartbeat = (revision: string, remainingMs?: number): AuthRolesEvent => ({
  type: 'heartbeat',
  held: { revision, remainingMs },
});
const ack = (nonce: string): AuthRolesEvent => ({ type: 'ack', nonce });
const nack = (nonce: string): AuthRolesEvent => ({ type: 'nack', nonce, reason: 'no' });
const tick: AuthRolesEvent = { type: 'tick' };
const phase = ({ state }: AuthRolesStep): string => state.sync.phase;

describe('what an agent is sent', () => {
  it.each([
    ['nothing, when it holds none and there are none', hello(), wanted(''), 'nothing'],
    ['nothing, when it holds them for long', hello('a', 20 * HOUR), wanted('a'), 'nothing'],
    ['a renewal, when less than two thirds are left', hello('a', 15 * HOUR), wanted('a'), 'renew'],
    ['a renewal, when they have run out', hello('a', 0), wanted('a'), 'renew'],
    ['a renewal, when it does not say for how long', hello('a'), wanted('a'), 'renew'],
    ['all, when it holds none', hello(), wanted('a', ''), 'replace'],
    ['all, when what it holds is forgotten', hello('x', HOUR), wanted('a', 'b'), 'replace'],
    ['a difference, when what it holds is known', hello('b', HOUR), wanted('a', 'b'), 'apply b'],
    ['a difference, when there are none any more', hello('b', HOUR), wanted('', 'b'), 'apply b'],
  ])('is %s', (_what, said, should, expected) => {
    const step = after(said, should);
    const [effect] = step.effects;
    const change = effect?.type === 'send-roles' ? effect.change : undefined;
    const text = change?.kind === 'apply' ? `apply ${change.base}` : (change?.kind ?? 'nothing');
    expect(text).toBe(expected);
    expect(phase(step)).toBe(expected === 'nothing' ? 'synced' : 'awaiting-ack');
  });

  it('is nothing, when it does not decide, whatever it says', () => {
    const step = after(hello('', undefined, false), wanted('a'), heartbeat('x'), ack('r1'), nack('r1'));
    expect(phase(step)).toBe('off');
    expect(after(hello('', undefined, false), wanted('a')).effects).toEqual([]);
    expect(authRolesDueAt(step.state, 0)).toBe(Infinity);
  });

  it('is nothing before its hello, nor until it is known what it should have', () => {
    expect(after(wanted('a')).effects).toEqual([]);
    const step = after(hello('x'));
    expect(step.effects).toEqual([{ type: 'ask' }]);
    expect(authRolesDueAt(step.state, 0)).toBe(Infinity);
  });
});

describe('while an update is on its way', () => {
  const sent = [hello(), wanted('a')];

  it('nothing else is sent, and what is wanted by then follows the ack as a difference', () => {
    const waiting = after(...sent, wanted('b', 'a'));
    expect(waiting.effects).toEqual([]);
    const acked = next(waiting.state, ack('r1'));
    expect(acked.effects).toMatchObject([{ type: 'acked', sending: { revision: 'a' } }, { type: 'ask' }]);
    expect(next(acked.state, wanted('b', 'a')).effects).toEqual([
      { type: 'send-roles', nonce: 'r2', revision: 'b', change: { kind: 'apply', base: 'a' } },
    ]);
  });

  it('what is wanted again is no longer newer', () => {
    expect(after(...sent, wanted('b'), wanted('a'), ack('r1')).effects).toMatchObject([{ type: 'acked' }]);
  });

  it('a heartbeat changes nothing: it may be older', () => {
    expect(after(...sent, heartbeat('')).effects).toEqual([]);
    expect(phase(after(...sent, heartbeat('')))).toBe('awaiting-ack');
  });

  it('an answer to another send changes nothing', () => {
    expect(after(...sent, ack('r7')).effects).toEqual([{ type: 'stale', answer: 'ack' }]);
    expect(after(...sent, nack('r7')).effects).toEqual([{ type: 'stale', answer: 'nack' }]);
    expect(after(...sent, ack('r1'), ack('r1')).effects).toEqual([{ type: 'stale', answer: 'ack' }]);
  });

  it('the whole set is sent again when no answer comes, then the agent is cut off', () => {
    const first = after(...sent);
    expect(authRolesDueAt(first.state, 0)).toBe(NOW + 10_000);
    expect(next(first.state, tick, NOW + 9_999).effects).toEqual([]);
    let state = next(first.state, tick, NOW + 10_000);
    expect(state.effects).toEqual([{ type: 'ask' }]);
    state = next(state.state, wanted('b', 'a'), NOW + 10_000);
    expect(state.effects).toMatchObject([{ type: 'send-roles', nonce: 'r2', change: { kind: 'replace' } }]);
    expect(authRolesDueAt(state.state, 0)).toBe(NOW + 30_000);
    state = next(next(state.state, tick, NOW + 30_000).state, wanted('b'), NOW + 30_000);
    expect(authRolesDueAt(state.state, 0)).toBe(NOW + 70_000);
    expect(next(state.state, tick, NOW + 70_000).effects).toEqual([{ type: 'unresponsive' }]);
  });
});

describe('a refusal', () => {
  it('of a difference is followed by the whole set', () => {
    const step = after(hello('b', HOUR), wanted('a', 'b'), nack('r1'));
    expect(step.effects).toMatchObject([{ type: 'nacked', reason: 'no' }, { type: 'ask' }]);
    expect(next(step.state, wanted('a', 'b')).effects).toMatchObject([{ change: { kind: 'replace' } }]);
  });

  it('of a renewal is followed by the whole set', () => {
    const step = after(hello('a', HOUR), wanted('a'), nack('r1'));
    expect(next(step.state, wanted('a')).effects).toMatchObject([{ change: { kind: 'replace' } }]);
  });

  it('of the whole set backs off, longer each time; another set is sent at once', () => {
    let step = after(hello(), wanted('a'), nack('r1'));
    expect(step.state.sync).toMatchObject({ phase: 'backing-off', reason: 'no', retryAt: NOW + 60_000 });
    expect(next(step.state, wanted('a')).effects).toEqual([]);
    expect(next(step.state, heartbeat('x')).effects).toEqual([]);
    expect(next(step.state, wanted('b')).effects).toMatchObject([
      { revision: 'b', change: { kind: 'replace' } },
    ]);
    expect(next(step.state, tick, NOW + 59_999).effects).toEqual([]);
    step = next(step.state, tick, NOW + 60_000);
    expect(step.effects).toEqual([{ type: 'ask' }]);
    step = next(step.state, wanted('a'), NOW + 60_000);
    step = next(step.state, nack('r2'), NOW + 60_000);
    expect(step.state.sync).toMatchObject({ retryAt: NOW + 180_000 });
  });
});

describe('roles that it has', () => {
  const synced = [hello(), wanted('a'), ack('r1')];

  it('are not sent again', () => {
    expect(phase(after(...synced))).toBe('synced');
    expect(after(...synced, wanted('a')).effects).toEqual([]);
    expect(after(...synced, heartbeat('a', ROLES_LIFE_MS)).effects).toEqual([]);
  });

  it('are renewed after a third of their life, each agent at another time', () => {
    const { state } = after(...synced);
    expect(authRolesDueAt(state, 0)).toBe(NOW + 8 * HOUR);
    expect(authRolesDueAt(state, 0.5)).toBe(NOW + 9 * HOUR);
    expect(next(state, tick, NOW + 8 * HOUR - 1).effects).toEqual([]);
    const due = next(state, tick, NOW + 8 * HOUR);
    expect(due.effects).toEqual([{ type: 'ask' }]);
    expect(next(due.state, wanted('a'), NOW + 8 * HOUR).effects).toMatchObject([
      { change: { kind: 'renew' } },
    ]);
    expect(next(due.state, wanted('b', 'a'), NOW + 8 * HOUR).effects).toMatchObject([
      { change: { kind: 'apply', base: 'a' } },
    ]);
  });

  it('are looked at again when a heartbeat says otherwise', () => {
    expect(after(...synced, heartbeat('')).effects).toEqual([{ type: 'ask' }]);
    expect(after(...synced, heartbeat('a', HOUR)).effects).toEqual([{ type: 'ask' }]);
    expect(after(...synced, heartbeat('a')).effects).toEqual([{ type: 'ask' }]);
    const lost = after(...synced, heartbeat(''), wanted('a', 'a'));
    expect(lost.effects).toMatchObject([{ revision: 'a', change: { kind: 'replace' } }]);
  });

  it('are said once more when they are to be', () => {
    const step = after(...synced, { type: 'renew' });
    expect(step.effects).toEqual([{ type: 'ask' }]);
    expect(next(step.state, wanted('a')).effects).toMatchObject([{ change: { kind: 'renew' } }]);
    expect(after(hello(), wanted(''), { type: 'renew' }).effects).toEqual([]);
    expect(after(hello(), wanted('a'), { type: 'renew' }).effects).toEqual([]);
  });

  it('never run out when there are none', () => {
    const { state } = after(hello(), wanted(''));
    expect(authRolesDueAt(state, 0)).toBe(Infinity);
    expect(next(state, heartbeat('')).effects).toEqual([]);
    expect(authRolesDueAt(after(...synced, wanted('', 'a'), ack('r2')).state, 0)).toBe(Infinity);
  });
});
