import { rolesRevision } from '@tagplane/access';
import type { AccessRole } from '@tagplane/access';

/** All roles at one time. */
export interface RoleSet {
  /** Names this content; empty for no roles. */
  readonly revision: string;
  /** Ordered by name. */
  readonly roles: readonly AccessRole[];
}

/** An agent that was away during so many changes of roles is sent all of them again. */
const KEPT = 16;

/** The present set of roles and the latest before it, so that a difference can be told. */
export class RoleSets {
  /** Oldest first. */
  readonly #sets = new Map<string, RoleSet>();
  #current: RoleSet | undefined;

  get current(): RoleSet | undefined {
    return this.#current;
  }

  /** The set of this revision, if it is one of the latest. */
  get(revision: string): RoleSet | undefined {
    return this.#sets.get(revision);
  }

  /** @returns whether these are others than before */
  take(roles: Iterable<AccessRole>): boolean {
    const ordered = [...roles].sort((a, b) => (a.name < b.name ? -1 : 1));
    const revision = rolesRevision(ordered);
    if (revision === this.#current?.revision) return false;
    this.#current = { revision, roles: ordered };
    // A set that comes back is the latest.
    this.#sets.delete(revision);
    this.#sets.set(revision, this.#current);
    for (const oldest of this.#sets.keys()) {
      if (this.#sets.size <= KEPT) break;
      this.#sets.delete(oldest);
    }
    return true;
  }
}
