import { create } from '@bufbuild/protobuf';
import type { Transport } from '@connectrpc/connect';
import type { ServerInfoDraft } from '@tagplane/serverinfo';
import { FenceSchema } from '../gen/tagplane/v1/serverinfo_pb.ts';
import type { UpsertServerInfosResponse } from '../gen/tagplane/v1/serverinfo_pb.ts';
import { encodeDrafts } from './draft-writer.ts';
import { upsertBatchMethod } from './upsert-method.ts';

export interface UpsertOptions {
  readonly signal?: AbortSignal;
  /** Undefined: the transport's. */
  readonly timeoutMs?: number;
  /** Refuse items whose name exists already. */
  readonly createOnly?: boolean;
  /** The lease under which this is written; undefined: none. */
  readonly fence?: { readonly group: string; readonly token: bigint } | undefined;
}

/**
 * Calls `UpsertServerInfos` for many drafts: what the generated client does, at an eighth of the cost of
 * encoding. Rejects with a ConnectError.
 */
export async function upsertDrafts(
  transport: Transport,
  drafts: readonly ServerInfoDraft[],
  { signal, timeoutMs, createOnly = false, fence }: UpsertOptions = {},
): Promise<UpsertServerInfosResponse> {
  const request = {
    serverInfos: encodeDrafts(drafts),
    createOnly,
    ...(fence && { fence: create(FenceSchema, { ...fence }) }),
  };
  const { message } = await transport.unary(upsertBatchMethod, signal, timeoutMs, undefined, request);
  return message;
}
