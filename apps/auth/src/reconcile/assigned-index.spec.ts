import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '@tagplane/runtime';
import { StoreUnavailableError } from '@tagplane/store';
import type { Change } from '@tagplane/store';
import { assigned, discovered, instanceKey, put, remove, selecting } from '../testing/fleet.ts';
import { overridden, testStores } from '../testing/test-plane.ts';
import type { TestStores } from '../testing/test-plane.ts';
import { AssignedIndex } from './assigned-index.ts';

let stores: TestStores;
let index: AssignedIndex;
const { signal } = new AbortController();

beforeEach(() => {
  stores = testStores();
  index = new AssignedIndex({ store: stores.serverInfos, log: silentLogger() });
});
afterEach(async () => {
  await stores[Symbol.asyncDispose]();
});

const change = (name: string): Change => ({ type: 'put', key: `assigned/${name}`, revision: 1 });
const names = (serverId: string, number?: number, now = Date.now()): string[] => {
  const key = number === undefined ? undefined : instanceKey(number);
  const { byInstance, byServerId } = index.set.forNode({ serverId, instanceKey: key }, now);
  return [...byInstance, ...byServerId].map((info) => info.name);
};

describe('AssignedIndex', () => {
  it('finds by instance and then by server id, each in the order of names', async () => {
    await put(
      stores.serverInfos,
      assigned('c', 's1', {}),
      assigned('a', 's1', {}),
      assigned('b', 1, {}),
      assigned('d', 's2', {}),
      discovered(1, {}),
    );
    expect([index.loaded, names('s1', 1)]).toEqual([false, []]);
    await index.load(signal);
    expect([index.loaded, index.set.size]).toEqual([true, 4]);
    expect([names('s1', 1), names('s1'), names('s1', 2), names('s3', 1), names('s3')]).toEqual([
      ['b', 'a', 'c'],
      ['a', 'c'],
      ['a', 'c'],
      ['b'],
      [],
    ]);
  });

  it('reads more than a page', async () => {
    const many = Array.from({ length: 2_500 }, (_, number) => assigned(`n${number}`, `s${number}`, {}));
    await put(stores.serverInfos, ...many);
    await index.load(signal);
    expect([index.set.size, names('s2499')]).toEqual([2_500, ['n2499']]);
  });

  it('follows changes and says what was there before and after', async () => {
    await put(stores.serverInfos, assigned('a', 's1', { k: '1' }));
    await index.load(signal);
    await put(stores.serverInfos, assigned('a', 2, { k: '2' }), assigned('b', 's3', {}));
    const applied = await index.apply([change('a'), change('b'), change('a')], signal);
    expect(applied.map(({ before, after }) => [before?.match.kind, after?.match.kind])).toEqual([
      ['server-id', 'aws-instance'],
      [undefined, 'server-id'],
    ]);
    expect([names('s1'), names('x', 2), names('s3')]).toEqual([[], ['a'], ['b']]);
    await remove(stores.serverInfos, 'assigned/a');
    await index.apply([change('a')], signal);
    expect([names('x', 2), index.set.size]).toEqual([[], 1]);
  });

  it('drops at a reload what was deleted, and keeps what the store has lost', async () => {
    await put(stores.serverInfos, assigned('a', 's1', {}), assigned('b', 's1', {}));
    let lost = false;
    const store = overridden(stores.serverInfos, {
      range: (range, options) => (lost ? Promise.resolve([]) : stores.serverInfos.range(range, options)),
      getMany: (keys, options) =>
        lost
          ? Promise.resolve(keys.map((key) => ({ state: 'absent' as const, key })))
          : stores.serverInfos.getMany(keys, options),
    });
    index = new AssignedIndex({ store, log: silentLogger() });
    await index.load(signal);
    await remove(stores.serverInfos, 'assigned/a');
    await index.load(signal);
    expect(names('s1')).toEqual(['b']);
    lost = true;
    await index.load(signal);
    await index.apply([change('b')], signal);
    expect(names('s1')).toEqual(['b']);
  });

  it('lets go at its end of one that the store has lost, and keeps what is beside it', async () => {
    const ttlMs = 60_000;
    await put(stores.serverInfos, { ...assigned('a', 's1', {}), ttlMs }, assigned('b', 's1', {}), {
      ...assigned('c', 1, {}),
      ttlMs,
    });
    await index.load(signal);
    const end = Date.now() + ttlMs;
    expect([names('s1', 1, end - 1_000), names('s1', 1, end), names('s1', undefined, end)]).toEqual([
      ['c', 'a', 'b'],
      ['b'],
      ['b'],
    ]);
  });

  it('keeps what it knew of an item that a newer version wrote', async () => {
    await put(stores.serverInfos, assigned('a', 's1', {}));
    await index.load(signal);
    await put(stores.serverInfos, { key: 'assigned/a', value: '[99]', ttlMs: undefined });
    await index.apply([change('a')], signal);
    expect(names('s1')).toEqual(['a']);
  });

  it('finds by selector, and keeps what it knew of one whose selector it cannot compile', async () => {
    await put(stores.serverInfos, selecting('a', 'aws/team=db', {}), selecting('b', 'aws/team=web', {}));
    await index.load(signal);
    const picked = () =>
      index.set
        .forNode({ serverId: 's1', instanceKey: undefined }, Date.now())
        .select?.(new Map([['aws/team', 'db']]))
        .map(({ source }) => source.name);
    expect([index.set.selectorCount, picked()]).toEqual([2, ['a']]);
    const value = '[1,[["aws/team","^(?<later>.*)(?=$"]],[],null,"operator/test"]';
    await put(stores.serverInfos, { key: 'assigned/a', value, ttlMs: undefined });
    const applied = await index.apply([change('a')], signal);
    expect([applied.map(({ before, after }) => before === after), picked()]).toEqual([[true], ['a']]);
  });

  it('changes nothing when the store fails on the way', async () => {
    const store = overridden(stores.serverInfos, {
      range: () => Promise.reject(new StoreUnavailableError('away')),
    });
    index = new AssignedIndex({ store, log: silentLogger() });
    await expect(index.load(signal)).rejects.toThrow('away');
    expect(index.loaded).toBe(false);
  });
});
