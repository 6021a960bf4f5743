import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { instanceKeyText, isCertifiedName, peerText } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import { connectionOf, instanceFromMessage, peerOf } from '@tagplane/protocol';
import type { JoinRecordService, ResetJoinRequest } from '@tagplane/protocol';
import type { Audit } from '../audit/audit.ts';
import type { JoinRecords } from '../join/join-records.ts';
import type { JoinRole } from '../join/roles.ts';

type ResetJoin = ServiceImpl<typeof JoinRecordService>['resetJoin'];

/** Forgets who has a name, or that an instance has joined. Certificates that are out stay good: see locks. */
export function resetJoin(options: { readonly records: JoinRecords; readonly audit: Audit }): ResetJoin {
  const { records, audit } = options;
  return async (request, context) => {
    const subject = readSubject(request);
    const reset =
      'instance' in subject
        ? await records.resetInstance(subject.instance, context.signal)
        : await records.resetName(subject.role, subject.name, context.signal);
    if (reset) {
      audit.record({
        code: 'join.reset',
        result: 'ok',
        actor: peerText(peerOf(context)),
        remoteAddress: connectionOf(context)?.remoteAddress,
        subjects: ['instance' in subject ? instanceKeyText(subject.instance) : peerText(subject)],
      });
    }
    return { reset };
  };
}

type Subject = { readonly instance: InstanceKey } | { readonly role: JoinRole; readonly name: string };

function readSubject({ subject }: ResetJoinRequest): Subject {
  switch (subject.case) {
    case 'instance': {
      const instance = instanceFromMessage(subject.value);
      if (instance === undefined) throw invalid('instance: no instance');
      return { instance };
    }
    case 'serverId':
      return named('agent', subject.value);
    case 'discovery':
    case 'operator':
      return named(subject.case, subject.value);
    case undefined:
      throw invalid('subject: required');
  }
}

function named(role: JoinRole, name: string): Subject {
  if (!isCertifiedName(name)) throw invalid(`${role}: no name`);
  return { role, name };
}

function invalid(reason: string): ConnectError {
  return new ConnectError(reason, Code.InvalidArgument);
}
