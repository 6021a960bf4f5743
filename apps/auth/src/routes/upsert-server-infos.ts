import { Code, ConnectError } from '@connectrpc/connect';
import { peerText } from '@tagplane/identity';
import type { Peer } from '@tagplane/identity';
import { UpsertStatus, decodeDraft, peerOf } from '@tagplane/protocol';
import type { UpsertBatch, UpsertResult } from '@tagplane/protocol';
import { draftProblem, encodeServerInfo, serverInfoKey } from '@tagplane/serverinfo';
import type { ServerInfoDraft } from '@tagplane/serverinfo';
import type { Put, WriteResult } from '@tagplane/store';
import type { AuthMetrics } from '../metrics.ts';
import { auditUpserts } from './audit-server-infos.ts';
import { callerOf } from './caller.ts';
import type { RouteContext } from './route-context.ts';

/** Writes what stands the checks in one call of the store; each item has its own result. */
export function upsertServerInfos({ stores, metrics, audit }: RouteContext): UpsertBatch {
  return async ({ serverInfos, createOnly }, context) => {
    const { signal } = context;
    const peer = peerOf(context);
    const plan = planPuts(serverInfos, peer, createOnly);
    // Asked for before the write: an item written to a store that was emptied in between must not be
    // taken for one that the new store holds.
    const epoch = stores.serverInfos.epoch({ signal });
    const written = plan.puts.length === 0 ? [] : stores.serverInfos.put(plan.puts, { signal });
    const [storeEpoch, writes] = await Promise.all([epoch, written]);
    const results = fillResults(plan.results, writes);
    countResults(results, metrics);
    auditUpserts(audit, { role: peer.role, caller: callerOf(context), names: plan.names, results });
    return { $typeName: 'tagplane.v1.UpsertServerInfosResponse', results, storeEpoch };
  };
}

/** Undefined results stand for the puts, in their order. */
function planPuts(
  serverInfos: readonly Uint8Array[],
  peer: Peer,
  createOnly: boolean,
): {
  readonly puts: readonly Put[];
  readonly names: readonly (string | undefined)[];
  readonly results: readonly (UpsertResult | undefined)[];
} {
  const origin = peerText(peer);
  const puts: Put[] = [];
  const names: (string | undefined)[] = [];
  const results = serverInfos.map((encoded) => {
    const draft = readDraft(encoded);
    names.push(draft?.name);
    if (draft === undefined) return refused(UpsertStatus.INVALID, 'no match, or a malformed one');
    const problem = draftProblem(draft, peer.role);
    if (problem !== undefined) {
      const status = problem.kind === 'invalid' ? UpsertStatus.INVALID : UpsertStatus.DENIED;
      return refused(status, problem.reason);
    }
    const { name, match, labels, observedAt, ttlMs } = draft;
    const value = encodeServerInfo({ name, match, labels, observedAt, origin });
    const key = serverInfoKey(name);
    puts.push(createOnly ? { key, value, ttlMs, expected: { live: false } } : { key, value, ttlMs });
    return undefined;
  });
  return { puts, names, results };
}

/** Bytes that are no message refuse the whole call, as they do in any other request. */
function readDraft(encoded: Uint8Array): ServerInfoDraft | undefined {
  try {
    return decodeDraft(encoded);
  } catch (error) {
    throw new ConnectError('an item is no ServerInfo', Code.InvalidArgument, undefined, undefined, error);
  }
}

function fillResults(
  results: readonly (UpsertResult | undefined)[],
  writes: readonly WriteResult[],
): UpsertResult[] {
  let next = 0;
  return results.map((result) => {
    if (result !== undefined) return result;
    const write = writes[next++];
    if (write?.written !== true) return refused(UpsertStatus.CONFLICT, 'the name exists');
    return upsertResult(UpsertStatus.ACCEPTED, BigInt(write.revision), '');
  });
}

function refused(status: UpsertStatus, reason: string): UpsertResult {
  return upsertResult(status, 0n, reason);
}

/** Written out, because `create` costs more than everything else that is done for an accepted item. */
function upsertResult(status: UpsertStatus, revision: bigint, reason: string): UpsertResult {
  return { $typeName: 'tagplane.v1.UpsertResult', status, revision, reason, holdId: '' };
}

const RESULT_NAMES = [
  [UpsertStatus.ACCEPTED, 'accepted'],
  [UpsertStatus.INVALID, 'invalid'],
  [UpsertStatus.DENIED, 'denied'],
  [UpsertStatus.CONFLICT, 'conflict'],
] as const;

function countResults(results: readonly UpsertResult[], { upserts }: AuthMetrics): void {
  for (const [status, result] of RESULT_NAMES) {
    const count = results.reduce((sum, item) => (item.status === status ? sum + 1 : sum), 0);
    if (count > 0) upserts.inc({ result }, count);
  }
}
