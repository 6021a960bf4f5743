import { diffRoles, rolesRevision } from '@tagplane/access';
import type { AccessRole } from '@tagplane/access';
import { describe, expect, it } from '@jest/globals';
import type { ClockReading } from './agent-clock.ts';
import { planRolesUpdate, rebaseRoles, rolesAreFresh, rolesRemainingMs } from './agent-roles.ts';
import type { HeldRoles, OfferedRoles } from './agent-roles.ts';
import { ROLES_LIFE_MS } from './auth-roles-state.ts';

const HOUR = 3_600_000;

function at(ms: number): ClockReading {
  return { wallMs: 1_800_000_000_000 + ms, monotonicMs: ms, boot: 'boot' };
}

function role(name: string, login = 'deploy'): AccessRole {
  const nodeLabels = { terms: [{ key: 'aws/env', values: ['prod'] }] };
  return {
    name,
    description: '',
    allow: [{ logins: [login], nodeLabels }],
    deny: [],
    maxLabelAgeMs: undefined,
  };
}

function offer(
  revision: string,
  change: OfferedRoles['change'],
  remainingMs: number | undefined = 10 * HOUR,
) {
  return { nonce: 'r1', revision, change, remainingMs };
}

function replace(...roles: readonly AccessRole[]): OfferedRoles {
  return offer(rolesRevision(roles), { kind: 'replace', roles });
}

function held(...roles: readonly AccessRole[]): HeldRoles {
  return { revision: rolesRevision(roles), roles, remainingMs: HOUR, asOf: at(0) };
}

function apply(base: readonly AccessRole[], next: readonly AccessRole[]): OfferedRoles {
  const baseRevision = rolesRevision(base);
  return offer(rolesRevision(next), { kind: 'apply', baseRevision, ...diffRoles(base, next) });
}

function refusal(before: HeldRoles | undefined, update: OfferedRoles): string {
  const plan = planRolesUpdate(before, update, at(0));
  return plan.kind === 'refuse' ? plan.reason : 'accepted';
}

describe('an update of roles', () => {
  const [a, b, c] = [role('a'), role('b'), role('c')];

  it('replaces all that is held, ordered by name', () => {
    expect(planRolesUpdate(held(c), replace(b, a), at(7))).toEqual({
      kind: 'accept',
      held: { revision: rolesRevision([a, b]), roles: [a, b], remainingMs: 10 * HOUR, asOf: at(7) },
    });
  });

  it('changes what is held', () => {
    const next = [a, role('b', 'root'), c];
    expect(planRolesUpdate(held(b), apply([b], next), at(7))).toMatchObject({ held: { roles: next } });
    expect(planRolesUpdate(held(a, b), apply([a, b], []), at(7))).toMatchObject({
      held: { revision: '', roles: [] },
    });
    expect(planRolesUpdate(undefined, apply([], [a]), at(7))).toMatchObject({ held: { roles: [a] } });
  });

  it('renews what is held', () => {
    expect(planRolesUpdate(held(a), offer(rolesRevision([a]), { kind: 'renew' }), at(2 * HOUR))).toEqual({
      kind: 'accept',
      held: { ...held(a), remainingMs: 10 * HOUR, asOf: at(2 * HOUR) },
    });
  });

  it('never counts for longer than a day', () => {
    const forever = offer('', { kind: 'replace', roles: [] }, Infinity);
    expect(planRolesUpdate(undefined, forever, at(0))).toMatchObject({
      held: { remainingMs: ROLES_LIFE_MS },
    });
    const over = offer('', { kind: 'replace', roles: [] }, -1);
    expect(planRolesUpdate(undefined, over, at(0))).toMatchObject({ held: { remainingMs: 0 } });
  });

  const many = Array.from({ length: 2_001 }, (_, index) => role(`r${index}`));
  it.each<[string, HeldRoles | undefined, OfferedRoles, RegExp]>([
    ['another base', held(a), apply([b], [b, c]), /does not hold/],
    ['no base at all', undefined, apply([b], [b, c]), /does not hold/],
    ['a renewal of others', held(a), offer('0'.repeat(32), { kind: 'renew' }), /does not hold/],
    ['a renewal of none', undefined, offer('0'.repeat(32), { kind: 'renew' }), /does not hold/],
    ['another revision', undefined, { ...replace(a), revision: rolesRevision([b]) }, /revision/],
    ['a change to another revision', held(a), { ...apply([a], [a, b]), revision: '' }, /revision/],
    ['too many', undefined, replace(...many), /at most/],
    ['two of one name', undefined, replace(a, role('a', 'root')), /twice/],
    ['a role that is none', undefined, replace(role('b a')), /name/],
    [
      'a rule that is none',
      held(a),
      apply([a], [a, { ...b, allow: [{ logins: [], nodeLabels: { terms: [] } }] }]),
      /rule 1/,
    ],
    ['a kind of change of a newer version', held(a), offer('', { kind: 'unknown' }), /kind of change/],
    ['no lifetime', undefined, { ...replace(a), remainingMs: undefined }, /how long/],
  ])('is refused with %s', (_what, before, update, reason) => {
    expect(refusal(before, update)).toMatch(reason);
  });
});

describe('held roles', () => {
  it('run out by the clock, also of a machine that slept', () => {
    const roles = held(role('a'));
    expect(rolesRemainingMs(roles, at(HOUR - 1))).toBe(1);
    expect(rolesAreFresh(roles, at(HOUR - 1))).toBe(true);
    expect(rolesAreFresh(roles, at(HOUR))).toBe(false);
    expect(rolesRemainingMs(roles, at(HOUR + 1))).toBe(0);
    expect(rolesAreFresh(roles, { ...at(0), wallMs: at(HOUR).wallMs })).toBe(false);
    expect(rebaseRoles(roles, at(1_000))).toEqual({ ...roles, remainingMs: HOUR - 1_000, asOf: at(1_000) });
  });
});
