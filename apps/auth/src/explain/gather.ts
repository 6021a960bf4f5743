import type { InstanceKey, ServerId } from '@tagplane/identity';
import { instanceKeyText, parseServerId } from '@tagplane/identity';
import { DISCOVERED_PREFIX, decodeServerInfo, discoveredName, serverInfoKey } from '@tagplane/serverinfo';
import type { ServerInfo } from '@tagplane/serverinfo';
import { NO_SPANS } from '@tagplane/session';
import type { Entry, Store } from '@tagplane/store';
import type { Hold } from '../guard/hold.ts';
import { listHolds } from '../guard/stored-holds.ts';
import { LOCK_PREFIX, decodeLock, lockReason } from '../locks/lock.ts';
import { NodeDecodeError, decodeNodeRecord } from '../nodes/node-codec.ts';
import type { NodeRecord } from '../nodes/node-record.ts';
import type { AssignedIndex } from '../reconcile/assigned-index.ts';
import { evaluateRecord } from '../reconcile/evaluate-record.ts';
import type { ExplainFacts } from './facts.ts';

export interface GatherOptions {
  readonly stores: { readonly nodes: Store; readonly serverInfos: Store; readonly security: Store };
  readonly index: Pick<AssignedIndex, 'set'>;
  /** Unix milliseconds. */
  readonly now: number;
}

/** Whom to explain. */
export type Subject =
  | { readonly kind: 'server-id'; readonly serverId: ServerId }
  | { readonly kind: 'instance'; readonly instance: InstanceKey };

const PAGE = 500;

/**
 * Reads all that is known. A node is found by its server id at once, and by its instance by looking through
 * the nodes. Rejects as the store does.
 */
export async function gather(
  subject: Subject,
  { stores, index, now }: GatherOptions,
  signal: AbortSignal,
): Promise<ExplainFacts> {
  const entry =
    subject.kind === 'server-id'
      ? await readNode(stores.nodes, subject.serverId, signal)
      : await findNode(stores.nodes, subject.instance, signal);
  const record = entry && readRecord(entry);
  const serverId = entry?.key ?? (subject.kind === 'server-id' ? subject.serverId : undefined);
  const instance = record?.instance ?? (subject.kind === 'instance' ? subject.instance : undefined);
  const node = { serverId: serverId ?? '', instance, acked: record?.acked ?? NOTHING_ACKED };
  const [found] = await readServerInfo(stores.serverInfos, instance, signal);
  const wanted = evaluateRecord(node, found, index.set, now);
  const assigned =
    wanted.state === 'keep'
      ? []
      : wanted.assigned.layers.flatMap(({ source }): ServerInfo[] => {
          const info = index.set.get(source.name);
          return info === undefined ? [] : [info];
        });
  return {
    now,
    serverId,
    instance,
    record,
    recordRevision: entry?.revision ?? 0,
    unreadable: entry !== undefined && record === undefined,
    found,
    discovered: found?.state === 'live' ? decodeServerInfo(found) : undefined,
    wanted,
    assigned,
    siblings: instance !== undefined && (await hasSiblings(stores.serverInfos, instance, signal)),
    holds: await holdsFor(stores.security, instance, signal),
    locks: await locksFor(stores.security, serverId, instance, signal),
  };
}

const NOTHING_ACKED = { revision: '', spans: NO_SPANS, sets: { 'aws/': undefined, 'dynamic/': undefined } };

async function readNode(store: Store, serverId: ServerId, signal: AbortSignal): Promise<Entry | undefined> {
  const [found] = await store.getMany([serverId], { signal });
  return found?.state === 'live' ? found : undefined;
}

/** The connected one, if several say they are this instance. */
async function findNode(
  store: Store,
  instance: InstanceKey,
  signal: AbortSignal,
): Promise<Entry | undefined> {
  let after: string | undefined;
  let latest: { readonly entry: Entry; readonly record: NodeRecord } | undefined;
  for (;;) {
    const range = { prefix: '', limit: PAGE, ...(after === undefined ? {} : { after }) };
    const entries = await store.range(range, { signal });
    for (const entry of entries) {
      // Reading all of every record takes longer than looking for a text in it.
      const record = entry.value.includes(instance.instance) ? readRecord(entry) : undefined;
      if (record?.instance === undefined || instanceKeyText(record.instance) !== instanceKeyText(instance))
        continue;
      if (latest === undefined || latest.record.lastSeen < record.lastSeen) latest = { entry, record };
    }
    after = entries.at(-1)?.key;
    if (entries.length < PAGE || after === undefined) return latest?.entry;
  }
}

/** Undefined for a record of a later version. */
function readRecord(entry: Entry): NodeRecord | undefined {
  try {
    return decodeNodeRecord(entry);
  } catch (error) {
    if (!(error instanceof NodeDecodeError)) throw error;
    return undefined;
  }
}

async function readServerInfo(store: Store, instance: InstanceKey | undefined, signal: AbortSignal) {
  if (instance === undefined) return [];
  return await store.getMany([serverInfoKey(discoveredName(instance))], { signal });
}

async function hasSiblings(
  store: Store,
  { account, region }: InstanceKey,
  signal: AbortSignal,
): Promise<boolean> {
  const prefix = `${DISCOVERED_PREFIX}aws-${account}-${region}-i-`;
  return (await store.range({ prefix, limit: 1 }, { signal })).length > 0;
}

/** Those that may be why the labels of this instance are not what EC2 says. */
async function holdsFor(
  store: Store,
  instance: InstanceKey | undefined,
  signal: AbortSignal,
): Promise<readonly Hold[]> {
  if (instance === undefined) return [];
  const scope = `aws/${instance.account}/${instance.region}`;
  const name = discoveredName(instance);
  return (await listHolds(store, signal)).filter(
    (hold) =>
      (hold.scope === scope || hold.scope === `${scope}/gone`) &&
      (hold.state === 'held' || (hold.state === 'dropped' && hold.samples.includes(name))),
  );
}

async function locksFor(
  store: Store,
  serverId: string | undefined,
  instance: InstanceKey | undefined,
  signal: AbortSignal,
): Promise<string[]> {
  const ids = [
    ...(serverId === undefined || parseServerId(serverId) === undefined ? [] : [`agent:${serverId}`]),
    ...(instance === undefined ? [] : [`instance:${instanceKeyText(instance)}`]),
  ];
  if (ids.length === 0) return [];
  const found = await store.getMany(
    ids.map((id) => LOCK_PREFIX + id),
    { signal },
  );
  return found.flatMap((item) => {
    const lock = item.state === 'live' ? decodeLock(item) : undefined;
    return lock === undefined ? [] : [lockReason(lock)];
  });
}
