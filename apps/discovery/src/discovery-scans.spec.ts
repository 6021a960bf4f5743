import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fakeInstance } from '@tagplane/ec2/testing';
import type { FakeStep } from '@tagplane/ec2/testing';
import { MINUTE, SECOND } from '@tagplane/runtime';
import { FakeAuth } from './testing/fake-auth.ts';
import { changeable, fleet, nameOf, pagesOf, startPlane, VIRTUAL_TIME } from './testing/plane.ts';

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

describe('what a scan leads to', () => {
  it('is labels under aws/, sent once', async () => {
    const ec2 = changeable(1);
    const tags: [string, string][] = [
      ['Patch Group', ''],
      ['kubernetes.io/role', 'größe 🦊'],
      ['__proto__', 'x'],
    ];
    ec2.set(0, tags);
    await using _ = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(40 * MINUTE);
    expect(auth.calls).toHaveLength(1);
    const [info] = auth.stored.values();
    expect([...(info?.labels ?? [])].toSorted()).toEqual(
      tags.map(([key, value]) => [`aws/${key}`, value]).toSorted(),
    );
  });

  it('is only what changed: a tag changed, a tag removed, all tags removed', async () => {
    const ec2 = changeable(3);
    await using _ = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(10 * SECOND);
    for (const tags of [[['Name', 'db']], []] as [string, string][][]) {
      const changedAt = Date.now();
      ec2.set(1, tags);
      await advance(POLL + 2 * SECOND);
      expect(auth.sentSince(changedAt)).toEqual([ec2.names[1]]);
      expect([...(auth.stored.get(ec2.names[1] ?? '')?.labels.values() ?? [])]).toEqual(
        tags.map(([, value]) => value),
      );
    }
  });

  it('is a deletion where an instance was seen as terminated, and nothing where it is absent', async () => {
    const ec2 = changeable(3);
    await using plane = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(10 * SECOND);
    ec2.set(0, [], 'shutting-down');
    ec2.set(1, [['Name', 'web-1']], 'terminated');
    ec2.instances.length = 2;
    await advance(40 * MINUTE);
    expect(auth.calls.filter((call) => call.action === 'delete').map((call) => call.names)).toEqual([
      [ec2.names[1]],
    ]);
    expect([...auth.stored.keys()]).toEqual([ec2.names[0], ec2.names[2]]);
    await advance(60 * MINUTE);
    expect(auth.upsertsOf(ec2.names[2] ?? '')).toHaveLength(1);
    expect(await plane.metric('known_server_infos')).toBe(1);
    expect(await plane.metric('deletes_total', { result: 'accepted' })).toBe(1);
  });

  it('does not repeat a deletion that is refused for good', async () => {
    const ec2 = changeable(1);
    await using plane = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(10 * SECOND);
    auth.refuseDeletes = true;
    ec2.set(0, [], 'terminated');
    await advance(30 * MINUTE);
    expect(auth.calls.filter((call) => call.action === 'delete')).toHaveLength(1);
    expect(await plane.metric('deletes_total', { result: 'refused' })).toBe(1);
  });

  it('is sent ahead of a long queue when a label changed', async () => {
    const ec2 = changeable(3_000);
    await using _ = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(MINUTE);
    const early = auth.calls[0]?.names[0] ?? '';
    ec2.set(ec2.names.indexOf(early), [['Name', 'db']]);
    await advance(POLL);
    expect(auth.stored.size).toBeLessThan(3_000);
    expect([...(auth.stored.get(early)?.labels.values() ?? [])]).toEqual(['db']);
  });

  it('reports tags that cannot be carried, and carries the others', async () => {
    const ec2 = changeable(1);
    ec2.set(0, [
      ['long', 'x'.repeat(257)],
      ['Name', 'web'],
    ]);
    await using plane = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(10 * SECOND);
    expect([...(auth.stored.get(ec2.names[0] ?? '')?.labels ?? [])]).toEqual([['aws/Name', 'web']]);
    expect(await plane.metric('rejected_tags', { scope: REGION })).toBe(1);
  });
});

describe('a scan that fails', () => {
  it('on its second page changes nothing, and the last good one stays', async () => {
    let steps: FakeStep[] = pagesOf(fleet(2));
    await using plane = startPlane({ advance, auth, scripts: { [REGION]: () => steps } });
    await advance(10 * SECOND);
    const failingSince = Date.now();
    const changed = fakeInstance(0, { tags: [['Name', 'db']] });
    const terminated = fakeInstance(1, { state: 'terminated' });
    steps = [{ instances: [changed, terminated] }, { fail: 'unreachable' }];
    await advance(20 * MINUTE);
    expect(auth.calls.filter((call) => call.at >= failingSince)).toEqual([]);
    expect(await plane.metric('instances', { scope: REGION })).toBe(2);
    expect(await plane.metric('scans_total', { result: 'unreachable' })).toBeGreaterThan(2);
    expect(plane.discovery.readiness()).toContainEqual({
      name: `scope ${REGION}`,
      ready: true,
      reason: 'unreachable, Scripted',
    });
    steps = [{ instances: [changed, terminated] }];
    await advance(POLL + 5 * SECOND);
    expect(auth.sentSince(failingSince)).toEqual([nameOf(changed)]);
    expect([...auth.stored.keys()]).toEqual([nameOf(changed)]);
  });

  it('leaves the other scopes alone', async () => {
    await using plane = startPlane({
      advance,
      auth,
      scripts: {
        [REGION]: () => [{ fail: 'throttled' }],
        'eu-west-1': () => pagesOf(fleet(10, 'eu-west-1')),
      },
    });
    await advance(20 * MINUTE);
    expect(auth.stored.size).toBe(10);
    expect(
      await plane.metric('scans_total', { scope: 'eu-west-1', result: 'complete' }),
    ).toBeGreaterThanOrEqual(4);
    expect(await plane.metric('ec2_throttles_total', { scope: REGION })).toBeGreaterThan(4);
    expect(await plane.metric('ec2_requests_total', { scope: REGION })).toBeGreaterThan(4);
  });

  it('that never ends is given up, and tried again', async () => {
    const script = (scan: number): FakeStep[] =>
      scan === 0 ? [{ instances: [], afterMs: 60 * MINUTE }] : pagesOf(fleet(1));
    await using plane = startPlane({ advance, auth, scripts: { [REGION]: script } });
    await advance(9 * MINUTE);
    expect(plane.discovery.readiness().every(({ ready }) => ready)).toBe(false);
    await advance(2 * MINUTE);
    expect(await plane.metric('scans_total', { result: 'timeout' })).toBe(1);
    expect(auth.stored.size).toBe(1);
  });

  it('for long lets the labels run out instead of renewing them on old word', async () => {
    const pages = pagesOf(fleet(1));
    await using _ = startPlane({
      advance,
      auth,
      scripts: { [REGION]: (scan) => (scan < 2 ? pages : [{ fail: 'denied' }]) },
    });
    await advance(120 * MINUTE);
    expect(auth.calls).toHaveLength(1);
  });
});
