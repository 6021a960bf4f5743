import type { InstanceKey } from '@tagplane/identity';
import {
  AssignedSet,
  DISCOVERED_NAME_PREFIX,
  discoveredName,
  parseDiscoveredName,
  serverInfoKey,
} from '@tagplane/serverinfo';
import type { AssignedFor, AssignedSubject, ServerInfo, ServerInfoDraft } from '@tagplane/serverinfo';

/** What somebody wants to write and remove; drafts are ones that may be written. */
export interface ProposedChange {
  readonly drafts: readonly ServerInfoDraft[];
  readonly removed: readonly string[];
}

type Assigned = Pick<AssignedSet, 'forNode'>;

/** The ServerInfos of operators as they would be, and the nodes that it is about. */
export interface Proposal {
  readonly before: Assigned;
  readonly after: Assigned;
  /** What is put, and what stands in its place or is to go: a node that neither is for is not concerned. */
  readonly touched: readonly Assigned[];
  /** Keys of discovered ServerInfos that would be gone. */
  readonly goneKeys: ReadonlySet<string>;
  /** By a selector, before or after: any node may be picked. Then the two lists do not count. */
  readonly anyNode: boolean;
  readonly serverIds: readonly string[];
  readonly instances: readonly InstanceKey[];
}

/**
 * @param now Unix milliseconds
 * @throws SelectorError for a selector that is no good
 */
export function propose(
  change: ProposedChange,
  known: Pick<AssignedSet, 'get' | 'forNode'>,
  now: number,
): Proposal {
  const put = change.drafts.map((draft) => written(draft, now));
  const touched = new Set([...put.map(({ name }) => name), ...change.removed]);
  const replaced = [...touched].flatMap((name) => known.get(name) ?? []);
  const concerned = [...put, ...replaced];
  const added = AssignedSet.of(put);
  const gone = change.removed.filter((name) => name.startsWith(DISCOVERED_NAME_PREFIX));
  const serverIds = new Set<string>();
  const instances = new Map<string, InstanceKey>();
  for (const { match } of concerned) {
    if (match.kind === 'server-id') serverIds.add(match.serverId);
    if (match.kind === 'aws-instance') instances.set(discoveredName(match.instance), match.instance);
  }
  for (const name of gone) {
    const instance = parseDiscoveredName(name);
    if (instance !== undefined) instances.set(name, instance);
  }
  return {
    before: known,
    after: new Overlay(known, added, touched),
    touched: [added, AssignedSet.of(replaced)],
    goneKeys: new Set(gone.map((name) => serverInfoKey(name))),
    anyNode: concerned.some(({ match }) => match.kind === 'selector'),
    serverIds: [...serverIds],
    instances: [...instances.values()],
  };
}

/** As it would be in the store. */
function written({ ttlMs, ...draft }: ServerInfoDraft, now: number): ServerInfo {
  const expiresAt = ttlMs === undefined ? undefined : now + ttlMs;
  return { ...draft, expiresAt, revision: 0, origin: '' };
}

/** A set with some changes, without a copy of it: there may be thousands in it, and one change. */
class Overlay implements Assigned {
  readonly #base: Assigned;
  readonly #put: AssignedSet;
  readonly #touched: ReadonlySet<string>;

  constructor(base: Assigned, put: AssignedSet, touched: ReadonlySet<string>) {
    this.#base = base;
    this.#put = put;
    this.#touched = touched;
  }

  forNode(subject: AssignedSubject, now: number): AssignedFor {
    const base = this.#base.forNode(subject, now);
    const put = this.#put.forNode(subject, now);
    const merge = <Item>(a: readonly Item[], b: readonly Item[], nameOf: (item: Item) => string): Item[] => {
      const kept = a.filter((item) => !this.#touched.has(nameOf(item)));
      return [...kept, ...b].sort((x, y) => (nameOf(x) < nameOf(y) ? -1 : 1));
    };
    const { select } = base;
    const { select: selectPut } = put;
    return {
      byInstance: merge(base.byInstance, put.byInstance, ({ name }) => name),
      byServerId: merge(base.byServerId, put.byServerId, ({ name }) => name),
      select:
        select === undefined && selectPut === undefined
          ? undefined
          : (labels) => merge(select?.(labels) ?? [], selectPut?.(labels) ?? [], ({ source }) => source.name),
    };
  }
}
