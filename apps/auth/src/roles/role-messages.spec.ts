import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { applyRoleChanges, rolesRevision } from '@tagplane/access';
import type { AccessRole } from '@tagplane/access';
import { ControlStreamResponseSchema, accessRoleFromMessage } from '@tagplane/protocol';
import type { ControlStreamResponse, UpdateRoles } from '@tagplane/protocol';
import { role } from '../testing/roles.ts';
import { RoleUpdates } from './role-messages.ts';
import type { RoleSet } from './role-sets.ts';

function setOf(...roles: readonly AccessRole[]): RoleSet {
  return { revision: rolesRevision(roles), roles };
}

/** As the agent reads it. */
function read(message: ControlStreamResponse): UpdateRoles {
  const bytes = toBinary(ControlStreamResponseSchema, message);
  const update = fromBinary(ControlStreamResponseSchema, bytes).message;
  if (update.case !== 'updateRoles') throw new Error('no update of roles');
  return update.value;
}

const deny = [{ logins: ['root'], nodeLabels: { terms: [{ key: '*', values: ['*'] }] } }];
const base = setOf(role('dev'), role('ops'));
const next = setOf(
  role('dev', 'root', { deny, maxLabelAgeMs: 90_500 }),
  role('web', 'w', { description: 'ü' }),
);

describe('updates of roles', () => {
  it('are read by an agent as the whole set', () => {
    const updates = new RoleUpdates(next);
    const { message, bytes } = updates.message('r1', { kind: 'replace' }, undefined, undefined);
    const update = read(message);
    expect(update).toMatchObject({ nonce: 'r1', revision: next.revision, remaining: { seconds: 86_400n } });
    const roles = update.change.case === 'replace' ? update.change.value.roles : [];
    expect(roles.map(accessRoleFromMessage)).toEqual(next.roles);
    expect(bytes).toBeGreaterThan(50);
  });

  it('are read by an agent as the difference', () => {
    const change = { kind: 'apply', base: base.revision } as const;
    const update = read(new RoleUpdates(next).message('r1', change, base, undefined).message);
    if (update.change.case !== 'apply') throw new Error('no difference');
    const { baseRevision, put, removed } = update.change.value;
    expect({ baseRevision, removed }).toEqual({ baseRevision: base.revision, removed: ['ops'] });
    const after = applyRoleChanges(base.roles, { put: put.map(accessRoleFromMessage), removed });
    expect(rolesRevision(after)).toBe(next.revision);
  });

  it('are read by an agent as a renewal, and take next to nothing', () => {
    const { message, bytes } = new RoleUpdates(next).message('r1', { kind: 'renew' }, undefined, undefined);
    expect(read(message).change.case).toBe('renew');
    expect(bytes).toBe(0);
  });

  it('are written once for all agents', () => {
    const updates = new RoleUpdates(next);
    const [one, two] = ['r1', 'r7'].map((nonce) => {
      const { message } = updates.message(nonce, { kind: 'replace' }, undefined, undefined);
      return message.message.case === 'updateRoles' ? message.message.value.$unknown?.[0] : undefined;
    });
    expect(one).toBeDefined();
    expect(two).toBe(one);
  });
});
