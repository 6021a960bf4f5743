import { roleProblem, rolesProblem } from '@tagplane/access';
import type { AccessRole, StoredRole } from '@tagplane/access';
import type { Logger } from '@tagplane/runtime';
import type { Change, Entry, Found, Put, Store } from '@tagplane/store';
import { ROLE_PREFIX, RoleDecodeError, accessRoleOf, decodeRole, encodeRole } from './role-codec.ts';
import { RoleSets } from './role-sets.ts';

const PAGE = 1_000;

/**
 * In a store that has ever held a role. A store without it says nothing of roles: it is new, or it has lost
 * them, and agents keep what they hold.
 */
const MARK: Put = { key: 'known', value: '1', ttlMs: undefined, expected: { live: false } };

interface Kept {
  readonly stored: StoredRole;
  /** The same object for as long as it is the same role: what is known of it is kept by it. */
  readonly role: AccessRole;
}

/**
 * All roles, in memory. The store's feed keeps it current. A store that was emptied gets back what is known
 * here: nobody has deleted it.
 */
export class RoleIndex {
  readonly sets = new RoleSets();
  readonly #store: Store;
  readonly #log: Logger;
  readonly #kept = new Map<string, Kept>();
  /** Undefined: not loaded yet. */
  #epoch: string | undefined;
  #marked = false;
  #problem: string | undefined;

  constructor({ store, log }: { readonly store: Store; readonly log: Logger }) {
    this.#store = store;
    this.#log = log;
  }

  get loaded(): boolean {
    return this.#epoch !== undefined;
  }

  /** Whether the store has been told that there are roles. */
  get marked(): boolean {
    return this.#marked;
  }

  /** Why agents are not sent the roles as they are in the store, for a person; undefined: they are. */
  get problem(): string | undefined {
    return this.#problem;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** All but the one of this name. */
  others(name: string): AccessRole[] {
    return [...this.#kept.values()].map(({ role }) => role).filter((role) => role.name !== name);
  }

  /**
   * Reads all of them anew. Rejects as the store does.
   *
   * @returns whether the set of roles is another one
   */
  async load(epoch: string, signal: AbortSignal): Promise<boolean> {
    const live = await this.#range(signal);
    const [mark] = await this.#store.getMany([MARK.key], { signal });
    const missing = [...this.#kept].filter(([key]) => !live.has(key));
    const lost = this.#epoch !== undefined && this.#epoch !== epoch;
    if (lost) await this.#restore(missing, signal);
    else for (const [key] of missing) this.#kept.delete(key);
    for (const entry of live.values()) this.#put(entry);
    this.#marked ||= mark?.state === 'live';
    this.#epoch = epoch;
    return this.#settle();
  }

  /**
   * Takes changes over, reading the items from the store.
   *
   * @returns whether the set of roles is another one
   */
  async apply(changes: readonly Change[], signal: AbortSignal): Promise<boolean> {
    const keys = [...new Set(changes.map(({ key }) => key))];
    for (let start = 0; start < keys.length; start += PAGE) {
      const found = await this.#store.getMany(keys.slice(start, start + PAGE), { signal });
      for (const item of found) this.#take(item);
    }
    return this.#settle();
  }

  /** Notes in the store that there are roles, after the first was written. */
  async mark(signal: AbortSignal): Promise<void> {
    if (this.#marked) return;
    await this.#store.put([MARK], { signal });
    this.#marked = true;
  }

  #take(item: Found): void {
    if (item.key === MARK.key) this.#marked ||= item.state === 'live';
    else if (!item.key.startsWith(ROLE_PREFIX)) return;
    else if (item.state === 'live') this.#put(item);
    else if (item.state === 'gone') this.#kept.delete(item.key);
  }

  #put(entry: Entry): void {
    try {
      if (this.#kept.get(entry.key)?.stored.revision === entry.revision) return;
      const stored = decodeRole(entry);
      const problem = roleProblem(stored);
      // An agent would refuse the whole set for it.
      if (problem !== undefined) {
        throw new RoleDecodeError(`the stored role ${stored.name} is none: ${problem}`);
      }
      this.#kept.set(entry.key, { stored, role: accessRoleOf(stored) });
    } catch (error) {
      if (!(error instanceof RoleDecodeError)) throw error;
      // Written by a newer version: what was known of it before stands.
      this.#log.warn({ event: 'role_unreadable', role: entry.key.slice(ROLE_PREFIX.length), err: error });
    }
  }

  #settle(): boolean {
    if (!this.#marked && this.#kept.size === 0) return false;
    const roles = [...this.#kept.values()].map(({ role }) => role);
    const problem = rolesProblem(roles);
    this.#problem = problem && `agents keep the roles of before: ${problem}`;
    if (problem === undefined) return this.sets.take(roles);
    // Two writers at once may go over a limit together. Every agent would refuse the set.
    this.#log.error({ event: 'roles_over_limit', reason: problem });
    return false;
  }

  async #restore(missing: readonly (readonly [string, Kept])[], signal: AbortSignal): Promise<void> {
    for (let start = 0; start < missing.length; start += PAGE) {
      const puts = missing.slice(start, start + PAGE).map(([key, { stored }]): Put => {
        return { key, value: encodeRole(stored), ttlMs: undefined, expected: { live: false } };
      });
      await this.#store.put(puts, { signal });
    }
    if (this.#marked) await this.#store.put([MARK], { signal });
    if (missing.length > 0) this.#log.warn({ event: 'roles_restored', roles: missing.length });
  }

  async #range(signal: AbortSignal): Promise<Map<string, Entry>> {
    const live = new Map<string, Entry>();
    for (;;) {
      const after = [...live.keys()].at(-1);
      const range = { prefix: ROLE_PREFIX, limit: PAGE, ...(after === undefined ? {} : { after }) };
      const page = await this.#store.range(range, { signal });
      for (const entry of page) live.set(entry.key, entry);
      if (page.length < PAGE) return live;
    }
  }
}
