import { durationFromMs, timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { createClient } from '@connectrpc/connect';
import type { Transport } from '@connectrpc/connect';
import { instanceKeyText } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import {
  DiscoveryService,
  EnrolmentClaimStatus,
  EnrolmentState,
  instanceFromMessage,
  instanceToMessage,
} from '@tagplane/protocol';
import type { EnrolmentRecord } from '@tagplane/protocol';
import { SECOND } from '@tagplane/runtime';
import { AuthCallError } from '../auth-client.ts';
import { underFence } from '../lease/fence.ts';
import type { Fence } from '../lease/fence.ts';
import type { EnrolmentView, EnrolmentViewState } from './view.ts';

const CALL_TIMEOUT_MS = 10 * SECOND;
const PAGE_SIZE = 1_000;
/** The most characters that a record's reason may have. */
const MAX_REASON = 1_000;

const STATES: readonly EnrolmentViewState[] = [
  'ENROLLED',
  'WAITING',
  'PENDING',
  'FAILED',
  'NO_SSM_AGENT',
  'NOT_RUNNING',
  'UNSUPPORTED',
];

/** What became of a claim. */
export type Claim =
  /** The token is a secret, and empty when none was asked for. */
  | { readonly kind: 'claimed'; readonly token: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** What is on record of an instance, and since when. */
export interface RecordedEnrolment {
  readonly view: EnrolmentView;
  readonly recordedAt: number;
}

/** The auth service, as enrolment needs it. Each call ends within 10 s; failures are AuthCallErrors. */
export interface EnrolmentAuth {
  /** `account/region/instance` of all instances that a node speaks for. */
  agents(signal: AbortSignal): Promise<Set<string>>;
  /** The attempts that are on record: under way, or failed. */
  recorded(signal: AbortSignal): Promise<RecordedEnrolment[]>;
  /** One answer for each instance, in their order. */
  claim(
    keys: readonly InstanceKey[],
    options: { readonly ttlMs: number; readonly withTokens: boolean },
    signal: AbortSignal,
  ): Promise<Claim[]>;
  record(
    changes: { readonly records: readonly EnrolmentView[]; readonly removed: readonly InstanceKey[] },
    signal: AbortSignal,
  ): Promise<void>;
}

export function createEnrolmentAuth(transport: Transport, fence?: Fence): EnrolmentAuth {
  const service = createClient(DiscoveryService, transport);
  const limits = (signal: AbortSignal) => ({ signal, timeoutMs: CALL_TIMEOUT_MS });
  return {
    async agents(signal) {
      const found = new Set<string>();
      await eachPage('ListAgentInstances', async (page) => {
        const answer = await service.listAgentInstances(page, limits(signal));
        for (const message of answer.instances) {
          const key = instanceFromMessage(message);
          if (key !== undefined) found.add(instanceKeyText(key));
        }
        return answer.nextPageToken;
      });
      return found;
    },
    async recorded(signal) {
      const found: RecordedEnrolment[] = [];
      const states = [EnrolmentState.PENDING, EnrolmentState.FAILED];
      await eachPage('ListInstances', async (page) => {
        const answer = await service.listInstances({ ...page, states }, limits(signal));
        found.push(...answer.instances.flatMap(({ enrolment }) => recordedOf(enrolment)));
        return answer.nextPageToken;
      });
      return found;
    },
    async claim(keys, { ttlMs, withTokens }, signal) {
      const request = { instances: keys.map(instanceToMessage), ttl: durationFromMs(ttlMs), withTokens };
      const { claims } = await named(
        'ClaimEnrolments',
        underFence(fence, (held) => service.claimEnrolments({ ...request, ...held }, limits(signal))),
      );
      return keys.map((_, index): Claim => {
        const claim = claims[index];
        if (claim?.status === EnrolmentClaimStatus.CLAIMED) return { kind: 'claimed', token: claim.token };
        return { kind: 'refused', reason: claim?.reason ?? 'the auth service did not say whose it is' };
      });
    },
    async record({ records, removed }, signal) {
      const request = { records: records.map(messageOf), removed: removed.map(instanceToMessage) };
      await named(
        'RecordEnrolments',
        underFence(fence, (held) => service.recordEnrolments({ ...request, ...held }, limits(signal))),
      );
    },
  };
}

async function eachPage(
  call: string,
  read: (page: { readonly pageSize: number; readonly pageToken: string }) => Promise<string>,
): Promise<void> {
  let pageToken = '';
  do {
    pageToken = await named(call, read({ pageSize: PAGE_SIZE, pageToken }));
  } while (pageToken !== '');
}

async function named<Answer>(call: string, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    throw new AuthCallError(call, error);
  }
}

function messageOf({ key, state, reason, attempts, commandId, nextAttemptAt }: EnrolmentView) {
  return {
    instance: instanceToMessage(key),
    state: EnrolmentState[state],
    reason: reason.slice(0, MAX_REASON),
    attempts,
    commandId,
    ...(nextAttemptAt === undefined ? {} : { nextAttemptAt: timestampFromMs(nextAttemptAt) }),
  };
}

function recordedOf(record: EnrolmentRecord | undefined): RecordedEnrolment[] {
  const key = record?.instance && instanceFromMessage(record.instance);
  const state = STATES.find((name) => EnrolmentState[name] === record?.state);
  if (record === undefined || key === undefined || state === undefined) return [];
  const { reason, attempts, commandId, nextAttemptAt, recordedAt } = record;
  const view: EnrolmentView = {
    ...{ key, state, reason, attempts, commandId },
    nextAttemptAt: nextAttemptAt && timestampMs(nextAttemptAt),
  };
  return [{ view, recordedAt: recordedAt === undefined ? 0 : timestampMs(recordedAt) }];
}
