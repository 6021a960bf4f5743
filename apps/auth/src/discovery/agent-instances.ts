import type { InstanceKey } from '@tagplane/identity';
import { SECOND } from '@tagplane/runtime';
import { discoveredName } from '@tagplane/serverinfo';
import type { Entry, Store } from '@tagplane/store';
import { decodeInstanceRecord, instanceRecordKey } from '../join/record-codec.ts';
import { NodeDecodeError, decodeNodeRecord } from '../nodes/node-codec.ts';

const PAGE = 250;
/** Reading 10,000 nodes takes about a tenth of a second. */
const FRESH_MS = 30 * SECOND;

/** The nodes that speak for instances, as of a moment. */
export interface AgentSnapshot {
  /** Names of the instances' ServerInfos, in order. */
  readonly names: readonly string[];
  /** Server ids by such a name. */
  readonly serverIds: ReadonlyMap<string, readonly string[]>;
}

/** Which instances have an agent, by the nodes in the store. */
export class AgentInstances {
  readonly #nodes: Store;
  readonly #security: Store;
  readonly #now: () => number;
  #read: { readonly at: number; readonly snapshot: AgentSnapshot } | undefined;
  #reading: Promise<AgentSnapshot> | undefined;

  constructor(options: { readonly nodes: Store; readonly security: Store; readonly now?: () => number }) {
    this.#nodes = options.nodes;
    this.#security = options.security;
    this.#now = options.now ?? (() => Date.now());
  }

  /** At most half a minute old; calls at once share one reading. */
  async snapshot(signal: AbortSignal): Promise<AgentSnapshot> {
    if (this.#read !== undefined && this.#now() - this.#read.at < FRESH_MS) return this.#read.snapshot;
    if (this.#reading !== undefined) {
      const shared = await this.#reading.catch(() => undefined);
      if (shared !== undefined) return shared;
      signal.throwIfAborted();
    }
    const at = this.#now();
    this.#reading = this.#readAll(signal);
    try {
      const snapshot = await this.#reading;
      this.#read = { at, snapshot };
      return snapshot;
    } finally {
      this.#reading = undefined;
    }
  }

  /** For each, whether a node speaks for it: by a snapshot, and by who has joined as the instance until now. */
  async have(instances: readonly InstanceKey[], signal: AbortSignal): Promise<boolean[]> {
    const { serverIds } = await this.snapshot(signal);
    const joins = await this.#security.getMany(instances.map(instanceRecordKey), { signal });
    const names = joins.map((found) =>
      found.state === 'live' ? decodeInstanceRecord(found.value).name : '',
    );
    const joined = [...new Set(names.filter((name) => name !== ''))];
    const nodes = await this.#nodes.getMany(joined, { signal });
    const live = new Set(nodes.filter(({ state }) => state === 'live').map(({ key }) => key));
    return instances.map(
      (instance, index) => serverIds.has(discoveredName(instance)) || live.has(names[index] ?? ''),
    );
  }

  async #readAll(signal: AbortSignal): Promise<AgentSnapshot> {
    const serverIds = new Map<string, string[]>();
    let after: string | undefined;
    for (;;) {
      const range = { prefix: '', limit: PAGE, ...(after === undefined ? {} : { after }) };
      const entries = await this.#nodes.range(range, { signal });
      for (const entry of entries) {
        const instance = instanceOfNode(entry);
        if (instance === undefined) continue;
        const name = discoveredName(instance);
        const ids = serverIds.get(name);
        if (ids === undefined) serverIds.set(name, [entry.key]);
        else ids.push(entry.key);
      }
      if (entries.length < PAGE) return { serverIds, names: [...serverIds.keys()].sort() };
      after = entries.at(-1)?.key;
    }
  }
}

/** The instance that the node was proven to be; undefined for none, and for a record of another version. */
export function instanceOfNode(entry: Pick<Entry, 'key' | 'value'>): InstanceKey | undefined {
  try {
    return decodeNodeRecord(entry).instance;
  } catch (error) {
    if (error instanceof NodeDecodeError) return undefined;
    throw error;
  }
}
