import { Code, ConnectError } from '@connectrpc/connect';
import { peerText } from '@tagplane/identity';
import type { Peer } from '@tagplane/identity';
import { UpsertStatus, decodeDraft, peerOf } from '@tagplane/protocol';
import type { UpsertBatch, UpsertResult } from '@tagplane/protocol';
import { draftProblem, encodeServerInfo, serverInfoKey } from '@tagplane/serverinfo';
import type { SelectorDependencies, ServerInfoDraft } from '@tagplane/serverinfo';
import type { Put } from '@tagplane/store';
import { fencedWriter } from '../discovery/fence.ts';
import type { Writer } from '../discovery/fence.ts';
import { ownedReason, putOwned } from '../discovery/owned-writes.ts';
import type { OwnedResult } from '../discovery/owned-writes.ts';
import type { AuthMetrics } from '../metrics.ts';
import { joinSelectors } from '../reconcile/assigned-writes.ts';
import type { AssignedWrites } from '../reconcile/assigned-writes.ts';
import { auditUpserts } from './audit-server-infos.ts';
import { callerOf } from './caller.ts';
import type { Caller } from './caller.ts';
import { operatorLeave } from './operator-leave.ts';
import type { AssignedContext } from './route-context.ts';

/** Writes what stands the checks in one call of the store; each item has its own result. */
export function upsertServerInfos(routes: AssignedContext): UpsertBatch {
  return async ({ serverInfos, createOnly, fence }, context) => {
    const peer = peerOf(context);
    const writer = peer.role === 'discovery' ? fencedWriter(peer, fence) : undefined;
    const writing = { serverInfos, createOnly, peer, caller: callerOf(context), ...(writer && { writer }) };
    const written = await writeServerInfos(routes, writing, context.signal);
    return { $typeName: 'tagplane.v1.UpsertServerInfosResponse', ...written };
  };
}

export interface Writing {
  readonly serverInfos: readonly Uint8Array[];
  readonly createOnly: boolean;
  /** Whose word it is. */
  readonly peer: Peer;
  /** Who calls. */
  readonly caller: Caller;
  /** For whom a discovery writes. Default: the peer, who may write over anything. */
  readonly writer?: Writer;
  /** It was held, and the caller has released it. Default: the guard is asked about an operator's. */
  readonly released?: boolean;
}

/** The same, whoever called for it and when. */
export async function writeServerInfos(
  routes: AssignedContext,
  writing: Writing,
  signal: AbortSignal,
): Promise<{ readonly results: UpsertResult[]; readonly storeEpoch: string }> {
  const { stores, metrics, audit, assigned } = routes;
  const { peer, caller } = writing;
  const origin = writing.writer?.origin ?? peerText(peer);
  const plan = planPuts(writing.serverInfos, { peer, origin, createOnly: writing.createOnly, assigned });
  const holdId = await heldBy(routes, writing, plan.drafts, signal);
  // Asked for before the write: an item written to a store that was emptied in between must not be
  // taken for one that the new store holds.
  const epoch = stores.serverInfos.epoch({ signal });
  const written = holdId === undefined ? putAll(routes, writing, plan.puts, signal) : [];
  const [storeEpoch, writes] = await Promise.all([epoch, written]);
  noteWrites(assigned.writes, plan.drafts, writes);
  const results = holdId === undefined ? fillResults(plan, writes) : heldResults(plan.results, holdId);
  countResults(results, metrics);
  auditUpserts(audit, {
    role: peer.role,
    caller,
    names: plan.names,
    results,
    ...(writing.released === true && { requestedBy: peerText(peer) }),
  });
  return { results, storeEpoch };
}

/** Of a discovery only what is its own or nobody's, and only while its lease is good. */
async function putAll(
  { stores, fences }: AssignedContext,
  { writer, caller }: Writing,
  puts: readonly Put[],
  signal: AbortSignal,
): Promise<readonly OwnedResult[]> {
  const { serverInfos } = stores;
  if (writer === undefined) return puts.length === 0 ? [] : await serverInfos.put(puts, { signal });
  const { origin, fence } = writer;
  const write = (guard: object) => putOwned(serverInfos, puts, { signal, origin, ...guard });
  return await fences.guarded(fence, caller, write, signal);
}

async function heldBy(
  routes: AssignedContext,
  { serverInfos, createOnly, peer, caller, released }: Writing,
  drafts: readonly ServerInfoDraft[],
  signal: AbortSignal,
): Promise<string | undefined> {
  if (peer.role !== 'operator' || released === true) return undefined;
  const { set } = routes.assigned.index;
  const change = { drafts: drafts.filter((draft) => !isInTheWay(set, draft, createOnly)), removed: [] };
  const what = `${drafts.length} ServerInfos written`;
  const request = { kind: 'upsert', serverInfos, createOnly } as const;
  return await operatorLeave(routes, { change, request, caller, what }, signal);
}

/** Whether it would only be answered with CONFLICT, as far as is known here. */
function isInTheWay(
  set: Pick<AssignedContext['assigned']['index']['set'], 'get'>,
  { name, expectedRevision }: ServerInfoDraft,
  createOnly: boolean,
): boolean {
  const known = set.get(name)?.revision;
  if (createOnly) return known !== undefined;
  return expectedRevision !== undefined && known !== undefined && expectedRevision !== known;
}

