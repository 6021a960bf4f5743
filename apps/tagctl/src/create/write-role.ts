import { accessRoleToMessage } from '@tagplane/protocol';
import type { PutRoleRequest } from '@tagplane/protocol';
import { isRefusedRole, staleLines } from '../commands/edit-role.ts';
import type { CommandContext } from '../context.ts';
import type { CreatedView } from '../views/created.ts';
import type { RoleDraft } from './role-schema.ts';

/**
 * Writes one role. A document with a revision replaces exactly that revision, one without is a new role;
 * with `force` it replaces whatever there is.
 */
export async function putRole(
  { api, io }: CommandContext,
  draft: RoleDraft,
  force: boolean,
): Promise<CreatedView> {
  const { role, revision } = draft;
  const view = { kind: 'role', name: role.name } as const;
  try {
    const request = { role: accessRoleToMessage(role), precondition: precondition(revision, force) };
    const { written, role: there } = await api.roles.putRole(request, { signal: io.signal });
    if (written) return { ...view, status: 'ACCEPTED', revision: Number(there?.revision ?? 0) };
    const reason =
      revision === undefined
        ? 'it exists already; --force replaces it'
        : [...staleLines(draft, revision, there), '--force replaces it'].join('\n');
    return { ...view, status: 'CONFLICT', reason };
  } catch (error) {
    if (!isRefusedRole(error)) throw error;
    return { ...view, status: 'INVALID', reason: error.rawMessage };
  }
}

function precondition(revision: number | undefined, force: boolean): PutRoleRequest['precondition'] {
  if (force) return { case: undefined };
  if (revision === undefined) return { case: 'createOnly', value: true };
  return { case: 'expectedRevision', value: BigInt(revision) };
}
