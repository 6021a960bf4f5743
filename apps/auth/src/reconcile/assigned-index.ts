import type { Logger } from '@tagplane/runtime';
import {
  ASSIGNED_PREFIX,
  ServerInfoDecodeError,
  decodeServerInfo,
  discoveredName,
  serverInfoKey,
} from '@tagplane/serverinfo';
import type { Match, ServerInfo } from '@tagplane/serverinfo';
import type { Change, Entry, Store } from '@tagplane/store';

const PAGE = 1_000;

/**
 * The ServerInfos that operators assigned, in memory: there are few of them, and each node's labels
 * need all that match it. The store's feed keeps it current. An item that the store has lost without a
 * word of its own (`absent`) stays until its end.
 */
export class AssignedIndex {
  readonly #store: Store;
  readonly #log: Logger;
  readonly #byKey = new Map<string, ServerInfo>();
  readonly #byTarget = new Map<string, readonly ServerInfo[]>();
  #loaded = false;

  constructor({ store, log }: { readonly store: Store; readonly log: Logger }) {
    this.#store = store;
    this.#log = log;
  }

  /** Until then nothing can be said of `dynamic/` labels. */
  get loaded(): boolean {
    return this.#loaded;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /**
   * Those for this node, in the order of their names. One that is past its end and still here was lost by
   * the store, or the store is away: the node's own clock has ended it too, with all labels beside it.
   *
   * @param now Unix milliseconds
   */
  matching(serverId: string, instanceKey: string | undefined, now: number): readonly ServerInfo[] {
    const byId = this.#notEnded(serverId, now);
    const byInstance = instanceKey === undefined ? NONE : this.#notEnded(instanceKey, now);
    if (byInstance.length === 0) return byId;
    return byId.length === 0 ? byInstance : [...byId, ...byInstance].sort(byName);
  }

  #notEnded(target: string, now: number): readonly ServerInfo[] {
    const infos = this.#byTarget.get(target) ?? NONE;
    return infos.some((info) => hasEnded(info, now)) ? infos.filter((info) => !hasEnded(info, now)) : infos;
  }

  /** Reads all of them anew. Rejects as the store does; then nothing has changed. */
  async load(signal: AbortSignal): Promise<void> {
    const live = new Map<string, Entry>();
    let after: string | undefined;
    for (;;) {
      const range = { prefix: ASSIGNED_PREFIX, limit: PAGE, ...(after === undefined ? {} : { after }) };
      const entries = await this.#store.range(range, { signal });
      for (const entry of entries) live.set(entry.key, entry);
      after = entries.at(-1)?.key;
      if (entries.length < PAGE || after === undefined) break;
    }
    const missing = [...this.#byKey.keys()].filter((key) => !live.has(key));
    const gone = await this.#gone(missing, signal);
    for (const key of gone) this.#remove(key);
    for (const entry of live.values()) this.#put(entry);
    this.#loaded = true;
  }

  /**
   * Takes changes over, reading the items from the store.
   *
   * @returns the targets whose ServerInfos changed, before and after
   */
  async apply(changes: readonly Change[], signal: AbortSignal): Promise<readonly Match[]> {
    const keys = [...new Set(changes.map((change) => change.key))];
    const targets: Match[] = [];
    for (let start = 0; start < keys.length; start += PAGE) {
      const found = await this.#store.getMany(keys.slice(start, start + PAGE), { signal });
      for (const item of found) {
        const before = this.#byKey.get(item.key);
        if (before !== undefined) targets.push(before.match);
        if (item.state === 'gone') this.#remove(item.key);
        const now = item.state === 'live' ? this.#put(item) : undefined;
        if (now !== undefined) targets.push(now.match);
      }
    }
    return targets;
  }

  async #gone(keys: readonly string[], signal: AbortSignal): Promise<string[]> {
    const gone: string[] = [];
    for (let start = 0; start < keys.length; start += PAGE) {
      const found = await this.#store.getMany(keys.slice(start, start + PAGE), { signal });
      gone.push(...found.filter((item) => item.state === 'gone').map((item) => item.key));
    }
    return gone;
  }

  #put(entry: Entry): ServerInfo | undefined {
    try {
      const info = decodeServerInfo(entry);
      this.#remove(entry.key);
      this.#byKey.set(entry.key, info);
      const target = targetOf(info.match);
      this.#byTarget.set(target, [...(this.#byTarget.get(target) ?? NONE), info].sort(byName));
      return info;
    } catch (error) {
      if (!(error instanceof ServerInfoDecodeError)) throw error;
      // Written by a newer version: what was known of it before stands.
      this.#log.warn({ event: 'assigned_server_info_unreadable', err: error });
      return undefined;
    }
  }

  #remove(key: string): void {
    const info = this.#byKey.get(key);
    if (info === undefined) return;
    this.#byKey.delete(key);
    const target = targetOf(info.match);
    const rest = (this.#byTarget.get(target) ?? NONE).filter((other) => other !== info);
    if (rest.length === 0) this.#byTarget.delete(target);
    else this.#byTarget.set(target, rest);
  }
}

const NONE: readonly ServerInfo[] = [];

function byName(a: ServerInfo, b: ServerInfo): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function hasEnded({ expiresAt }: ServerInfo, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

/** A server id holds no `/`; a key of the ServerInfo store holds one. */
function targetOf(match: Match): string {
  if (match.kind === 'selector') return '';
  return match.kind === 'server-id' ? match.serverId : serverInfoKey(discoveredName(match.instance));
}
