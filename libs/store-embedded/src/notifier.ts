import { MEMORY } from './database.ts';

/** Tells the watchers of one kind in one file, within this process, that something was written. */
export interface Notifier {
  /** Whether other processes may write too, which it cannot tell of. */
  readonly shared: boolean;
  notify(): void;
  /** The function is called on every write until the result is disposed of. */
  subscribe(wake: () => void): Disposable;
}

const notifiers = new Map<string, { readonly notifier: Notifier; users: number }>();

/** The notifier that all users of this kind and file share; dispose of it when the store is closed. */
export function shareNotifier(path: string, kind: string): Notifier & Disposable {
  if (path === MEMORY) return { ...createNotifier(false), [Symbol.dispose]: () => undefined };
  const name = `${kind}\0${path}`;
  const shared = notifiers.get(name) ?? { notifier: createNotifier(true), users: 0 };
  notifiers.set(name, shared);
  shared.users++;
  return {
    ...shared.notifier,
    [Symbol.dispose]() {
      shared.users--;
      if (shared.users === 0) notifiers.delete(name);
    },
  };
}

function createNotifier(shared: boolean): Notifier {
  const wakes = new Set<() => void>();
  return {
    shared,
    notify() {
      for (const wake of wakes) wake();
    },
    subscribe(wake) {
      wakes.add(wake);
      return { [Symbol.dispose]: () => void wakes.delete(wake) };
    },
  };
}