function heldResults(results: PutsPlan['results'], holdId: string): UpsertResult[] {
  const reason = 'it would take labels away from too many nodes, or change them: an operator is to decide';
  return results.map((result) => result ?? { ...refused(UpsertStatus.HELD, reason), holdId });
}

interface PutsPlan {
  readonly puts: readonly Put[];
  /** Those of the puts, in their order. */
  readonly drafts: readonly ServerInfoDraft[];
  readonly names: readonly (string | undefined)[];
  /** Undefined ones stand for the puts, in their order. */
  readonly results: readonly (UpsertResult | undefined)[];
}

interface Planning {
  readonly peer: Peer;
  readonly origin: string;
  readonly createOnly: boolean;
  readonly assigned: AssignedContext['assigned'];
}

function planPuts(serverInfos: readonly Uint8Array[], planning: Planning): PutsPlan {
  const { origin, createOnly } = planning;
  const read = serverInfos.map(readDraft);
  const others = dependenciesFor(read, planning);
  const puts: Put[] = [];
  const drafts: ServerInfoDraft[] = [];
  const results = read.map((draft) => {
    if (draft === undefined) return refused(UpsertStatus.INVALID, 'no match, or a malformed one');
    const problem = problemOf(draft, planning, others);
    if (problem !== undefined) return problem;
    puts.push(putOf(draft, origin, createOnly));
    drafts.push(draft);
    return undefined;
  });
  return { puts, drafts, names: read.map((draft) => draft?.name), results };
}

/** Undefined: no item of an operator matches by a selector, and no rule is between them. */
function dependenciesFor(
  drafts: readonly (ServerInfoDraft | undefined)[],
  { peer, assigned }: Planning,
): SelectorDependencies | undefined {
  if (peer.role !== 'operator' || drafts.every((draft) => draft?.match.kind !== 'selector')) return undefined;
  if (!assigned.index.loaded) {
    throw new ConnectError('the ServerInfos of operators are not loaded yet', Code.Unavailable);
  }
  return assigned.writes.dependencies();
}

function problemOf(
  draft: ServerInfoDraft,
  { peer, createOnly }: Planning,
  others: SelectorDependencies | undefined,
): UpsertResult | undefined {
  const problem = draftProblem(draft, peer.role);
  if (problem !== undefined) {
    const status = problem.kind === 'invalid' ? UpsertStatus.INVALID : UpsertStatus.DENIED;
    return refused(status, problem.reason);
  }
  if (createOnly && draft.expectedRevision !== undefined) {
    return refused(UpsertStatus.INVALID, 'create_only and expected_revision exclude each other');
  }
  const beside = others && joinSelectors(others, draft);
  return beside === undefined ? undefined : refused(UpsertStatus.INVALID, beside);
}

function putOf(draft: ServerInfoDraft, origin: string, createOnly: boolean): Put {
  const { name, match, labels, observedAt, ttlMs, expectedRevision, rejected = [] } = draft;
  const value = encodeServerInfo({ name, match, labels, observedAt, origin, rejected });
  const put = { key: serverInfoKey(name), value, ttlMs };
  if (createOnly) return { ...put, expected: { live: false } };
  return expectedRevision === undefined ? put : { ...put, expected: { revision: expectedRevision } };
}

/** What is written here counts at once, before the feed brings it. */
function noteWrites(
  noted: AssignedWrites,
  drafts: readonly ServerInfoDraft[],
  writes: readonly OwnedResult[],
): void {
  for (const [index, write] of writes.entries()) {
    const draft = drafts[index];
    if (draft !== undefined && write.written) noted.written(draft, write.revision);
  }
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
  { results, drafts }: Pick<PutsPlan, 'results' | 'drafts'>,
  writes: readonly OwnedResult[],
): UpsertResult[] {
  let next = 0;
  return results.map((result) => {
    if (result !== undefined) return result;
    const write = writes[next];
    const expected = drafts[next]?.expectedRevision;
    next += 1;
    if (write?.written === true) return upsertResult(UpsertStatus.ACCEPTED, BigInt(write.revision), '');
    if (write !== undefined && 'owner' in write) return refused(UpsertStatus.DENIED, ownedReason(write));
    return refused(UpsertStatus.CONFLICT, conflictReason(expected, write?.actual));
  });
}

function conflictReason(expected: number | undefined, actual: number | undefined): string {
  if (expected === undefined) return 'the name exists';
  if (actual === undefined) return `there is none of this name, and revision ${expected} was expected`;
  return `its revision is ${actual}, and ${expected} was expected`;
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
  [UpsertStatus.HELD, 'held'],
] as const;

function countResults(results: readonly UpsertResult[], { upserts }: AuthMetrics): void {
  for (const [status, result] of RESULT_NAMES) {
    const count = results.reduce((sum, item) => (item.status === status ? sum + 1 : sum), 0);
    if (count > 0) upserts.inc({ result }, count);
  }
}
