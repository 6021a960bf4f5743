import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Code } from '@connectrpc/connect';
import { UpsertStatus } from '@tagplane/protocol';
import { MINUTE, SECOND } from '@tagplane/runtime';
import { FakeAuth } from './testing/fake-auth.ts';
import { changeable, startPlane, VIRTUAL_TIME } from './testing/plane.ts';

const REGION = 'eu-central-1';
const advance = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
/** A poll and its jitter. */
const POLL = 5.5 * MINUTE;

let auth: FakeAuth;
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: [...VIRTUAL_TIME.doNotFake] });
  auth = new FakeAuth();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('a refused item', () => {
  it.each([UpsertStatus.INVALID, UpsertStatus.DENIED])(
    'with status %d is sent again when its labels change or an hour has passed, and holds nothing up',
    async (status) => {
      const ec2 = changeable(3);
      const name = ec2.names[1] ?? '';
      auth.refuse = (draft) => (draft.name === name ? status : undefined);
      await using plane = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
      await advance(40 * MINUTE);
      expect(auth.upsertsOf(name)).toHaveLength(1);
      expect(auth.stored.size).toBe(2);
      ec2.set(1, [['Name', 'db']]);
      await advance(POLL + 5 * SECOND);
      expect(auth.upsertsOf(name)).toHaveLength(2);
      await advance(59 * MINUTE - POLL);
      expect(auth.upsertsOf(name)).toHaveLength(2);
      auth.refuse = () => undefined;
      await advance(POLL + 2 * MINUTE);
      expect(auth.upsertsOf(name)).toHaveLength(3);
      expect(auth.stored.has(name)).toBe(true);
      const result = status === UpsertStatus.DENIED ? 'denied' : 'invalid';
      expect(await plane.metric('upserts_total', { result })).toBe(2);
    },
  );
});

describe('an auth service that fails', () => {
  it('loses nothing: everything is sent once it is back', async () => {
    const ec2 = changeable(50);
    await using plane = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(3 * SECOND);
    auth.outage = Code.Unavailable;
    await advance(10 * MINUTE);
    expect(auth.stored.size).toBeLessThan(50);
    expect(await plane.metric('queue_length')).toBe(50 - auth.stored.size);
    auth.outage = undefined;
    await advance(MINUTE);
    expect([...auth.stored.keys()].toSorted()).toEqual(ec2.names);
    expect(auth.sentSince(0)).toHaveLength(50);
    expect(await plane.metric('queue_length')).toBe(0);
  });

  it('after the write is asked again, also when the tag has gone back meanwhile', async () => {
    const ec2 = changeable(1);
    const name = ec2.names[0] ?? '';
    await using _ = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(10 * SECOND);
    auth.loseAnswers = true;
    ec2.set(0, [['Name', 'db']]);
    await advance(POLL + 5 * SECOND);
    expect([...(auth.stored.get(name)?.labels.values() ?? [])]).toEqual(['db']);
    ec2.set(0, [['Name', 'web-0']]);
    await advance(POLL);
    auth.loseAnswers = false;
    await advance(MINUTE);
    expect([...(auth.stored.get(name)?.labels.values() ?? [])]).toEqual(['web-0']);
  });

  it('by being slow does not slow the next batch, within bounds', async () => {
    const ec2 = changeable(100);
    auth.delayMs = 3 * SECOND;
    let most = 0;
    await using _ = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    for (let second = 0; second < 30; second += 1) {
      await advance(SECOND);
      most = Math.max(most, auth.open);
    }
    expect(auth.sentSince(0)).toHaveLength(100);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(5);
  });

  it('by not answering at all is given up after 10 s', async () => {
    const ec2 = changeable(1);
    await using plane = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(10 * SECOND);
    auth.delayMs = 60 * MINUTE;
    ec2.set(0, [['Name', 'db']]);
    await advance(POLL + 15 * SECOND);
    expect(await plane.metric('batches_total', { result: 'failed' })).toBeGreaterThanOrEqual(1);
    expect(await plane.metric('in_flight')).toBeLessThanOrEqual(1);
  });
});

describe('a restart', () => {
  it('sends nothing that is not due', async () => {
    const ec2 = changeable(2_500);
    {
      await using _ = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
      await advance(10 * MINUTE);
    }
    expect(auth.stored.size).toBe(2_500);
    const restartedAt = Date.now();
    ec2.set(7, [['Name', 'db']]);
    await using plane = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(30 * MINUTE);
    expect(auth.sentSince(restartedAt)).toEqual([ec2.names[7]]);
    expect(await plane.metric('known_server_infos')).toBe(2_500);
  });

  it('still deletes what was terminated meanwhile', async () => {
    const ec2 = changeable(2);
    {
      await using _ = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
      await advance(10 * SECOND);
    }
    ec2.set(0, [], 'terminated');
    await using _ = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(10 * SECOND);
    expect([...auth.stored.keys()]).toEqual([ec2.names[1]]);
  });

  it('waits for the auth service before it sends anything, and says so', async () => {
    const ec2 = changeable(1);
    auth.outage = Code.Unavailable;
    await using plane = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(MINUTE);
    expect(plane.discovery.readiness()).toEqual([
      { name: 'auth', ready: false, reason: expect.stringContaining('out of order') },
      { name: `scope ${REGION}`, ready: true },
    ]);
    auth.outage = undefined;
    await advance(20 * SECOND);
    expect(auth.stored.size).toBe(1);
    expect(plane.discovery.readiness().every(({ ready }) => ready)).toBe(true);
  });
});

describe('a store that was emptied', () => {
  it('is noticed without anything to send, and filled again at the usual pace', async () => {
    const ec2 = changeable(100);
    await using plane = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(MINUTE);
    const emptiedAt = Date.now();
    auth.empty();
    await advance(18 * SECOND + 20 * SECOND);
    expect([...auth.stored.keys()].toSorted()).toEqual(ec2.names);
    const calls = auth.calls.filter((call) => call.at >= emptiedAt);
    expect(calls).toHaveLength(20);
    expect(await plane.metric('store_epoch_changes_total')).toBe(1);
  });

  it('in the middle of sending has everything sent again, with several calls in flight', async () => {
    const ec2 = changeable(200);
    auth.delayMs = 2.5 * SECOND;
    await using plane = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(20 * SECOND);
    auth.empty();
    await advance(2 * MINUTE);
    expect([...auth.stored.keys()].toSorted()).toEqual(ec2.names);
    expect(await plane.metric('store_epoch_changes_total')).toBe(1);
    expect(await plane.metric('known_server_infos')).toBe(200);
  });
});

describe('the end', () => {
  it('waits for the call in flight, and starts no other', async () => {
    const ec2 = changeable(100);
    auth.delayMs = 2 * SECOND;
    const plane = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(5.5 * SECOND);
    const before = auth.calls.length;
    await plane[Symbol.asyncDispose]();
    expect(auth.calls).toHaveLength(before);
    expect(await plane.metric('upserts_total', { result: 'accepted' })).toBe(before * 5);
    expect(jest.getTimerCount()).toBe(0);
  });
});
