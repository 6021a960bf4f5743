import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { peerOf } from '@tagplane/protocol';
import type { ServerInfoService } from '@tagplane/protocol';
import { DISCOVERED_NAME_PREFIX, serverInfoKey } from '@tagplane/serverinfo';
import { fencedWriter } from '../discovery/fence.ts';
import type { Writer } from '../discovery/fence.ts';
import { deleteOwned } from '../discovery/owned-writes.ts';
import { auditDeletes, auditKept } from './audit-server-infos.ts';
import type { Upserted } from './audit-server-infos.ts';
import { callerOf } from './caller.ts';
import type { Caller } from './caller.ts';
import { isServerInfoName } from './get-server-info.ts';
import { operatorLeave } from './operator-leave.ts';
import type { AssignedContext } from './route-context.ts';

type Delete = ServiceImpl<typeof ServerInfoService>['deleteServerInfos'];

/** Discovery removes discovered ServerInfos only; operators any, so that they can clean up after it. */
export function deleteServerInfos(routes: AssignedContext): Delete {
  return async (request, context) => {
    const names = [...new Set(request.names)];
    const { audit } = routes;
    const peer = peerOf(context);
    const { role } = peer;
    const caller = callerOf(context);
    const foreign = names.filter((name) => !name.startsWith(DISCOVERED_NAME_PREFIX));
    if (role !== 'operator' && foreign.length > 0) {
      const reason = `the role ${role} removes names that begin with ${DISCOVERED_NAME_PREFIX} only`;
      audit.record({ code: 'server_info.refused', result: 'refused', ...caller, reason, subjects: foreign });
      throw new ConnectError(reason, Code.PermissionDenied);
    }
    const known = names.filter(isServerInfoName);
    if (known.length === 0 && role !== 'discovery') return { deleted: [] };
    if (role === 'discovery') {
      const removing = { names: known, caller, ...fencedWriter(peer, request.fence) };
      return { deleted: await removeOwned(routes, removing, context.signal) };
    }
    const holdId = role === 'operator' ? await heldBy(routes, known, caller, context.signal) : undefined;
    if (holdId !== undefined) return { deleted: [], holdId };
    return { deleted: await removeServerInfos(routes, { names: known, role, caller }, context.signal) };
  };
}

export interface Removing extends Pick<Upserted, 'role' | 'caller' | 'requestedBy'> {
  readonly names: readonly string[];
}

/**
 * Removes them, without asking anybody.
 *
 * @returns those that were there
 */
export async function removeServerInfos(
  { stores, audit, assigned }: AssignedContext,
  removing: Removing,
  signal: AbortSignal,
): Promise<string[]> {
  const { names } = removing;
  const deletes = names.map((name) => ({ key: serverInfoKey(name) }));
  const results = await stores.serverInfos.delete(deletes, { signal });
  const deleted = names.filter((_, index) => results[index]?.written === true);
  assigned.writes.deleted(deleted);
  auditDeletes(audit, { ...removing, names: deleted });
  return deleted;
}

/** Of a discovery: its own, while its lease is good. What is another's stays, and that is written down. */
async function removeOwned(
  { stores, audit, fences }: AssignedContext,
  { names, caller, origin, fence }: Omit<Removing, 'role'> & Writer,
  signal: AbortSignal,
): Promise<string[]> {
  const keys = names.map(serverInfoKey);
  const remove = (guard: object) => deleteOwned(stores.serverInfos, keys, { signal, origin, ...guard });
  const results = await fences.guarded(fence, caller, remove, signal);
  const deleted = names.filter((_, index) => results[index]?.written === true);
  auditDeletes(audit, { role: 'discovery', caller, names: deleted });
  const kept = names.flatMap((name, index) => {
    const result = results[index];
    return result !== undefined && 'owner' in result ? [{ name, owner: result.owner }] : [];
  });
  auditKept(audit, caller, kept);
  return deleted;
}

async function heldBy(
  routes: AssignedContext,
  names: readonly string[],
  caller: Caller,
  signal: AbortSignal,
): Promise<string | undefined> {
  const what = `${names.length} ServerInfos removed`;
  const request = { kind: 'delete', names } as const;
  return await operatorLeave(
    routes,
    { change: { drafts: [], removed: names }, request, caller, what },
    signal,
  );
}
