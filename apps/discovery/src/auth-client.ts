import { Code, ConnectError, createClient } from '@connectrpc/connect';
import type { Transport } from '@connectrpc/connect';
import { labelsRevision } from '@tagplane/labels';
import {
  ServerInfoService,
  StatusService,
  UpsertStatus,
  serverInfoFromMessage,
  upsertDrafts,
} from '@tagplane/protocol';
import type { ServerInfo as ServerInfoMessage, UpsertResult } from '@tagplane/protocol';
import { SECOND } from '@tagplane/runtime';
import { TTL_MS, parseDiscoveredName } from '@tagplane/serverinfo';
import type { Sent, ServerInfoDraft } from '@tagplane/serverinfo';
import type { ItemResult } from './upsert-scheduler.ts';

/** Long beside any healthy answer, short beside the 15 minutes that a queue may take. */
const CALL_TIMEOUT_MS = 10 * SECOND;
/** The most that the auth service puts into one page. */
const LIST_PAGE_SIZE = 1_000;

/** A call that failed as a whole. `final`: the same call will always fail. */
export class AuthCallError extends Error {
  override readonly name = 'AuthCallError';
  readonly code: string;
  readonly final: boolean;

  constructor(call: string, error: unknown) {
    const { code, rawMessage } = ConnectError.from(error);
    super(`${call}: ${Code[code]}: ${rawMessage}`, { cause: error });
    this.code = Code[code];
    this.final = code === Code.InvalidArgument || code === Code.PermissionDenied;
  }
}

export interface CallOptions {
  readonly signal: AbortSignal;
}

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
}

/** @param origin this discovery as the auth service writes it: `discovery/<name>` */
export function createAuthClient(transport: Transport, origin: string): AuthClient {
  const serverInfos = createClient(ServerInfoService, transport);
  const status = createClient(StatusService, transport);
  const limits = ({ signal }: CallOptions) => ({ signal, timeoutMs: CALL_TIMEOUT_MS });
  return {
    async upsert(drafts, options) {
      const answer = await named('UpsertServerInfos', upsertDrafts(transport, drafts, limits(options)));
      return { results: answer.results.map(itemResult), epoch: answer.storeEpoch };
    },
    async delete(names, options) {
      const request = { names: [...names] };
      await named('DeleteServerInfos', serverInfos.deleteServerInfos(request, limits(options)));
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
  };
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
    expiresAt: Math.min(info.expiresAt, now + TTL_MS),
  };
}
