import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { parseInstanceKey } from '@tagplane/identity';
import { discoveredName, encodeServerInfo, serverInfoKey } from '@tagplane/serverinfo';
import { GuardError } from '@tagplane/store';
import type { Put } from '@tagplane/store';
import fc from 'fast-check';
import { instanceId } from '../testing/samples.ts';
import { STORE_TYPES, openSharedStore } from '../testing/shared-store.ts';
import type { SharedStore } from '../testing/shared-store.ts';
import { overridden } from '../testing/test-stores.ts';
import { deleteOwned, putOwned } from './owned-writes.ts';

jest.setTimeout(120_000);

const signal = new AbortController().signal;
const GROUPS = ['discovery/a', 'discovery/b'] as const;
type Group = (typeof GROUPS)[number];

function put(n: number, origin: string, more: Partial<Put> & { readonly rejected?: boolean } = {}): Put {
  const instance = parseInstanceKey({
    account: '123456789012',
    region: 'eu-central-1',
    instance: instanceId(n),
  });
  if (instance === undefined) throw new Error('no instance');
  const name = discoveredName(instance);
  const { rejected: some = false, ...rest } = more;
  const rejected = some ? [{ key: 'k', reason: 'r' }] : [];
  const labels = new Map([['aws/a', 'b']]);
  const match = { kind: 'aws-instance', instance } as const;
  const value = encodeServerInfo({ name, match, labels, observedAt: 1, origin, rejected });
  return { key: serverInfoKey(name), value, ttlMs: 60_000, ...rest };
}

describe.each(STORE_TYPES)('what a group owns in the %s store', (type) => {
  let shared: SharedStore;

  beforeEach(async () => {
    shared = await openSharedStore(type);
  });
  afterEach(async () => {
    await shared[Symbol.asyncDispose]();
  });

  const write = (origin: Group, items: readonly Put[], at = 0) =>
    putOwned(shared.both[at] ?? shared.both[0], items, { signal, origin });
  const remove = (origin: Group, keys: readonly string[]) =>
    deleteOwned(shared.both[1], keys, { signal, origin });

  it('is written by it alone, until it is gone', async () => {
    const [a, b] = GROUPS;
    expect(await write(a, [put(1, a), put(2, a, { rejected: true })])).toMatchObject([
      { written: true },
      { written: true },
    ]);
    const refused = await write(b, [put(1, b), put(2, b), put(3, b)]);
    const ofA = { written: false, owner: a, expiresAt: expect.any(Number) };
    expect(refused).toEqual([ofA, ofA, expect.objectContaining({ written: true })]);
    expect(await write(a, [put(1, a), put(2, a), put(3, a)])).toMatchObject([
      { written: true },
      { written: true },
      { written: false, owner: b },
    ]);
    const keys = [1, 2, 3].map((n) => put(n, a).key);
    expect(await remove(b, keys)).toMatchObject([{ owner: a }, { owner: a }, { written: true }]);
    expect(await remove(a, keys)).toMatchObject([
      { written: true },
      { written: true },
      { written: false, actual: undefined },
    ]);
    expect((await write(b, [put(1, b)]))[0]).toMatchObject({ written: true });
  });

  it('is its own also in the form of an earlier version, which ended with what was rejected', async () => {
    const [a, b] = GROUPS;
    const { value, ...item } = put(1, a, { rejected: true });
    const older = { ...item, value: `${value.slice(0, value.lastIndexOf(','))}]` };
    await shared.both[0].put([older], { signal });
    expect(await remove(b, [older.key])).toMatchObject([{ owner: a }]);
    expect(await write(b, [put(1, b)])).toMatchObject([{ owner: a }]);
    expect(await write(a, [put(1, a)])).toMatchObject([{ written: true }]);
    await shared.both[0].put([older], { signal });
    expect(await remove(a, [older.key])).toMatchObject([{ written: true }]);
  });

  it('is not written past what the writer expects', async () => {
    const [a, b] = GROUPS;
    const [first] = await write(a, [put(1, a)]);
    const revision = first?.written === true ? first.revision : 0;
    const at = (n: number, origin: Group, wanted: number) =>
      put(n, origin, { expected: { revision: wanted } });
    const once = put(1, a, { expected: { live: false } });
    expect(await write(a, [once, at(1, a, 1), at(2, a, 1)])).toEqual([
      { written: false, actual: revision },
      { written: false, actual: revision },
      { written: false, actual: undefined },
    ]);
    expect(await write(b, [at(1, b, revision)])).toMatchObject([{ owner: a }]);
    expect(await write(a, [at(1, a, revision)])).toMatchObject([{ written: true }]);
  });

  it('is written under a guard, also when there is nothing to write', async () => {
    const [a] = GROUPS;
    const guard = { key: 'lease/a', startsWith: 'mine' };
    const options = { signal, origin: a, guard };
    await expect(putOwned(shared.both[0], [put(1, a)], options)).rejects.toThrow(GuardError);
    await expect(putOwned(shared.both[0], [], options)).rejects.toThrow(GuardError);
    await expect(deleteOwned(shared.both[0], [], options)).rejects.toThrow(GuardError);
    await shared.both[0].put([{ key: 'lease/a', value: 'mine', ttlMs: undefined }], { signal });
    expect(await putOwned(shared.both[0], [put(1, a)], options)).toMatchObject([{ written: true }]);
  });

  it('takes what runs out while it is looked at', async () => {
    const [a, b] = GROUPS;
    const [store, elsewhere] = shared.both;
    await write(b, [put(1, b)]);
    const racing = overridden(store, {
      getMany: async (keys, options) => {
        await deleteOwned(elsewhere, keys, { signal, origin: b });
        return await store.getMany(keys, options);
      },
    });
    expect(await putOwned(racing, [put(1, a)], { signal, origin: a })).toMatchObject([{ written: true }]);
  });

  it('never goes from one to the other, whatever both do side by side', async () => {
    const step = fc.record({
      group: fc.constantFrom(...GROUPS),
      remove: fc.boolean(),
      rejected: fc.boolean(),
      names: fc.uniqueArray(fc.nat(2), { minLength: 1 }),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 2, maxLength: 6 }), { maxLength: 4 }),
        async (rounds) => {
          run += 1;
          const log: Done[] = [];
          for (const round of rounds) {
            await Promise.all(
              round.map(async ({ group, remove: gone, rejected, names }, at) => {
                const puts = names.map((n) => put(10 * run + n, group, { rejected }));
                const results = gone
                  ? await remove(
                      group,
                      puts.map(({ key }) => key),
                    )
                  : await write(group, puts, at % 2);
                for (const [index, result] of results.entries()) {
                  const key = puts[index]?.key ?? '';
                  if (result.written) log.push({ key, group, gone, revision: result.revision });
                }
              }),
            );
          }
          expect(flaps(log)).toEqual([]);
        },
      ),
      { numRuns: 40 },
    );
  });
});

interface Done {
  readonly key: string;
  readonly group: Group;
  readonly gone: boolean;
  readonly revision: number;
}

/** Writes of one group over a live one of the other. */
function flaps(log: readonly Done[]): Done[] {
  const owners = new Map<string, Group>();
  return log
    .toSorted((one, other) => one.revision - other.revision)
    .filter(({ key, group, gone }) => {
      const owner = owners.get(key);
      if (gone) owners.delete(key);
      else owners.set(key, group);
      return owner !== undefined && owner !== group;
    });
}
