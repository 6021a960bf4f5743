import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import type { AuditService } from '@tagplane/protocol';
import { optionalDurationMs } from '@tagplane/protocol';
import type { AuditLog } from '../audit/audit-log.ts';
import { auditMessage } from './audit-message.ts';

type TailAudit = ServiceImpl<typeof AuditService>['tailAudit'];

/**
 * Events of every auth process, by way of the store. A client that reads slowly holds up its own tail only.
 *
 * @param closing ends the tails when the process stops; clients come back elsewhere
 */
export function tailAudit(audit: Pick<AuditLog, 'tail'>, closing: AbortSignal): TailAudit {
  return async function* ({ since, follow, codePrefix }, context) {
    const request = { sinceMs: optionalDurationMs(since), follow, codePrefix };
    const batches = audit.tail(request, AbortSignal.any([context.signal, closing]));
    if (batches === undefined) throw new ConnectError('too many tails here', Code.ResourceExhausted);
    for await (const batch of batches) yield { events: batch.map(auditMessage) };
    if (closing.aborted) throw new ConnectError('this process is stopping', Code.Unavailable);
  };
}
