import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { peerOf } from '@tagplane/protocol';
import type { ServerInfoService } from '@tagplane/protocol';
import { DISCOVERED_NAME_PREFIX, serverInfoKey } from '@tagplane/serverinfo';
import { auditDeletes } from './audit-server-infos.ts';
import { callerOf } from './caller.ts';
import { isServerInfoName } from './get-server-info.ts';
import type { AssignedContext } from './route-context.ts';

type Delete = ServiceImpl<typeof ServerInfoService>['deleteServerInfos'];

/** Discovery removes discovered ServerInfos only; operators any, so that they can clean up after it. */
export function deleteServerInfos({ stores, audit, assigned }: AssignedContext): Delete {
  return async (request, context) => {
    const names = [...new Set(request.names)];
    const { role } = peerOf(context);
    const caller = callerOf(context);
    const foreign = names.filter((name) => !name.startsWith(DISCOVERED_NAME_PREFIX));
    if (role !== 'operator' && foreign.length > 0) {
      const reason = `the role ${role} removes names that begin with ${DISCOVERED_NAME_PREFIX} only`;
      audit.record({ code: 'server_info.refused', result: 'refused', ...caller, reason, subjects: foreign });
      throw new ConnectError(reason, Code.PermissionDenied);
    }
    const known = names.filter(isServerInfoName);
    if (known.length === 0) return { deleted: [] };
    const deletes = known.map((name) => ({ key: serverInfoKey(name) }));
    const results = await stores.serverInfos.delete(deletes, { signal: context.signal });
    const deleted = known.filter((_, index) => results[index]?.written === true);
    assigned.writes.deleted(deleted);
    auditDeletes(audit, { role, caller, names: deleted });
    return { deleted };
  };
}
