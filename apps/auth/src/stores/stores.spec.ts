import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Registry, runTasks, silentLogger } from '@tagplane/runtime';
import { StoreUnavailableError } from '@tagplane/store';
import type { Store } from '@tagplane/store';
import { openEmbeddedStore } from '@tagplane/store-embedded';
import { createMetrics } from '../metrics.ts';
import { measuredStore } from './measured-store.ts';
import { createStoreMonitor } from './store-monitor.ts';

const signal = new AbortController().signal;
const away = () => Promise.reject(new StoreUnavailableError('nobody answers'));
let inner: Store & AsyncDisposable;
let registry: Registry;

beforeEach(() => {
  inner = openEmbeddedStore({ path: ':memory:', kind: 'server-info' });
  registry = new Registry();
});
afterEach(async () => {
  await inner[Symbol.asyncDispose]();
});

/** The store with operations that fail. */
function failing(...operations: ('ping' | 'epoch')[]): Store {
  const working = measuredStore(inner, 'server-info', createMetrics(new Registry()));
  return { ...working, ...Object.fromEntries(operations.map((operation) => [operation, away])) };
}

/** The sample of a metric with these labels; undefined when there is none. */
async function sample(
  name: string,
  labels: Record<string, string> = {},
  suffix = '',
): Promise<number | undefined> {
  const { values } = (await registry.getSingleMetric(name)?.get()) ?? { values: [] };
  const found = values.find(
    (value) =>
      (!('metricName' in value) || value.metricName === name + suffix) &&
      Object.entries(labels).every(([key, text]) => value.labels[key] === text),
  );
  return found?.value;
}

describe('measuredStore', () => {
  it('passes every operation on, and times it', async () => {
    const store = measuredStore(inner, 'server-info', createMetrics(registry));
    const [put] = await store.put([{ key: 'a', value: '1', ttlMs: undefined }], { signal });
    expect(put?.written).toBe(true);
    expect((await store.getMany(['a'], { signal }))[0]?.state).toBe('live');
    expect(await store.range({ prefix: '', limit: 10 }, { signal })).toHaveLength(1);
    expect(await store.count('', { signal })).toBe(1);
    expect(await store.epoch({ signal })).toBe(await inner.epoch({ signal }));
    await store.ping({ signal });
    expect((await store.delete([{ key: 'a' }], { signal }))[0]?.written).toBe(true);
    expect(store.type).toBe('embedded');
    for await (const batch of store.watch({ signal })) {
      expect(batch.type).toBe('reset');
      break;
    }
    for (const operation of ['put', 'get_many', 'range', 'count', 'epoch', 'ping', 'delete']) {
      const count = await sample('tagplane_auth_store_seconds', { kind: 'server-info', operation }, '_count');
      expect([operation, count]).toEqual([operation, 1]);
    }
    expect(await sample('tagplane_auth_store_failures_total')).toBeUndefined();
  });

  it('counts failures, and leaves out what the caller gave up', async () => {
    const store = measuredStore(failing('ping', 'epoch'), 'node', createMetrics(registry));
    await expect(store.ping({ signal })).rejects.toThrow('nobody answers');
    await expect(store.epoch({ signal: AbortSignal.abort() })).rejects.toThrow();
    const count = (operation: string) =>
      sample('tagplane_auth_store_failures_total', { kind: 'node', operation });
    expect(await count('ping')).toBe(1);
    expect(await count('epoch')).toBeUndefined();
  });
});

describe('the store monitor', () => {
  it('says whether the store answers, and counts what is in it', async () => {
    const metrics = createMetrics(registry);
    await inner.put([{ key: 'assigned/a', value: '1', ttlMs: undefined }], { signal });
    const monitor = createStoreMonitor({ serverInfos: inner, nodes: inner }, metrics, silentLogger());
    expect(monitor.readiness()).toEqual({ name: 'store', ready: false, reason: 'not asked yet' });
    const stop = new AbortController();
    const running = runTasks(stop.signal, { monitor: (abort) => monitor.run(abort) });
    while ((await sample('tagplane_auth_stored_items', { kind: 'node' })) === undefined) await turn();
    expect(monitor.readiness()).toEqual({ name: 'store', ready: true });
    expect(await sample('tagplane_auth_store_reachable')).toBe(1);
    expect(await sample('tagplane_auth_stored_items', { kind: 'assigned' })).toBe(1);
    expect(await sample('tagplane_auth_stored_items', { kind: 'discovered' })).toBe(0);
    stop.abort();
    await running;
  });

  it('says why it does not', async () => {
    const stores = { serverInfos: failing('ping'), nodes: inner };
    const monitor = createStoreMonitor(stores, createMetrics(registry), silentLogger());
    const stop = new AbortController();
    const running = runTasks(stop.signal, { monitor: (abort) => monitor.run(abort) });
    while (monitor.readiness().reason === 'not asked yet') await turn();
    expect(monitor.readiness()).toEqual({ name: 'store', ready: false, reason: 'nobody answers' });
    expect(await sample('tagplane_auth_store_reachable')).toBe(0);
    stop.abort();
    await running;
  });
});

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}
