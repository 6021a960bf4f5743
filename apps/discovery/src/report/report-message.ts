import { create } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { ScopeReportSchema, ScopeState } from '@tagplane/protocol';
import type { ScopeReport } from '@tagplane/protocol';
import type { ScopeStatus } from '../estate/scope-status.ts';

/** The contract's limit; the SDK's messages can be long. */
const MAX_PROBLEM = 2_000;

const STATES: Readonly<Record<ScopeStatus['state'], ScopeState>> = {
  pending: ScopeState.PENDING,
  ok: ScopeState.OK,
  failing: ScopeState.FAILING,
};

export function reportMessage(status: ScopeStatus): ScopeReport {
  const { lastCompleteAt, lastEventAt } = status;
  return create(ScopeReportSchema, {
    id: status.id,
    accountId: status.account ?? '',
    region: status.region ?? '',
    state: STATES[status.state],
    problem: shortened(status.problem ?? ''),
    instances: status.instances,
    rejectedTags: status.rejectedTags,
    rejectedInstances: status.rejectedInstances,
    ...(lastCompleteAt !== undefined && { lastCompleteAt: timestampFromMs(Math.round(lastCompleteAt)) }),
    requests: BigInt(status.requests),
    throttles: BigInt(status.throttles),
    quotaUsed: status.quotaUsed,
    behind: durationFromMs(Math.round(status.behindMs)),
    ...(lastEventAt !== undefined && { lastEventAt: timestampFromMs(Math.round(lastEventAt)) }),
  });
}

/** By code points: half a character cannot be sent. */
function shortened(text: string): string {
  if (text.length <= MAX_PROBLEM) return text;
  const points = Array.from(text);
  return points.length <= MAX_PROBLEM ? text : `${points.slice(0, MAX_PROBLEM - 1).join('')}…`;
}
