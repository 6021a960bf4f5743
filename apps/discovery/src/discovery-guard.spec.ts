import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Code } from '@connectrpc/connect';
import { GuardVerdict } from '@tagplane/protocol';
import { MINUTE, SECOND } from '@tagplane/runtime';
import { FakeAuth } from './testing/fake-auth.ts';
import { VIRTUAL_TIME, changeable, startPlane } from './testing/plane.ts';
import type { Plane } from './testing/plane.ts';

const REGION = 'eu-central-1';
const SCOPE = 'aws/123456789012/eu-central-1';
const SIZE = 40;
const advance = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
/** A poll and its jitter. */
const POLL = 5.5 * MINUTE;

let auth: FakeAuth;
let ec2: ReturnType<typeof changeable>;
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: [...VIRTUAL_TIME.doNotFake] });
  auth = new FakeAuth();
  ec2 = changeable(SIZE);
});
afterEach(() => {
  jest.useRealTimers();
});

function start(): Plane {
  return startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
}

/** Takes the tags of the first so many instances away. */
function untag(count: number): void {
  for (let number = 0; number < count; number += 1) ec2.set(number, []);
}

const labelled = (): number => [...auth.stored.values()].filter(({ labels }) => labels.size > 0).length;
const asked = () => auth.asked.map((request) => [request.scope, request.nodesChanged, request.nodesTotal]);

describe('a scan that takes labels away', () => {
  it('is asked about before anything of it is sent, and goes on when it may', async () => {
    await using plane = start();
    await advance(MINUTE);
    expect(asked()).toEqual([]);
    untag(25);
    auth.judge = () => {
      expect(labelled()).toBe(SIZE);
      return GuardVerdict.GO;
    };
    await advance(POLL);
    expect(asked()).toEqual([[SCOPE, 25, SIZE]]);
    expect(auth.asked[0]?.samples).toHaveLength(20);
    expect(labelled()).toBe(SIZE - 25);
    await advance(2 * POLL);
    expect(auth.asked).toHaveLength(1);
    expect(await plane.metric('change_requests_total', { verdict: 'go' })).toBe(1);
  });

  it.each([GuardVerdict.HELD, GuardVerdict.DROPPED])(
    'is held back on verdict %i, also after the old labels have run out; all else goes on',
    async (verdict) => {
      await using plane = start();
      await advance(MINUTE);
      auth.judge = () => verdict;
      untag(25);
      ec2.set(39, [
        ['Name', 'web-39'],
        ['team', 'db'],
      ]);
      await advance(POLL);
      expect(await plane.metric('held_back_instances')).toBe(25);
      expect([...(auth.stored.get(ec2.names[39] ?? '')?.labels.keys() ?? [])]).toContain('aws/team');
      await advance(3 * 60 * MINUTE);
      const live = [...auth.stored.values()].filter(({ expiresAt = 0 }) => expiresAt > Date.now());
      expect(live.map(({ name }) => name).toSorted()).toEqual(ec2.names.slice(25).toSorted());
      expect(auth.upsertsOf(ec2.names[0] ?? '')).toHaveLength(1);
      expect(new Set(auth.asked.map(({ fingerprint }) => fingerprint)).size).toBe(1);
    },
  );

  it('is let through after a release, by the next scan', async () => {
    await using plane = start();
    await advance(MINUTE);
    auth.judge = () => GuardVerdict.HELD;
    untag(25);
    await advance(2 * POLL);
    expect(labelled()).toBe(SIZE);
    auth.judge = () => GuardVerdict.GO;
    await advance(POLL);
    expect(labelled()).toBe(SIZE - 25);
    expect(await plane.metric('held_back_instances')).toBe(0);
  });

  it('that was a mistake is forgotten when the tags are back, and auth is told', async () => {
    await using plane = start();
    await advance(MINUTE);
    auth.judge = () => GuardVerdict.HELD;
    const before = [...ec2.instances];
    untag(25);
    await advance(POLL);
    ec2.instances.splice(0, SIZE, ...before);
    await advance(POLL);
    expect(asked().at(-1)).toEqual([SCOPE, 0, 0]);
    expect(await plane.metric('held_back_instances')).toBe(0);
    const told = auth.asked.length;
    auth.judge = () => GuardVerdict.GO;
    await advance(60 * MINUTE);
    expect(auth.asked).toHaveLength(told + 1);
    expect(labelled()).toBe(SIZE);
  });
});

describe('an instance that changes with every scan', () => {
  it('is one instance: it does not add up to many', async () => {
    await using plane = start();
    await advance(MINUTE);
    const change = async (name: string): Promise<void> => {
      ec2.set(0, [['Name', name]]);
      await advance(POLL);
    };
    for (const name of ['a', 'b', 'c']) await change(name);
    await advance(15 * MINUTE);
    await change('d');
    // The second and third came within a quarter of an hour of the first.
    expect(auth.asked.map(({ nodesChanged }) => nodesChanged)).toEqual([1, 0, 0, 1]);
    expect(await plane.metric('held_back_instances')).toBe(0);
  });
});

describe('instances that go', () => {
  it('in a scan that finds nothing are asked about once, and none is deleted', async () => {
    await using plane = start();
    await advance(MINUTE);
    ec2.instances.length = 0;
    await advance(2 * POLL);
    expect(asked()).toEqual([[`${SCOPE}/gone`, SIZE, SIZE]]);
    expect(auth.calls.every(({ action }) => action === 'upsert')).toBe(true);
    expect(await plane.metric('held_back_instances')).toBe(0);
  });

  it('are not deleted when a scan that sees most of them terminated is held', async () => {
    await using _ = start();
    await advance(MINUTE);
    auth.judge = ({ scope }) => (scope === `${SCOPE}/gone` ? GuardVerdict.HELD : GuardVerdict.GO);
    for (let number = 0; number < 30; number += 1) ec2.set(number, [['Name', 'x']], 'terminated');
    ec2.set(39, [['Name', 'db']]);
    await advance(POLL);
    expect(asked().toSorted()).toEqual([
      [SCOPE, 1, SIZE],
      [`${SCOPE}/gone`, 30, SIZE],
    ]);
    expect(auth.stored.size).toBe(SIZE);
    expect([...(auth.stored.get(ec2.names[39] ?? '')?.labels.values() ?? [])]).toEqual(['db']);
  });
});

describe('without an answer', () => {
  it('a small loss goes on, as with an auth service that knows no guard', async () => {
    auth.guardless = true;
    await using _ = start();
    await advance(MINUTE);
    untag(19);
    await advance(POLL);
    expect(labelled()).toBe(SIZE - 19);
  });

  it('a large one waits, and is asked about again before the next scan', async () => {
    await using plane = start();
    await advance(MINUTE);
    untag(25);
    auth.outage = Code.Unavailable;
    await advance(POLL);
    expect(await plane.metric('held_back_instances')).toBe(25);
    auth.outage = undefined;
    await advance(31 * SECOND + MINUTE);
    expect(auth.asked).toHaveLength(1);
    expect(labelled()).toBe(SIZE - 25);
  });
});
