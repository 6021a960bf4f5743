import type { Registry } from '@tagplane/runtime';
import type { Store } from '@tagplane/store';
import { openEmbeddedStore } from '@tagplane/store-embedded';
import type { Stores } from '../stores/open-stores.ts';

export type TestStores = Stores & AsyncDisposable;

export function testStores(): TestStores {
  const serverInfos = openEmbeddedStore({ path: ':memory:', kind: 'server-info' });
  const nodes = openEmbeddedStore({ path: ':memory:', kind: 'node' });
  const security = openEmbeddedStore({ path: ':memory:', kind: 'security' });
  const audit = openEmbeddedStore({ path: ':memory:', kind: 'audit' });
  const roles = openEmbeddedStore({ path: ':memory:', kind: 'role' });
  const discovery = openEmbeddedStore({ path: ':memory:', kind: 'discovery' });
  const all = [serverInfos, nodes, security, audit, roles, discovery];
  return {
    serverInfos,
    nodes,
    security,
    audit,
    roles,
    discovery,
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map((store) => store[Symbol.asyncDispose]()));
    },
  };
}

/** The value of a metric without its `tagplane_auth_`, such as `pushes_total{kind="renew"}`; 0 if there is none. */
export async function metric(registry: Registry, name: string): Promise<number> {
  const text = await registry.metrics();
  const line = text.split('\n').find((each) => each.startsWith(`tagplane_auth_${name} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

/** A store of which single methods are replaced. */
export function overridden(store: Store, methods: Partial<Store>): Store {
  return {
    type: store.type,
    put: methods.put ?? ((items, options) => store.put(items, options)),
    getMany: methods.getMany ?? ((keys, options) => store.getMany(keys, options)),
    range: methods.range ?? ((range, options) => store.range(range, options)),
    count: methods.count ?? ((prefix, options) => store.count(prefix, options)),
    delete: methods.delete ?? ((items, options) => store.delete(items, options)),
    watch: methods.watch ?? ((options) => store.watch(options)),
    epoch: methods.epoch ?? ((options) => store.epoch(options)),
    ping: methods.ping ?? ((options) => store.ping(options)),
  };
}

const DEADLINE_MS = 15_000;

/** Waits, in real time, until this holds. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not so in time: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}
