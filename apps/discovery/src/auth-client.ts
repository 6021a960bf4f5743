import { Code, ConnectError, createClient } from '@connectrpc/connect';
import type { Transport } from '@connectrpc/connect';
import { labelsRevision } from '@tagplane/labels';
import {
  GuardService,
  GuardVerdict,
  ServerInfoService,
  StatusService,
  UpsertStatus,
  serverInfoFromMessage,
  upsertDrafts,
} from '@tagplane/protocol';
import type { ServerInfo as ServerInfoMessage, UpsertResult } from '@tagplane/protocol';
import { SECOND } from '@tagplane/runtime';
import { TTL_MS, packLabels, parseDiscoveredName } from '@tagplane/serverinfo';
import type { ScopeLoss, Sent, ServerInfoDraft } from '@tagplane/serverinfo';
import { LeaseLostError, underFence } from './lease/fence.ts';
import type { Fence } from './lease/fence.ts';
import type { ItemResult } from './dispatch.ts';

/** Long beside any healthy answer, short beside the 15 minutes that a queue may take. */
const CALL_TIMEOUT_MS = 10 * SECOND;
/** The most that the auth service puts into one page. */
const LIST_PAGE_SIZE = 1_000;
/** Names that a request for leave may carry. */
const MAX_SAMPLES = 20;

/** A call that failed as a whole. `final`: the same call will always fail. */
export class AuthCallError extends Error {
  override readonly name = 'AuthCallError';
  readonly code: string;
  readonly final: boolean;

  constructor(call: string, error: unknown) {
    const { code, rawMessage } = ConnectError.from(error);
    const kind = error instanceof LeaseLostError ? 'LeaseLost' : Code[code];
    super(`${call}: ${kind}: ${rawMessage}`, { cause: error });
    this.code = kind;
    this.final = code === Code.InvalidArgument || code === Code.PermissionDenied;
  }
}

export interface CallOptions {
  readonly signal: AbortSignal;
}

/** Whether a loss of labels may go on; if not, the hold that it waits for or was ended by. */
export type Leave =
  { readonly verdict: 'go' } | { readonly verdict: 'held' | 'dropped'; readonly holdId: string };

/** The auth service as discovery needs it. Each call ends within 10 s; failures are AuthCallErrors. */
export interface AuthClient {
  upsert(
    drafts: readonly ServerInfoDraft[],
    options: CallOptions,
  ): Promise<{ results: readonly ItemResult[]; epoch: string }>;
  delete(names: readonly string[], options: CallOptions): Promise<void>;
  /** One page of what this discovery wrote, as if it had just been accepted. */
  list(
    page: { readonly token: string; readonly now: number },
    options: CallOptions,
  ): Promise<{ held: readonly Sent[]; nextToken: string; epoch: string }>;
  epoch(options: CallOptions): Promise<string>;
  /** Asks leave for a loss; for one of nothing, when there is none any more. */
  requestChange(loss: ScopeLoss, options: CallOptions): Promise<Leave>;
}

/**
 * @param origin what this discovery writes, as the auth service marks it: `discovery/<group>`
 * @param fence carried by all that writes; undefined with an auth service that knows no leases
 */
export function createAuthClient(transport: Transport, origin: string, fence?: Fence): AuthClient {
  const serverInfos = createClient(ServerInfoService, transport);
  const status = createClient(StatusService, transport);
  const guard = createClient(GuardService, transport);
  const limits = ({ signal }: CallOptions) => ({ signal, timeoutMs: CALL_TIMEOUT_MS });
  return {
    async upsert(drafts, options) {
      const answer = await named(
        'UpsertServerInfos',
        underFence(fence, (held) => upsertDrafts(transport, drafts, { ...limits(options), ...held })),
      );
      return { results: answer.results.map(itemResult), epoch: answer.storeEpoch };
    },
    async delete(names, options) {
      await named(
        'DeleteServerInfos',
        underFence(fence, (held) =>
          serverInfos.deleteServerInfos({ names: [...names], ...held }, limits(options)),
        ),
      );
    },
    async list({ token, now }, options) {
      const request = { pageSize: LIST_PAGE_SIZE, pageToken: token, origin };
      const answer = await named('ListServerInfos', serverInfos.listServerInfos(request, limits(options)));
      const held = answer.serverInfos.flatMap((message) => heldItem(message, now) ?? []);
      return { held, nextToken: answer.nextPageToken, epoch: answer.storeEpoch };
    },
    async epoch(options) {
      return (await named('GetStatus', status.getStatus({}, limits(options)))).storeEpoch;
    },
    async requestChange({ scope, fingerprint, losing, fresh, total }, options) {
      const request = {
        scope,
        fingerprint,
        nodesChanged: fresh,
        nodesTotal: total,
        samples: losing.slice(0, MAX_SAMPLES).map(({ name }) => name),
      };
      const answer = await named(
        'RequestChange',
        underFence(fence, (held) => guard.requestChange({ ...request, ...held }, limits(options))),
      );
      return leaveOf(answer.verdict, answer.holdId);
    },
  };
}

/** What this version does not know is no leave. */
function leaveOf(verdict: GuardVerdict, holdId: string): Leave {
  if (verdict === GuardVerdict.GO) return { verdict: 'go' };
  return { verdict: verdict === GuardVerdict.DROPPED ? 'dropped' : 'held', holdId };
}

async function named<Answer>(call: string, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    throw new AuthCallError(call, error);
  }
}

function itemResult({ status, reason }: UpsertResult): ItemResult {
  switch (status) {
    case UpsertStatus.ACCEPTED:
      return { status: 'accepted' };
    case UpsertStatus.INVALID:
      return { status: 'invalid', reason };
    case UpsertStatus.DENIED:
      return { status: 'denied', reason };
    default:
      return { status: 'invalid', reason: `status ${status}: ${reason}` };
  }
}

/**
 * Undefined for what discovery would not have written. The remaining time is read off our own clock; a
 * store whose clock is ahead must not make it longer than any write of ours is good for.
 */
function heldItem(message: ServerInfoMessage, now: number): Sent | undefined {
  const info = serverInfoFromMessage(message);
  if (info?.expiresAt === undefined || parseDiscoveredName(info.name) === undefined) return undefined;
  return {
    name: info.name,
    revision: labelsRevision(info.labels),
    packedLabels: packLabels(info.labels),
    expiresAt: Math.min(info.expiresAt, now + TTL_MS),
  };
}
