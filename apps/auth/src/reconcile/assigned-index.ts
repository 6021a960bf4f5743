import { SelectorError } from '@tagplane/labels';
import type { Logger } from '@tagplane/runtime';
import {
  ASSIGNED_PREFIX,
  AssignedSet,
  ServerInfoDecodeError,
  decodeServerInfo,
  nameOfKey,
  serverInfoKey,
} from '@tagplane/serverinfo';
import type { ServerInfo } from '@tagplane/serverinfo';
import type { Change, Entry, Store } from '@tagplane/store';

const PAGE = 1_000;

/** One ServerInfo of operators that changed; undefined: there was, or is, none. */
export interface AssignedChange {
  readonly before: ServerInfo | undefined;
  readonly after: ServerInfo | undefined;
}

/**
 * The ServerInfos that operators assigned, in memory: there are few of them, and each node's labels
 * need all that match it. The store's feed keeps it current. An item that the store has lost without a
 * word of its own (`absent`) stays until its end.
 */
export class AssignedIndex {
  readonly #store: Store;
  readonly #log: Logger;
  readonly #set = new AssignedSet();
  #loaded = false;

  constructor({ store, log }: { readonly store: Store; readonly log: Logger }) {
    this.#store = store;
    this.#log = log;
  }

  /** Until then nothing can be said of `dynamic/` labels. */
  get loaded(): boolean {
    return this.#loaded;
  }

  /** As they are now; they change while the feed is followed. */
  get set(): Omit<AssignedSet, 'put' | 'remove'> {
    return this.#set;
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
    const known = Array.from(this.#set.values(), (info) => serverInfoKey(info.name));
    const missing = known.filter((key) => !live.has(key));
    const gone = await this.#gone(missing, signal);
    for (const key of gone) this.#set.remove(nameOfKey(key));
    for (const entry of live.values()) this.#put(entry);
    this.#loaded = true;
  }

  /**
   * Takes changes over, reading the items from the store.
   *
   * @returns what changed, in the order of the changes
   */
  async apply(changes: readonly Change[], signal: AbortSignal): Promise<readonly AssignedChange[]> {
    const keys = [...new Set(changes.map((change) => change.key))];
    const applied: AssignedChange[] = [];
    for (let start = 0; start < keys.length; start += PAGE) {
      const found = await this.#store.getMany(keys.slice(start, start + PAGE), { signal });
      for (const item of found) {
        const name = nameOfKey(item.key);
        const before = this.#set.get(name);
        if (item.state === 'gone') this.#set.remove(name);
        if (item.state === 'live') this.#put(item);
        const after = this.#set.get(name);
        if (before !== undefined || after !== undefined) applied.push({ before, after });
      }
    }
    return applied;
  }

  async #gone(keys: readonly string[], signal: AbortSignal): Promise<string[]> {
    const gone: string[] = [];
    for (let start = 0; start < keys.length; start += PAGE) {
      const found = await this.#store.getMany(keys.slice(start, start + PAGE), { signal });
      gone.push(...found.filter((item) => item.state === 'gone').map((item) => item.key));
    }
    return gone;
  }

  #put(entry: Entry): void {
    try {
      this.#set.put(decodeServerInfo(entry));
    } catch (error) {
      if (!(error instanceof ServerInfoDecodeError || error instanceof SelectorError)) throw error;
      // Written by a newer version: what was known of it before stands.
      this.#log.warn({ event: 'assigned_server_info_unreadable', err: error });
    }
  }
}
