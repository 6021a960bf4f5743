import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { instanceKeyText, parseInstanceKey } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import { openEmbeddedStore } from '@tagplane/store-embedded';
import { overridden } from '../testing/test-stores.ts';
import { JoinRecords } from './join-records.ts';
import type { ClaimSteps } from './join-records.ts';
import type { ClaimRequest } from './claim.ts';
import type { Proven } from './verifier.ts';
import { denied } from './verifier.ts';

const signal = new AbortController().signal;
const [ONE, TWO] = [instance(1), instance(2)];

function instance(n: number): InstanceKey {
  const key = parseInstanceKey({
    account: '123456789012',
    region: 'eu-central-1',
    instance: `i-${n.toString(16).padStart(17, '0')}`,
  });
  if (key === undefined) throw new Error('no instance');
  return key;
}

const anybody: Proven = { ok: true, proof: 'p', instance: undefined };
const on = (key: InstanceKey): Proven => ({ ok: true, proof: 'p', instance: key });
const once = (key: InstanceKey): Proven => ({ ...on(key), once: true });

describe('JoinRecords', () => {
  let store: ReturnType<typeof openEmbeddedStore>;
  let records: JoinRecords;
  let names = 0;
  beforeEach(() => {
    names = 0;
    store = openEmbeddedStore({ path: ':memory:', kind: 'security' });
    records = new JoinRecords({ store, newName: () => `new-${(names += 1)}` });
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
  });

  /** The name that was given, or why none was. */
  async function claim(
    proven: Proven,
    request: Partial<ClaimRequest> = {},
    steps: Partial<ClaimSteps> = {},
  ): Promise<string> {
    const claimed = await records.claim(
      {
        ...{ role: 'agent', name: '', method: 'm', now: 1_000, remoteAddress: '192.0.2.1' },
        ...{ proven, proof: proven.proof },
        ...request,
      },
      { check: () => undefined, spend: undefined, ...steps },
      signal,
    );
    return claimed.ok ? claimed.name : claimed.reason;
  }

  async function contents(): Promise<Record<string, unknown>> {
    const entries = await store.range({ prefix: '', limit: 100 }, { signal });
    return Object.fromEntries(entries.map(({ key, value }) => [key, JSON.parse(value) as unknown]));
  }

  const IN_USE = 'the name is in use: an operator may reset it, or give a token for it';
  const JOINED = 'the instance has joined before: an operator may reset that';

  it('write who has a name, and which name an instance has', async () => {
    await claim(on(ONE), { name: 'web', method: 'iam', proof: 'arn', now: 5 });
    const common = { v: 1, method: 'iam', at: 5, from: '192.0.2.1' };
    expect(await contents()).toEqual({
      'join/name/agent/web': {
        ...common,
        proof: 'arn',
        instance: [ONE.account, ONE.region, ONE.instance],
        principal: null,
      },
      [`join/instance/${instanceKeyText(ONE)}`]: { ...common, name: 'web' },
    });
  });

  it.each([
    ['nobody proven', anybody, anybody, IN_USE],
    ['another instance', on(ONE), on(TWO), IN_USE],
    ['the same instance', on(ONE), on(ONE), 'web'],
    ['no instance now', on(ONE), anybody, IN_USE],
    ['an instance where there was none', anybody, on(ONE), IN_USE],
    ['a token that names it', on(ONE), { ...anybody, name: 'web' }, 'web'],
    ['a token that names it for another instance', on(ONE), { ...on(TWO), name: 'web' }, 'web'],
    ['the same principal, which is none of an agent', anybody, { ...anybody, principal: 'x' }, IN_USE],
  ])('give a name that is in use to %s: %4$s', async (_what, before, now, expected) => {
    await claim(before, { name: 'web' });
    expect(await claim(now, { name: 'web' })).toBe(expected);
  });

  it('give a discovery its name again by the same role', async () => {
    const role = 'discovery';
    const by = (principal: string): Proven => ({ ...anybody, principal });
    expect(await claim(by('a'), { role, name: 'd' })).toBe('d');
    expect(await claim(by('a'), { role, name: 'd' })).toBe('d');
    expect(await claim(by('b'), { role, name: 'd' })).toBe(IN_USE);
    expect(await claim(anybody, { role, name: 'd' })).toBe(IN_USE);
    expect(await claim(anybody, { role: 'operator', name: 'd' })).toBe('d');
    expect(await claim(anybody, { role: 'agent', name: 'd' })).toBe('d');
    expect(await claim(anybody, { role: 'operator' })).toBe('a name is required to join as operator');
  });

  it('give an instance the name again that it had', async () => {
    expect(await claim(on(ONE))).toBe('new-1');
    expect(await claim(on(ONE))).toBe('new-1');
    expect(await claim(on(TWO))).toBe('new-2');
    expect(await claim(on(ONE), { name: 'web' })).toBe('web');
    expect(await claim(on(ONE))).toBe('web');
  });

  it('give an instance a new name when its own was given away', async () => {
    await claim(on(ONE), { name: 'web' });
    await claim({ ...on(TWO), name: 'web' });
    expect(await claim(on(ONE))).toBe('new-1');
    expect(await claim(on(TWO))).toBe('web');
    expect(await claim(on(ONE))).toBe('new-1');
  });

  it('let an instance in once where the proof is good once', async () => {
    expect(await claim(once(ONE))).toBe('new-1');
    expect(await claim(once(ONE))).toBe(JOINED);
    expect(await claim(once(ONE), { name: 'new-1' })).toBe(JOINED);
    expect(await claim(on(ONE))).toBe('new-1');
    expect(await records.resetInstance(ONE, signal)).toBe(true);
    expect(await claim(once(ONE))).toBe('new-2');
  });

  it('say where the first join of an instance came from', async () => {
    await claim(once(ONE));
    const refused = await records.claim(
      {
        role: 'agent',
        name: '',
        method: 'm',
        now: 2,
        remoteAddress: '203.0.113.9',
        proven: once(ONE),
        proof: 'p',
      },
      { check: () => undefined, spend: undefined },
      signal,
    );
    expect(refused).toMatchObject({
      ok: false,
      details: { first_address: '192.0.2.1', instance: instanceKeyText(ONE) },
    });
  });

  it('let one of many in that come at once with a proof that is good once', async () => {
    const ends = await Promise.all(Array.from({ length: 10 }, () => claim(once(ONE))));
    expect(ends.filter((end) => end === JOINED)).toHaveLength(9);
    expect(Object.keys(await contents())).toHaveLength(2);
  });

  it('give one name to an instance that comes many times at once, and to one of many the same name', async () => {
    const same = await Promise.all(Array.from({ length: 10 }, () => claim(on(ONE))));
    expect(new Set(same).size).toBe(1);
    expect(Object.keys(await contents())).toHaveLength(2);
    const wanted = await Promise.all(
      Array.from({ length: 10 }, (_, n) => claim(on(instance(n + 2)), { name: 'web' })),
    );
    expect(wanted.filter((end) => end === 'web')).toHaveLength(1);
    expect(wanted.filter((end) => end === IN_USE)).toHaveLength(9);
    expect(Object.keys(await contents())).toHaveLength(4);
  });

  it('use nothing up for a name that is not given', async () => {
    let spent = 0;
    const spend = () => {
      spent += 1;
      return Promise.resolve(undefined);
    };
    await claim(on(ONE), { name: 'web' });
    expect(await claim(on(TWO), { name: 'web' }, { spend })).toBe(IN_USE);
    expect(await claim(anybody, { name: 'x' }, { spend, check: (name) => denied(`${name} is locked`) })).toBe(
      'x is locked',
    );
    expect(spent).toBe(0);
    expect(await claim(anybody, { name: 'y' }, { spend })).toBe('y');
    expect(spent).toBe(1);
    expect(await claim(anybody, { name: 'z' }, { spend: () => Promise.resolve(denied('used up')) })).toBe(
      'used up',
    );
    expect(Object.keys(await contents()).filter((key) => key.includes('name'))).toEqual([
      'join/name/agent/web',
      'join/name/agent/y',
    ]);
  });

  it('give an only join back when no certificate came of it', async () => {
    const claimed = await records.claim(
      { role: 'agent', name: '', method: 'm', now: 2, remoteAddress: '', proven: once(ONE), proof: 'p' },
      { check: () => undefined, spend: undefined },
      signal,
    );
    if (claimed.ok) await claimed.release(signal);
    expect(await contents()).toEqual({});
    expect(await claim(once(ONE))).toBe('new-2');
    expect(await claim(once(ONE))).toBe(JOINED);
  });

  it('take back what they wrote of an instance when its name went to another at the last moment', async () => {
    const other = new JoinRecords({ store });
    let first = true;
    const racing = overridden(store, {
      async put(items, options) {
        const results = await store.put(items, options);
        if (first) {
          first = false;
          await other.record(
            'agent',
            'web',
            { method: 'm', proof: 'p', instance: TWO, principal: undefined, joinedAt: 1, remoteAddress: '' },
            signal,
          );
        }
        return results;
      },
    });
    records = new JoinRecords({ store: racing });
    expect(await claim(once(ONE), { name: 'web' })).toBe(IN_USE);
    expect(Object.keys(await contents())).toEqual(['join/name/agent/web']);
  });

  it('take a record that they cannot read for a name in use', async () => {
    await store.put([{ key: 'join/name/agent/web', value: '{"v":2}', ttlMs: undefined }], { signal });
    await expect(claim({ ...anybody, name: 'web' })).rejects.toThrow('unknown version');
    await store.put([{ key: 'join/name/agent/web', value: '-', ttlMs: undefined }], { signal });
    await expect(claim(anybody, { name: 'web' })).rejects.toThrow('no JSON');
  });

  it('forget a name with its instance, and an instance with its name', async () => {
    await claim(on(ONE), { name: 'a' });
    await claim(on(TWO), { name: 'b' });
    expect(await records.resetName('agent', 'a', signal)).toBe(true);
    expect(Object.keys(await contents())).toHaveLength(2);
    expect(await records.resetInstance(TWO, signal)).toBe(true);
    expect(await contents()).toEqual({});
    expect(await records.resetName('agent', 'a', signal)).toBe(false);
    expect(await records.resetInstance(TWO, signal)).toBe(false);
  });

  it('forget no name that another instance has by now, nor an instance that has another name by now', async () => {
    await claim(on(ONE), { name: 'a' });
    await claim({ ...on(TWO), name: 'a' });
    expect(await records.resetInstance(ONE, signal)).toBe(true);
    expect(Object.keys(await contents()).sort()).toEqual([
      `join/instance/${instanceKeyText(TWO)}`,
      'join/name/agent/a',
    ]);
    await claim(on(TWO), { name: 'b' });
    expect(await records.resetName('agent', 'a', signal)).toBe(true);
    expect(await claim(on(TWO))).toBe('b');
  });
});
