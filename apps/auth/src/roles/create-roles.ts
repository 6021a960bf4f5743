import { Counter, Gauge } from '@tagplane/runtime';
import type { Logger, Registry } from '@tagplane/runtime';
import { followFeed } from '@tagplane/store';
import type { Store } from '@tagplane/store';
import { RoleIndex } from './role-index.ts';
import type { RoleSet } from './role-sets.ts';

/** The roles, as whoever sends them to agents or decides by them needs them. */
export interface RoleSource {
  /** Undefined: the store has not said yet whether there are any. */
  readonly current: RoleSet | undefined;
  /** The set of this revision, if it is one of the latest. */
  get(revision: string): RoleSet | undefined;
  /** Called after `current` is another one; must not throw. */
  onChange(listener: () => void): Disposable;
}

export interface RoleRegistry extends RoleSource {
  readonly index: RoleIndex;
  /** Follows the store until the signal aborts. What is known stands while the store is away. */
  run(signal: AbortSignal): Promise<void>;
}

export interface RolesOptions {
  readonly store: Store;
  readonly log: Logger;
  readonly registry: Registry;
}

export function createRoles({ store, log, registry }: RolesOptions): RoleRegistry {
  const index = new RoleIndex({ store, log });
  const feedFailures = roleMetrics(registry, index);
  const listeners = new Set<() => void>();
  const settle = (changed: boolean): void => {
    if (changed) for (const listener of listeners) listener();
  };
  return {
    index,
    get current() {
      return index.sets.current;
    },
    get: (revision) => index.sets.get(revision),
    onChange(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => listeners.delete(listener) };
    },
    run: (signal) =>
      followFeed(
        store,
        {
          reset: async ({ epoch }) => {
            settle(await index.load(epoch, signal));
          },
          changes: async (changes) => {
            settle(await index.apply(changes, signal));
          },
          unavailable: () => {
            feedFailures.inc();
          },
        },
        { signal },
      ),
  };
}

function roleMetrics(registry: Registry, index: RoleIndex): Counter {
  const registers = [registry];
  new Gauge({
    name: 'tagplane_auth_roles',
    help: 'Roles that there are, held in memory.',
    registers,
    collect() {
      this.set(index.size);
    },
  });
  return new Counter({
    name: 'tagplane_auth_role_feed_failures_total',
    help: 'Times the feed of roles broke off; what was known stands.',
    registers,
  });
}
