import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRegistry, silentLogger } from '@tagplane/runtime';
import { StoreUnavailableError } from '@tagplane/store';
import type { Store } from '@tagplane/store';
import { openEmbeddedStore } from '@tagplane/store-embedded';
import { putRoles, removeRoles, role } from '../testing/roles.ts';
import { metric, overridden, until } from '../testing/test-stores.ts';
import { createRoles } from './create-roles.ts';
import type { RoleRegistry } from './create-roles.ts';
import { roleKey } from './role-codec.ts';

const signal = new AbortController().signal;
const opened: (Store & AsyncDisposable)[] = [];
let stop: AbortController;
let runs: Promise<void>[];

beforeEach(() => {
  stop = new AbortController();
  runs = [];
});
afterEach(async () => {
  stop.abort();
  await Promise.all(runs);
  for (const store of opened.splice(0)) await store[Symbol.asyncDispose]();
});

function open(): Store & AsyncDisposable {
  const store = openEmbeddedStore({ path: ':memory:', kind: 'role' });
  opened.push(store);
  return store;
}

function follow(store: Store, registry = createRegistry('auth')): RoleRegistry {
  const roles = createRoles({ store, log: silentLogger(), registry });
  runs.push(roles.run(stop.signal));
  return roles;
}

const names = (roles: RoleRegistry): string[] | undefined => roles.current?.roles.map(({ name }) => name);
const has = (roles: RoleRegistry, ...expected: string[]) =>
  until(
    () => names(roles)?.join() === expected.join(),
    `roles ${expected.join()}, not ${names(roles)?.join()}`,
  );

/** A store that is emptied when `swap` is called: another one, with another epoch, in its place. */
function replaceable(): { readonly store: Store; swap(): Store } {
  let store: Store = open();
  let watching = new AbortController();
  const now: Store = overridden(store, {
    put: (...call) => store.put(...call),
    getMany: (...call) => store.getMany(...call),
    range: (...call) => store.range(...call),
    async *watch(options) {
      const end = AbortSignal.any([options.signal, watching.signal]);
      yield* store.watch({ ...options, signal: end });
      if (!options.signal.aborted) throw new StoreUnavailableError('it went away');
    },
  });
  return {
    store: now,
    swap() {
      store = open();
      watching.abort();
      watching = new AbortController();
      return store;
    },
  };
}

describe('the roles in memory', () => {
  it('are not known before the store has ever held one: agents keep what they hold', async () => {
    const store = open();
    const roles = follow(store);
    await until(() => roles.index.loaded, 'loaded');
    expect(roles.current).toBeUndefined();
    await putRoles(store, role('dev'));
    await has(roles, 'dev');
  });

  it('follow every write and deletion, down to none', async () => {
    const store = open();
    await putRoles(store, role('b'), role('a'));
    const registry = createRegistry('auth');
    const roles = follow(store, registry);
    let told = 0;
    roles.onChange(() => (told += 1));
    await has(roles, 'a', 'b');
    const before = roles.current;
    expect(await metric(registry, 'roles')).toBe(2);
    await roles.index.mark(signal);
    await putRoles(store, role('a', 'root'));
    await until(() => roles.current !== before, 'another set');
    expect(roles.get(before?.revision ?? '')).toBe(before);
    await removeRoles(store, 'a', 'b');
    await has(roles);
    expect(roles.current?.revision).toBe('');
    expect(told).toBeGreaterThanOrEqual(3);
    // Whoever comes now is told that there are none, not that nothing is known.
    await has(follow(store));
  });

  it('are not others when only their writer is', async () => {
    const store = open();
    await putRoles(store, role('a'));
    const roles = follow(store);
    await has(roles, 'a');
    const before = roles.current;
    await putRoles(store, role('a'), role('b'));
    await has(roles, 'a', 'b');
    await removeRoles(store, 'b');
    await has(roles, 'a');
    expect(roles.current?.revision).toBe(before?.revision);
  });

  it('keep what was known of a role that a newer version wrote', async () => {
    const store = open();
    await putRoles(store, role('a'), role('b'));
    const roles = follow(store);
    await has(roles, 'a', 'b');
    const put = { key: roleKey('a'), value: '{"version":2}', ttlMs: undefined };
    await store.put([put, { ...put, key: roleKey('c') }], { signal });
    await removeRoles(store, 'b');
    await has(roles, 'a');
    expect(roles.current?.roles).toEqual([role('a')]);
  });

  it('stand when a set would be more than agents take', async () => {
    const store = open();
    await putRoles(store, role('a'));
    const roles = follow(store);
    await has(roles, 'a');
    const many = Array.from({ length: 2_000 }, (_, index) => role(`r${index}`));
    await putRoles(store, ...many);
    await until(() => roles.index.others('').length === 2_001, 'all there');
    expect(roles.current?.roles.length).toBeLessThanOrEqual(2_000);
    expect(roles.index.problem).toMatch(/at most 2000/);
    await removeRoles(store, 'a');
    await until(() => roles.current?.roles.length === 2_000, 'as many as may be');
    expect(roles.index.problem).toBeUndefined();
  });

  it('go back into a store that has lost them', async () => {
    const { store, swap } = replaceable();
    await putRoles(store, role('a'), role('b'));
    const roles = follow(store);
    await has(roles, 'a', 'b');
    await roles.index.mark(signal);
    const before = roles.current;
    const emptied = swap();
    await until(async () => (await emptied.count('role/', { signal })) === 2, 'both restored');
    expect(roles.current).toBe(before);
    await has(follow(emptied), 'a', 'b');
  });

  it('are not known to who starts on an emptied store', async () => {
    const { store, swap } = replaceable();
    await putRoles(store, role('a'));
    const roles = follow(swap());
    await until(() => roles.index.loaded, 'loaded');
    expect(roles.current).toBeUndefined();
  });

  it('stand while the store is away', async () => {
    const inner = open();
    await putRoles(inner, role('a'));
    let away = false;
    const registry = createRegistry('auth');
    const store = overridden(inner, {
      getMany: (...call) =>
        away ? Promise.reject(new StoreUnavailableError('nobody answers')) : inner.getMany(...call),
    });
    const roles = follow(store, registry);
    await has(roles, 'a');
    away = true;
    await putRoles(inner, role('b'));
    await until(async () => (await metric(registry, 'role_feed_failures_total')) > 0, 'a failure');
    expect(names(roles)).toEqual(['a']);
    away = false;
    await has(roles, 'a', 'b');
  });
});
