import type { InstanceKey } from '@tagplane/identity';

export type EnrolmentViewState =
  'ENROLLED' | 'WAITING' | 'PENDING' | 'FAILED' | 'NO_SSM_AGENT' | 'NOT_RUNNING' | 'UNSUPPORTED';

/** How the enrolment of one instance stands, for a person. */
export interface EnrolmentView {
  readonly key: InstanceKey;
  readonly state: EnrolmentViewState;
  /** Why, and what to do. */
  readonly reason: string;
  readonly attempts: number;
  /** Of the last attempt; empty when there is none. */
  readonly commandId: string;
  /** Unix milliseconds; undefined when no attempt is due. */
  readonly nextAttemptAt: number | undefined;
}

export const REASONS = {
  waiting: 'its turn has not come yet: attempts a minute and at a time are limited (enroll.cap_per_minute)',
  claimed: 'the SSM command is being sent',
  commanded: 'the SSM command is on its way to the instance, or being carried out',
  carriedOut: 'the SSM command succeeded, and the agent has not come yet',
  neverCame:
    'the SSM command succeeded, and no agent came: on the instance see `journalctl -u tagplane-agent`, and whether it reaches enroll.auth_addresses',
  noAnswer:
    'SSM did not say in time how the command ended: the instance went offline, or enroll.document takes too long',
  offline:
    'SSM has lost the instance: the SSM agent is not running, or cannot reach SSM over the network (endpoints, proxy, security groups)',
  unknown:
    'SSM does not know the instance: the instance profile lacks AmazonSSMManagedInstanceCore, or the SSM agent is not installed or not running',
  windows: 'there is no agent for Windows',
  notAsked: 'SSM has not been asked about this account and region yet',
} as const;

export function notRunning(state: string): string {
  return `the instance is ${state}: it is enrolled when it runs`;
}

export function ssmFailing(reason: string): string {
  return `SSM could not be asked which instances it manages: ${reason}`;
}

/** What keeps it from being tried again, and what became of the attempt before. */
export function withFailure(reason: string, failure: string | undefined): string {
  return failure === undefined ? reason : `${reason}; the attempt before failed: ${failure}`;
}
