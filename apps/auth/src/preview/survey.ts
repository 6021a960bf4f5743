import { discoveredName } from '@tagplane/serverinfo';
import { NO_SPANS, selectableLabels } from '@tagplane/session';
import type { Discovered } from '@tagplane/session';
import type { Entry, Found, Store } from '@tagplane/store';
import { NodeDecodeError, decodeNodeRecord } from '../nodes/node-codec.ts';
import type { NodeRecord } from '../nodes/node-record.ts';
import { evaluateDiscovered, instanceKeyOf } from '../reconcile/evaluate-record.ts';
import { findingOf } from '../reconcile/finding.ts';
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

const GONE: Discovered = { state: 'gone' };
/** Nodes that are looked at before others have their turn: 5 ms. */
const TURN = 100;
/** Nodes in one read of the store, and the ServerInfos of their instances in another one. */
const PAGE = 200;

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
  for (const [index, subject] of subjects.entries()) {
    if (index % TURN === TURN - 1) await nextTurn();
    yield judgeOne(subject, found, proposal, now);
  }
}

/** Others have their turn: a store on disk answers within the same one. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function judgeOne(
  subject: Subject,
  items: ReadonlyMap<string, Found>,
  proposal: Proposal,
  now: number,
): Surveyed {
  const key = instanceKeyOf(subject);
  const { discovered } = findingOf(key === undefined ? undefined : items.get(key));
  const isGone = key !== undefined && discovered.state === 'live' && proposal.goneKeys.has(key);
  const change =
    isGone || isConcerned(subject, discovered, proposal, now)
      ? changeBetween(
          evaluateDiscovered(subject, discovered, proposal.before, now),
          evaluateDiscovered(subject, isGone ? GONE : discovered, proposal.after, now),
        )
      : undefined;
  const name =
    subject.serverId === '' && subject.instance ? discoveredName(subject.instance) : subject.serverId;
  return { name, hostname: subject.hostname, change };
}

/** Whether anything of the proposal is for this node, before or after: most nodes end here. */
function isConcerned(subject: Subject, discovered: Discovered, proposal: Proposal, now: number): boolean {
  // What such a node has under `aws/` is in its record, if anywhere.
  if (discovered.state !== 'live') return true;
  const { serverId } = subject;
  const node = { serverId, instanceKey: instanceKeyOf(subject) };
  const { source } = discovered;
  return proposal.touched.some((set) => {
    const { byInstance, byServerId, select } = set.forNode(node, now);
    if (byInstance.length + byServerId.length > 0) return true;
    if (select === undefined) return false;
    return select(selectableLabels(proposal.before.forNode(node, now), source)).length > 0;
  });
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
