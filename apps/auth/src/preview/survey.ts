import { discoveredName } from '@tagplane/serverinfo';
import { NO_SPANS } from '@tagplane/session';
import type { Entry, Found, Store } from '@tagplane/store';
import { NodeDecodeError, decodeNodeRecord } from '../nodes/node-codec.ts';
import type { NodeRecord } from '../nodes/node-record.ts';
import { evaluateRecord, instanceKeyOf } from '../reconcile/evaluate-record.ts';
import { changeBetween } from './node-change.ts';
import type { NodeChange } from './node-change.ts';
import type { Proposal } from './proposal.ts';

type Subject = Pick<NodeRecord, 'serverId' | 'hostname' | 'instance' | 'acked'>;

/** A node that was looked at; `change` undefined: nothing would become of it. */
export interface Surveyed {
  /** Its server id; of an instance that was not looked for among the nodes, the name of its ServerInfo. */
  readonly name: string;
  readonly hostname: string;
  readonly change: NodeChange | undefined;
}

export interface SurveyOptions {
  readonly stores: { readonly nodes: Store; readonly serverInfos: Store };
  readonly proposal: Proposal;
  /**
   * Instances are looked for among the nodes, which means reading all of them. Otherwise each counts as a
   * node, which is enough for the guard.
   */
  readonly exact: boolean;
  /** Unix milliseconds. */
  readonly now: number;
}

/** Nodes in one read of the store, and the ServerInfos of their instances in another one. */
const PAGE = 500;

/** What a proposal would do, node by node: all of them, or those that it names. Rejects as the store does. */
export async function* survey(options: SurveyOptions, signal: AbortSignal): AsyncGenerator<Surveyed> {
  const { proposal, stores, exact } = options;
  if (proposal.anyNode || (exact && proposal.instances.length > 0)) {
    for await (const page of allNodes(stores.nodes, signal)) yield* judgeAll(page, options, signal);
    return;
  }
  for (const ids of chunks(proposal.serverIds)) {
    const found = await stores.nodes.getMany(ids, { signal });
    yield* judgeAll(
      found.flatMap((item) => (item.state === 'live' ? readable(item) : [])),
      options,
      signal,
    );
  }
  for (const instances of chunks(proposal.instances)) {
    yield* judgeAll(instances.map(asNode), options, signal);
  }
}

async function* judgeAll(
  subjects: readonly Subject[],
  { stores, proposal, now }: SurveyOptions,
  signal: AbortSignal,
): AsyncGenerator<Surveyed> {
  const keys = [...new Set(subjects.flatMap((subject) => instanceKeyOf(subject) ?? []))];
  const items = keys.length === 0 ? [] : await stores.serverInfos.getMany(keys, { signal });
  const found = new Map(items.map((item) => [item.key, item]));
  for (const subject of subjects) yield judgeOne(subject, found, proposal, now);
}

function judgeOne(
  subject: Subject,
  items: ReadonlyMap<string, Found>,
  { before, after, goneKeys }: Proposal,
  now: number,
): Surveyed {
  const key = instanceKeyOf(subject);
  const found = key === undefined ? undefined : items.get(key);
  const then: typeof found =
    found?.state === 'live' && goneKeys.has(found.key)
      ? { state: 'gone', key: found.key, revision: found.revision, reason: 'deleted' }
      : found;
  const change = changeBetween(
    evaluateRecord(subject, found, before, now),
    evaluateRecord(subject, then, after, now),
  );
  const name =
    subject.serverId === '' && subject.instance ? discoveredName(subject.instance) : subject.serverId;
  return { name, hostname: subject.hostname, change };
}

async function* allNodes(store: Store, signal: AbortSignal): AsyncGenerator<Subject[]> {
  let after: string | undefined;
  for (;;) {
    const range = { prefix: '', limit: PAGE, ...(after === undefined ? {} : { after }) };
    const entries = await store.range(range, { signal });
    yield entries.flatMap(readable);
    after = entries.at(-1)?.key;
    if (entries.length < PAGE || after === undefined) return;
  }
}

/** None for a record of a newer version: nobody here can say what becomes of it. */
function readable(entry: Entry): Subject[] {
  try {
    return [decodeNodeRecord(entry)];
  } catch (error) {
    if (!(error instanceof NodeDecodeError)) throw error;
    return [];
  }
}

/** An instance, whichever node it is: no server id is empty. */
function asNode(instance: NonNullable<NodeRecord['instance']>): Subject {
  const sets = { 'aws/': undefined, 'dynamic/': undefined };
  return { serverId: '', hostname: '', instance, acked: { revision: '', spans: NO_SPANS, sets } };
}

function chunks<Item>(items: readonly Item[]): Item[][] {
  const parts: Item[][] = [];
  for (let from = 0; from < items.length; from += PAGE) parts.push(items.slice(from, from + PAGE));
  return parts;
}
