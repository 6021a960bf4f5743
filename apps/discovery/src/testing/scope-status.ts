import type { ScopeStatus } from '../estate/scope-status.ts';

/** A scope's status for tests. */
export function statusOf(status: Partial<ScopeStatus> & Pick<ScopeStatus, 'id'>): ScopeStatus {
  return {
    account: undefined,
    region: undefined,
    state: 'pending',
    problem: undefined,
    instances: 0,
    rejectedTags: 0,
    rejectedInstances: 0,
    lastCompleteAt: undefined,
    requests: 0,
    throttles: 0,
    quotaUsed: 0,
    behindMs: 0,
    lastEventAt: undefined,
    ...status,
  };
}
