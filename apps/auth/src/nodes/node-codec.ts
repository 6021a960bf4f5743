import { parseInstanceKey } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import { labelsOfFlat } from '@tagplane/serverinfo';
import type { Labels } from '@tagplane/labels';
import type { Span } from '@tagplane/session';
import type { AckedLabels, LabelDelivery, NodeRecord, SyncState } from './node-record.ts';

/** First element of every value; a reader refuses what a later form says differently. */
const VERSION = 1;

/** A stored value that is no node record of a version known here. The message never holds a label. */
export class NodeDecodeError extends Error {
  override readonly name = 'NodeDecodeError';
}

/**
 * A record whose labels are packed already (`packLabels`), as a session keeps them: its value is made
 * without going through the labels again.
 */
export interface PackedNodeRecord extends Omit<NodeRecord, 'own' | 'imported' | 'acked'> {
  readonly own: string;
  readonly imported: string;
  readonly acked: PackedLabels;
}

export interface PackedLabels extends Omit<AckedLabels, 'sets'> {
  readonly sets: { readonly 'aws/': string | undefined; readonly 'dynamic/': string | undefined };
}

/**
 * The value for the store, keyed by server id: `[1, facts, own, imported, aws, dynamic]`, label sets as
 * flat arrays, which keep any key exactly.
 */
export function encodeNodeRecord(record: PackedNodeRecord): string {
  const { instance, acked, sync } = record;
  const facts = JSON.stringify([
    record.hostname,
    record.agentVersion,
    record.connected,
    record.authId,
    record.sessionId,
    instance === undefined ? null : [instance.account, instance.region, instance.instance],
    record.wantedRevision,
    acked.revision,
    packSpan(acked.spans['aws/']),
    packSpan(acked.spans['dynamic/']),
    sync.state,
    sync.reason,
    record.lastSeen,
    packDelivery(record.delivery),
    record.rolesRevision,
  ]);
  const aws = acked.sets['aws/'] ?? 'null';
  const dynamic = acked.sets['dynamic/'] ?? 'null';
  return `[${VERSION},${facts},${record.own},${record.imported},${aws},${dynamic}]`;
}

/** @throws NodeDecodeError */
export function decodeNodeRecord(entry: { readonly key: string; readonly value: string }): NodeRecord {
  const [version, facts, own, imported, aws, dynamic] = parseArray(entry.key, entry.value);
  if (version !== VERSION || !Array.isArray(facts)) throw unreadable(entry.key, 'unknown version');
  const labels = (flat: unknown): Labels => labelsOfFlat(flat) ?? fail(entry.key, 'no labels');
  return {
    ...decodeFacts(entry.key, facts),
    own: labels(own),
    imported: labels(imported),
    acked: {
      revision: text(entry.key, facts[7]),
      spans: { 'aws/': unpackSpan(entry.key, facts[8]), 'dynamic/': unpackSpan(entry.key, facts[9]) },
      sets: {
        'aws/': aws === null ? undefined : labels(aws),
        'dynamic/': dynamic === null ? undefined : labels(dynamic),
      },
    },
  };
}

function decodeFacts(key: string, facts: readonly unknown[]): Omit<NodeRecord, 'own' | 'imported' | 'acked'> {
  return {
    serverId: key,
    hostname: text(key, facts[0]),
    agentVersion: text(key, facts[1]),
    connected: facts[2] === true,
    authId: text(key, facts[3]),
    sessionId: text(key, facts[4]),
    instance: decodeInstance(key, facts[5]),
    wantedRevision: text(key, facts[6]),
    sync: { state: syncState(key, facts[10]), reason: text(key, facts[11]) },
    lastSeen: integer(key, facts[12]),
    delivery: unpackDelivery(key, facts[13]),
    // A record of an earlier version has none.
    rolesRevision: facts[14] === undefined ? '' : text(key, facts[14]),
  };
}

function packDelivery(delivery: LabelDelivery | undefined): [string, number, number] | null {
  return delivery === undefined ? null : [delivery.pushedBy, delivery.pushedAt, delivery.ackedAt];
}

/** A record of an earlier version has none. */
function unpackDelivery(key: string, packed: unknown): LabelDelivery | undefined {
  if (packed === null || packed === undefined) return undefined;
  const [pushedBy, pushedAt, ackedAt] = Array.isArray(packed) ? (packed as unknown[]) : [];
  return {
    pushedBy: text(key, pushedBy),
    pushedAt: integer(key, pushedAt),
    ackedAt: integer(key, ackedAt),
  };
}

function decodeInstance(key: string, encoded: unknown): InstanceKey | undefined {
  if (encoded === null) return undefined;
  const [account, region, instance] = Array.isArray(encoded) ? (encoded as unknown[]) : [];
  const parts = { account: text(key, account), region: text(key, region), instance: text(key, instance) };
  return parseInstanceKey(parts) ?? fail(key, 'no instance');
}

const SYNC_STATES: readonly SyncState[] = ['synced', 'pending', 'stale', 'unmatched'];

function syncState(key: string, value: unknown): SyncState {
  return SYNC_STATES.find((state) => state === value) ?? fail(key, 'no sync state');
}

function packSpan(span: Span | undefined): [number | null, number | null] | null {
  return span === undefined ? null : [span.observedAt ?? null, span.expiresAt ?? null];
}

function unpackSpan(key: string, packed: unknown): Span | undefined {
  if (packed === null) return undefined;
  const [observedAt, expiresAt] = Array.isArray(packed) ? (packed as unknown[]) : [];
  return {
    observedAt: observedAt === null ? undefined : integer(key, observedAt),
    expiresAt: expiresAt === null ? undefined : integer(key, expiresAt),
  };
}

function parseArray(key: string, value: string): unknown[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    // The parser's own message quotes the text, labels and all.
    throw unreadable(key, 'not JSON');
  }
  if (!Array.isArray(parsed)) throw unreadable(key, 'not an array');
  return parsed;
}

function text(key: string, value: unknown): string {
  return typeof value === 'string' ? value : fail(key, 'a text is missing');
}

function integer(key: string, value: unknown): number {
  return Number.isSafeInteger(value) ? (value as number) : fail(key, 'a number is missing');
}

function fail(key: string, problem: string): never {
  throw unreadable(key, problem);
}

function unreadable(key: string, problem: string): NodeDecodeError {
  return new NodeDecodeError(`the stored node ${JSON.stringify(key)} cannot be read: ${problem}`);
}
