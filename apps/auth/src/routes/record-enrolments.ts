import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import type { InstanceKey } from '@tagplane/identity';
import { instanceFromMessage, peerOf } from '@tagplane/protocol';
import type { AwsInstance, DiscoveryService, EnrolmentRecord } from '@tagplane/protocol';
import { cleanText } from '../audit/clean-text.ts';
import { fencedWriter } from '../discovery/fence.ts';
import { callerOf } from './caller.ts';
import type { DiscoveryContext } from './discovery-context.ts';

type RecordEnrolments = ServiceImpl<typeof DiscoveryService>['recordEnrolments'];

const MAX_REASON = 1_000;
const MAX_COMMAND_ID = 128;

export function recordEnrolments({ enrolments, fences }: DiscoveryContext): RecordEnrolments {
  return async (request, context) => {
    const { signal } = context;
    const { fence, origin } = fencedWriter(peerOf(context), request.fence);
    const records = request.records.map((record) => ({
      instance: readInstance(record.instance),
      record: cleanRecord(record),
    }));
    const removed = request.removed.map(readInstance);
    await fences.check(fence, callerOf(context), signal);
    await enrolments.remove(removed, signal);
    if (records.length > 0) await enrolments.record(records, { origin, now: Date.now() }, signal);
    return {};
  };
}

/** @throws ConnectError INVALID_ARGUMENT */
export function readInstance(message: AwsInstance | undefined): InstanceKey {
  const instance = message && instanceFromMessage(message);
  if (instance === undefined) throw new ConnectError('no AWS instance', Code.InvalidArgument);
  return instance;
}

function cleanRecord(record: EnrolmentRecord): EnrolmentRecord {
  return {
    ...record,
    reason: cleanText(record.reason, MAX_REASON),
    commandId: cleanText(record.commandId, MAX_COMMAND_ID),
  };
}
