import type { InstanceKey } from '@tagplane/identity';
import {
  DISCOVERED_PREFIX,
  ServerInfoDecodeError,
  decodeServerInfo,
  parseDiscoveredName,
} from '@tagplane/serverinfo';
import type { Entry, Store } from '@tagplane/store';
import type { AgentSnapshot } from './agent-instances.ts';
import { ENROLMENT_PREFIX, decodeEnrolment } from './enrolment-records.ts';
import type { StoredEnrolment } from './enrolment-records.ts';

/** An instance that was discovered, or of which something was said, or for which a node speaks. */
export interface ListedInstance {
  readonly instance: InstanceKey;
  /** Of its ServerInfo; empty when there is none. */
  readonly origin: string;
  readonly enrolment: StoredEnrolment | undefined;
  readonly serverIds: readonly string[];
}

export interface InstanceRange {
  /** Only names of ServerInfos that begin with this. */
  readonly prefix: string;
  readonly after: string | undefined;
  readonly limit: number;
}

export interface InstancePage {
  readonly items: readonly { readonly name: string; readonly item: ListedInstance }[];
  /** Undefined: there are no more. */
  readonly next: string | undefined;
}

/**
 * Merges the three places that know instances, in the order of names: at most `limit` of each are read, and those
 * come back that no unread one can precede.
 */
export async function listInstances(
  stores: { readonly serverInfos: Store; readonly discovery: Store },
  agents: AgentSnapshot,
  range: InstanceRange,
  signal: AbortSignal,
): Promise<InstancePage> {
  const [infos, enrolments] = await Promise.all([
    byName(stores.serverInfos, DISCOVERED_PREFIX, range, signal),
    byName(stores.discovery, ENROLMENT_PREFIX, range, signal),
  ]);
  const nodes = namesAfter(agents.names, range);
  const lists = [[...infos.keys()], [...enrolments.keys()], nodes];
  const ends = lists.flatMap((names) => (names.length < range.limit ? [] : (names.at(-1) ?? [])));
  const end = ends.length === 0 ? undefined : ends.reduce((least, each) => (each < least ? each : least));
  const names = [...new Set(lists.flat())].filter((name) => end === undefined || name <= end).sort();
  return {
    items: names.flatMap((name) => {
      const instance = parseDiscoveredName(name);
      if (instance === undefined) return [];
      const enrolment = enrolments.get(name);
      const item = {
        instance,
        origin: originOf(infos.get(name)),
        enrolment: enrolment && decodeEnrolment(enrolment),
        serverIds: agents.serverIds.get(name) ?? [],
      };
      return [{ name, item }];
    }),
    next: end,
  };
}

async function byName(
  store: Store,
  kind: string,
  { prefix, after, limit }: InstanceRange,
  signal: AbortSignal,
): Promise<Map<string, Entry>> {
  const range = { prefix: kind + prefix, limit, ...(after === undefined ? {} : { after: kind + after }) };
  const entries = await store.range(range, { signal });
  return new Map(entries.map((entry) => [entry.key.slice(kind.length), entry]));
}

function namesAfter(names: readonly string[], { prefix, after = '', limit }: InstanceRange): string[] {
  const from = lowerBound(names, after > prefix ? after : prefix);
  const found: string[] = [];
  for (let at = from; at < names.length && found.length < limit; at += 1) {
    const name = names[at] ?? '';
    if (!name.startsWith(prefix)) break;
    if (name !== after) found.push(name);
  }
  return found;
}

/** The place of the first that is not less. */
function lowerBound(names: readonly string[], wanted: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names[middle] ?? '') < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

function originOf(entry: Entry | undefined): string {
  if (entry === undefined) return '';
  try {
    return decodeServerInfo(entry).origin;
  } catch (error) {
    if (error instanceof ServerInfoDecodeError) return '';
    throw error;
  }
}
