import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { AuditEventSchema } from '@tagplane/protocol';
import type { AuditEvent as AuditEventMessage } from '@tagplane/protocol';
import type { AuditEvent } from '../audit/event.ts';

export function auditMessage(event: AuditEvent): AuditEventMessage {
  const { id, code, time, authId, actor, remoteAddress, result, reason, subjects, details, count } = event;
  return create(AuditEventSchema, {
    id,
    code,
    time: timestampFromMs(time),
    authId,
    actor,
    remoteAddress,
    result,
    reason,
    subjects: [...subjects],
    details: { ...details },
    count,
  });
}
