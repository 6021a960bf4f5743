import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Code } from '@connectrpc/connect';
import type { DiscoveredInstance } from '@tagplane/ec2';
import { GuardVerdict } from '@tagplane/protocol';
import { MINUTE, SECOND } from '@tagplane/runtime';
import { FakeAuth } from './testing/fake-auth.ts';
import type { Plane } from './testing/plane.ts';
import { VIRTUAL_TIME, changeable, nameOf, startPlane } from './testing/plane.ts';

const REGION = 'eu-central-1';
const advance = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

let auth: FakeAuth;
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: [...VIRTUAL_TIME.doNotFake] });
  auth = new FakeAuth();
});
afterEach(() => {
  jest.useRealTimers();
});

type Changeable = ReturnType<typeof changeable>;

/** As a describe that events asked for: of these instances, as they are now. */
function look(plane: Plane, { instances }: Changeable, numbers: readonly number[]): void {
  const [scope] = plane.scopes.current();
  if (scope === undefined) throw new Error('there is one scope');
  const described = numbers.flatMap((number) => instances[number] ?? []);
  const now = Date.now();
  plane.discovery.scheduler.observed(scope, described, [], now, now);
}

/** Changes tags, all of them losses of what was there, and looks at once. */
function change(plane: Plane, ec2: Changeable, numbers: readonly number[], value: string): string[] {
  for (const number of numbers) ec2.set(number, [['Name', value]]);
  look(plane, ec2, numbers);
  return numbers.flatMap((number) => ec2.names[number] ?? []);
}

const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, n) => from + n);
const name = (instance: DiscoveredInstance | undefined): string => (instance ? nameOf(instance) : '');

describe('what a look brings', () => {
  it('leaves at once, while a scan’s thousands wait for their turn', async () => {
    const ec2 = changeable(4_500);
    await using plane = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(10 * SECOND);
    expect(await plane.metric('queue_length')).toBeGreaterThan(4_000);
    const last = 4_499;
    expect(auth.stored.has(ec2.names[last] ?? '')).toBe(false);
    look(plane, ec2, [last]);
    await advance(SECOND / 2);
    // Its first word was on its way already, in the paced queue: there is nothing newer to be said.
    change(plane, ec2, [last], 'changed');
    await advance(SECOND / 2);
    expect([...(auth.stored.get(ec2.names[last] ?? '')?.labels.values() ?? [])]).toEqual(['changed']);
    expect(await plane.metric('changes_total', { source: 'event' })).toBeGreaterThanOrEqual(1);
    expect(await plane.metric('queue_length')).toBeGreaterThan(4_000);
  });

  it('leaves up to a hundred at a time, five times a second, and the paced batches are no larger for it', async () => {
    const ec2 = changeable(1_000);
    await using plane = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(4 * MINUTE);
    expect(auth.stored.size).toBe(1_000);
    const from = Date.now();
    change(plane, ec2, upTo(250), 'changed');
    await advance(SECOND);
    const calls = auth.calls.filter((call) => call.at >= from);
    expect(calls.map((call) => call.names.length)).toEqual([100, 100, 50]);
    const [first = 0, second = 0, third = 0] = calls.map(({ at }) => at);
    expect(Math.min(second - first, third - second)).toBeGreaterThanOrEqual(199);
    expect(await plane.metric('changes_total', { source: 'event' })).toBe(250);
    expect(await plane.metric('changes_total', { source: 'poll' })).toBe(1_000);
  });

  it('goes the paced way when it is an estate’s worth', async () => {
    const ec2 = changeable(2_000);
    await using plane = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(8 * MINUTE);
    const from = Date.now();
    change(plane, ec2, upTo(2_000), 'changed');
    await advance(2.5 * SECOND);
    const express = auth.calls.filter((call) => call.at >= from && call.names.length > 10);
    expect(express.flatMap((call) => call.names)).toHaveLength(1_000);
    await advance(4 * MINUTE);
    expect(new Set(auth.sentSince(from)).size).toBe(2_000);
    expect(await plane.metric('changes_total', { source: 'event' })).toBeGreaterThanOrEqual(1_000);
  });

  it('is deleted at once when it has ended', async () => {
    const ec2 = changeable(3);
    await using plane = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(10 * SECOND);
    ec2.set(1, [], 'terminated');
    look(plane, ec2, [1]);
    await advance(SECOND / 2);
    expect([...auth.stored.keys()]).toEqual([name(ec2.instances[0]), name(ec2.instances[2])]);
    expect(await plane.metric('changes_total', { source: 'event' })).toBe(1);
  });

  it('sends nothing when nothing has changed', async () => {
    const ec2 = changeable(3);
    await using plane = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(10 * SECOND);
    const from = Date.now();
    look(plane, ec2, [0, 1, 2]);
    await advance(10 * SECOND);
    expect(auth.sentSince(from)).toEqual([]);
  });
});

describe('an auth service', () => {
  it('that is away is not asked more often for it', async () => {
    const ec2 = changeable(5);
    await using plane = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(10 * SECOND);
    const [changed = ''] = change(plane, ec2, [2], 'first');
    await advance(SECOND);
    auth.outage = Code.Unavailable;
    ec2.set(2, [['Name', 'second']]);
    look(plane, ec2, [2]);
    await advance(2 * MINUTE);
    expect(await plane.metric('batches_total', { result: 'failed' })).toBeLessThan(40);
    auth.outage = undefined;
    await advance(MINUTE);
    expect([...(auth.stored.get(changed)?.labels.values() ?? [])]).toEqual(['second']);
  });

  it('that holds the loss decides, and what it lets go is still urgent', async () => {
    const ec2 = changeable(4_000);
    await using plane = startPlane({ advance, auth, scripts: { [REGION]: ec2.script } });
    await advance(15 * MINUTE);
    auth.judge = () => GuardVerdict.HELD;
    // Many new ones wait in the paced queue.
    for (const number of upTo(3_000, 1_000))
      ec2.set(number, [
        ['Name', `web-${number}`],
        ['more', 'x'],
      ]);
    const [changed = ''] = change(plane, ec2, [7], 'changed');
    await advance(6 * MINUTE);
    expect([...(auth.stored.get(changed)?.labels.values() ?? [])]).toEqual(['web-7']);
    const paced = await plane.metric('queue_length');
    expect(paced).toBeGreaterThan(1_000);
    auth.judge = () => GuardVerdict.GO;
    look(plane, ec2, [7]);
    await advance(2 * SECOND);
    expect([...(auth.stored.get(changed)?.labels.values() ?? [])]).toEqual(['changed']);
  });
});
