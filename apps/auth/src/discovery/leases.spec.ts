import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Store } from '@tagplane/store';
import { STORE_TYPES, openSharedStore } from '../testing/shared-store.ts';
import type { SharedStore } from '../testing/shared-store.ts';
import { overridden, until } from '../testing/test-stores.ts';
import { leaseBeginning, leaseKey } from './lease.ts';
import type { Lease } from './lease.ts';
import { Leases, MAX_GROUPS, TooManyGroupsError, planHold } from './leases.ts';
import type { LeaseRequest } from './leases.ts';

jest.setTimeout(120_000);

const signal = new AbortController().signal;
const one: LeaseRequest = {
  group: 'main',
  identity: 'discovery/one',
  replica: 'r1',
  token: 0n,
  ttlMs: 60_000,
};
const other: LeaseRequest = { ...one, identity: 'discovery/other', replica: 'r2' };

describe('planHold', () => {
  const lease: Lease = { ...one, token: 7, expiresAt: 1, revision: 1 };

  it.each<[string, Lease | undefined, Partial<LeaseRequest>, string]>([
    ['is free', undefined, {}, 'take'],
    ['is free, and was its own', undefined, { token: 7n }, 'take'],
    ['is its own', lease, { token: 7n }, 'renew'],
    ['is its own, and it does not know', lease, {}, 'take'],
    ['was renumbered', lease, { token: 6n }, 'wait'],
    ['is that of another process of this identity', lease, { replica: 'r2', token: 7n }, 'wait'],
    ['is that of another identity', lease, { identity: 'discovery/two', token: 7n }, 'wait'],
  ])('of one that %s', (_, there, request, plan) => {
    expect(planHold(there, { ...one, ...request }).do).toBe(plan);
  });
});

describe.each(STORE_TYPES)('leases in the %s store', (type) => {
  let shared: SharedStore;
  let leases: Leases;
  let elsewhere: Leases;

  beforeEach(async () => {
    shared = await openSharedStore(type);
    const [here, there] = shared.both;
    leases = new Leases({ store: here });
    elsewhere = new Leases({ store: there });
  });
  afterEach(async () => {
    await shared[Symbol.asyncDispose]();
  });

  it('are taken, renewed by who has them, and refused to others', async () => {
    const taken = await leases.hold(one, signal);
    expect(taken).toMatchObject({ held: true, replica: 'r1' });
    const refused = await elsewhere.hold(other, signal);
    expect(refused).toMatchObject({ held: false, replica: 'r1', token: taken.token });
    const renewed = await elsewhere.hold({ ...one, token: BigInt(taken.token) }, signal);
    expect(renewed).toMatchObject({ held: true, token: taken.token });
    expect(await leases.list(signal)).toEqual([
      expect.objectContaining({ group: 'main', identity: 'discovery/one', token: taken.token }),
    ]);
  });

  it('end by themselves, and the next token is greater', async () => {
    const first = await leases.hold({ ...one, ttlMs: 30 }, signal);
    await until(async () => (await leases.find('main', signal)) === undefined, 'it has ended');
    const second = await elsewhere.hold(other, signal);
    expect(second).toMatchObject({ held: true, replica: 'r2' });
    expect(second.token).toBeGreaterThan(first.token);
    const late = await leases.hold({ ...one, token: BigInt(first.token) }, signal);
    expect(late).toMatchObject({ held: false, replica: 'r2', token: second.token });
  });

  it('are given back at once, by their holder only', async () => {
    const { token } = await leases.hold(one, signal);
    const held = { group: 'main', identity: 'discovery/one', token: BigInt(token) };
    expect(await leases.release({ ...held, identity: 'discovery/other' }, signal)).toBe(false);
    expect(await leases.release({ ...held, token: held.token - 1n }, signal)).toBe(false);
    expect(await elsewhere.release(held, signal)).toBe(true);
    expect(await leases.release(held, signal)).toBe(false);
    expect(await elsewhere.hold(other, signal)).toMatchObject({ held: true });
  });

  it('get a new token when their holder has lost it', async () => {
    const first = await leases.hold(one, signal);
    const again = await leases.hold(one, signal);
    expect(again.held).toBe(true);
    expect(again.token).toBeGreaterThan(first.token);
  });

  it('have one holder of many that ask at once', async () => {
    const asked = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? leases : elsewhere).hold({ ...one, replica: `r${index}` }, signal),
      ),
    );
    expect(asked.filter(({ held }) => held)).toHaveLength(1);
    expect(new Set(asked.map(({ token, replica }) => `${token} ${replica}`)).size).toBe(1);
  });

  it('are not taken by an attempt that was overtaken', async () => {
    const [here] = shared.both;
    let overtake: (() => Promise<void>) | undefined = async () => {
      const { token } = await elsewhere.hold(other, signal);
      await elsewhere.release({ ...other, token: BigInt(token) }, signal);
    };
    // Between the write that gives the token and the one that takes the lease.
    const put: Store['put'] = async (items, options) => {
      const act = options.guard === undefined ? undefined : overtake;
      if (act !== undefined) {
        overtake = undefined;
        await act();
      }
      return await here.put(items, options);
    };
    const slow = new Leases({ store: overridden(here, { put }) });
    const before = await elsewhere.hold({ ...other, group: 'another' }, signal);
    const taken = await slow.hold(one, signal);
    expect(overtake).toBeUndefined();
    expect(taken.held).toBe(true);
    expect(taken.token).toBeGreaterThan(before.token);
    const lease = await leases.find('main', signal);
    expect(lease).toMatchObject({ token: taken.token, replica: 'r1' });
  });

  it('are told from others by how their value begins', async () => {
    const { token } = await leases.hold(one, signal);
    const [found] = await shared.both[0].getMany([leaseKey('main')], { signal });
    const value = found?.state === 'live' ? found.value : '';
    const begins = (of: bigint, identity: string) => value.startsWith(leaseBeginning(of, identity));
    expect(begins(BigInt(token), 'discovery/one')).toBe(true);
    expect(begins(BigInt(token), 'discovery/on')).toBe(false);
    expect(begins(BigInt(token) / 10n, 'discovery/one')).toBe(false);
  });
});

it('are of a bounded number of groups', async () => {
  await using shared = await openSharedStore('embedded');
  const [store] = shared.both;
  const full = overridden(store, { count: () => Promise.resolve(MAX_GROUPS) });
  await new Leases({ store }).hold(one, signal);
  const leases = new Leases({ store: full });
  expect(await leases.hold(one, signal)).toMatchObject({ held: true });
  await expect(leases.hold({ ...one, group: 'new' }, signal)).rejects.toThrow(TooManyGroupsError);
});
