import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { roleProblem, rolesProblem } from '@tagplane/access';
import type { AccessRole, StoredRole } from '@tagplane/access';
import { accessRoleFromMessage, storedRoleToMessage } from '@tagplane/protocol';
import type { PutRoleRequest, RoleService } from '@tagplane/protocol';
import type { Expected, Store } from '@tagplane/store';
import type { Audit } from '../audit/audit.ts';
import type { RoleRegistry } from '../roles/create-roles.ts';
import { encodeRole, foundRole, roleKey } from '../roles/role-codec.ts';
import { callerOf } from './caller.ts';

export interface RoleRoutes {
  readonly store: Store;
  readonly roles: Pick<RoleRegistry, 'index'>;
  readonly audit: Audit;
  /** Unix milliseconds; default Date.now. */
  readonly now?: () => number;
}

type PutRole = ServiceImpl<typeof RoleService>['putRole'];

/** Writes one role. A refusal says why: to the caller, and in the audit. */
export function putRole({ store, roles, audit, now = () => Date.now() }: RoleRoutes): PutRole {
  return async (request, context) => {
    const { signal } = context;
    const caller = callerOf(context);
    const role = roleOf(request);
    const refuse = (reason: string): void => {
      audit.record({ code: 'role.refused', result: 'refused', ...caller, reason, subjects: [role.name] });
    };
    const stored = { ...role, updatedBy: caller.actor, updatedAt: now() };
    try {
      check(role, roles);
    } catch (error) {
      refuse(ConnectError.from(error).rawMessage);
      throw error;
    }
    const expected = expectedBy(request);
    const put = {
      key: roleKey(role.name),
      value: encodeRole(stored),
      ttlMs: undefined,
      ...(expected && { expected }),
    };
    const [result] = await store.put([put], { signal });
    if (result?.written !== true) {
      const inTheWay = await readRole(store, role.name, signal);
      refuse(conflictReason(request, inTheWay));
      return { written: false, ...(inTheWay && { role: storedRoleToMessage(inTheWay) }) };
    }
    await roles.index.mark(signal);
    const { revision } = result;
    const details = { revision: String(revision) };
    audit.record({ code: 'role.put', result: 'ok', ...caller, subjects: [role.name], details });
    return { written: true, role: storedRoleToMessage({ ...stored, revision }) };
  };
}

export async function readRole(
  store: Store,
  name: string,
  signal: AbortSignal,
): Promise<StoredRole | undefined> {
  const [found] = await store.getMany([roleKey(name)], { signal });
  return foundRole(found);
}

function roleOf({ role }: PutRoleRequest): AccessRole {
  if (role === undefined) throw new ConnectError('role: required', Code.InvalidArgument);
  return accessRoleFromMessage(role);
}

/** @throws ConnectError INVALID_ARGUMENT naming role and rule, RESOURCE_EXHAUSTED, or UNAVAILABLE */
function check(role: AccessRole, roles: RoleRoutes['roles']): void {
  const problem = roleProblem(role);
  if (problem !== undefined) {
    throw new ConnectError(`role ${JSON.stringify(role.name)}: ${problem}`, Code.InvalidArgument);
  }
  if (!roles.index.loaded) throw new ConnectError('the roles are not loaded yet', Code.Unavailable);
  // Every agent holds all of them, and refuses more than these limits.
  const together = rolesProblem([...roles.index.others(role.name), role]);
  if (together !== undefined) throw new ConnectError(together, Code.ResourceExhausted);
}

function expectedBy({ precondition }: PutRoleRequest): Expected | undefined {
  if (precondition.case === 'expectedRevision') return { revision: Number(precondition.value) };
  return precondition.case === 'createOnly' && precondition.value ? { live: false } : undefined;
}

function conflictReason({ precondition }: PutRoleRequest, inTheWay: StoredRole | undefined): string {
  if (precondition.case !== 'expectedRevision') return 'there is a role of this name';
  const actual = inTheWay === undefined ? 'there is none' : `it is ${inTheWay.revision}`;
  return `revision ${precondition.value} was expected, and ${actual}`;
}
