import { createRegistry, silentLogger } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';
import type { Found, Store } from '@tagplane/store';
import { openEmbeddedStore } from '@tagplane/store-embedded';
import { createControlPlane } from '../control/control-plane.ts';
import type { ControlPlane, ControlPlaneOptions } from '../control/control-plane.ts';
import { decodeNodeRecord } from '../nodes/node-codec.ts';
import type { NodeRecord } from '../nodes/node-record.ts';
import type { Stores } from '../stores/open-stores.ts';

export type TestStores = Stores & AsyncDisposable;

export function testStores(): TestStores {
  const serverInfos = openEmbeddedStore({ path: ':memory:', kind: 'server-info' });
  const nodes = openEmbeddedStore({ path: ':memory:', kind: 'node' });
  const security = openEmbeddedStore({ path: ':memory:', kind: 'security' });
  const audit = openEmbeddedStore({ path: ':memory:', kind: 'audit' });
  const all = [serverInfos, nodes, security, audit];
  return {
    serverInfos,
    nodes,
    security,
    audit,
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map((store) => store[Symbol.asyncDispose]()));
    },
  };
}

export interface TestPlane extends AsyncDisposable {
  readonly plane: ControlPlane;
  readonly registry: Registry;
}

/** One auth process's control plane, running until it is disposed. */
export function testPlane(
  stores: Pick<TestStores, 'serverInfos' | 'nodes'>,
  options: Partial<ControlPlaneOptions> = {},
): TestPlane {
  const registry = createRegistry('auth');
  const { serverInfos, nodes } = stores;
  const plane = createControlPlane({
    authId: 'auth-1',
    serverInfos,
    nodes,
    registry,
    log: silentLogger(),
    ...options,
  });
  const stop = new AbortController();
  const running = plane.run(stop.signal);
  return {
    plane,
    registry,
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test is over'));
      await running;
    },
  };
}

/** The value of a metric without its `tagplane_auth_`, such as `pushes_total{kind="renew"}`; 0 if there is none. */
export async function metric(registry: Registry, name: string): Promise<number> {
  const text = await registry.metrics();
  const line = text.split('\n').find((each) => each.startsWith(`tagplane_auth_${name} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

export async function nodeRecord(store: Store, serverId: string): Promise<NodeRecord | undefined> {
  const [found] = await store.getMany([serverId], { signal: new AbortController().signal });
  return found?.state === 'live' ? decodeNodeRecord(found) : undefined;
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

export type Lookup = readonly Found[];

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
