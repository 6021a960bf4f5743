import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Code } from '@connectrpc/connect';
import { MINUTE, SECOND } from '@tagplane/runtime';
import { FakeAuth } from '../testing/fake-auth.ts';
import { VIRTUAL_TIME, changeable } from '../testing/plane.ts';
import { startReplica } from '../testing/replica.ts';

const advance = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

let auth: FakeAuth;
let ec2: ReturnType<typeof changeable>;
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: [...VIRTUAL_TIME.doNotFake] });
  auth = new FakeAuth();
  ec2 = changeable(40);
});
afterEach(() => {
  jest.useRealTimers();
});

const start = (name: string, group = 'main') =>
  startReplica({ auth, name, group, script: ec2.script, advance });

describe('two discoveries of one group', () => {
  it('scan and send as one: the standby sends nothing, and after a takeover only what changed', async () => {
    const first = start('one');
    await advance(10 * SECOND);
    await using second = start('two');
    await advance(10 * MINUTE);
    expect(auth.sentSince(0).toSorted()).toEqual(ec2.names);
    expect(auth.stored.get(ec2.names[0] ?? '')?.origin).toBe('discovery/main');
    expect(await second.metric('scans_total')).toBe(0);
    const stoppedAt = Date.now();
    ec2.set(3, [['Name', 'changed']]);
    await first[Symbol.asyncDispose]();
    await advance(20 * SECOND);
    expect(await second.metric('leader')).toBe(1);
    expect(auth.sentSince(stoppedAt)).toEqual([ec2.names[3]]);
    expect(await second.metric('known_server_infos')).toBe(40);
    await advance(30 * MINUTE);
    expect(auth.sentSince(stoppedAt)).toEqual([ec2.names[3]]);
  });

  it('change places while one is cut off from the auth service, and it comes back as a standby', async () => {
    const cut = { outage: undefined as Code | undefined };
    const reached = Object.create(auth, {
      transport: { value: unreachable(auth, () => cut.outage) },
    }) as FakeAuth;
    await using first = startReplica({
      auth: reached,
      name: 'one',
      group: 'main',
      script: ec2.script,
      advance,
    });
    await advance(30 * SECOND);
    await using second = start('two');
    await advance(30 * SECOND);
    cut.outage = Code.Unavailable;
    await advance(30 * SECOND);
    expect([await first.metric('leader'), await second.metric('leader')]).toEqual([0, 1]);
    cut.outage = undefined;
    await advance(MINUTE);
    expect([await first.metric('leader'), await second.metric('leader')]).toEqual([0, 1]);
    expect(first.readiness()?.reason).toMatch(/^standby of main, leader two-/);
    // Of the one that lost it no gauge is left that would count twice beside the other's.
    expect(await first.metric('known_server_infos')).toBe(0);
    expect(auth.leases.refused).toBe(0);
  });

  it('has a write refused that a leader sends without knowing better, and it sends no other', async () => {
    await using first = start('one');
    await advance(20 * SECOND);
    // As if its renewals were on their way, and another had come in between.
    auth.leases.forget('main');
    await using second = start('two');
    await advance(0);
    ec2.set(5, [['Name', 'changed']]);
    await advance(7 * MINUTE);
    expect(auth.upsertsOf(ec2.names[5] ?? '')).toHaveLength(2);
    expect((await first.metric('leader')) + (await second.metric('leader'))).toBe(1);
  });
});

describe('two groups with the same instances', () => {
  it('do not take them from each other', async () => {
    await using _ = start('one', 'main');
    await advance(MINUTE);
    await using other = start('two', 'other');
    await advance(40 * MINUTE);
    expect(await other.metric('upserts_total', { result: 'denied' })).toBe(40);
    expect(new Set([...auth.stored.values()].map(({ origin }) => origin))).toEqual(
      new Set(['discovery/main']),
    );
    const revisions = [...auth.stored.values()].map(({ revision }) => revision);
    expect(Math.max(...revisions)).toBe(40);
  });
});

/** The transport of this auth service, which cannot be reached while there is an outage. */
function unreachable(of: FakeAuth, outage: () => Code | undefined): FakeAuth['transport'] {
  const { transport } = of;
  const down = new FakeAuth();
  const now = () => {
    down.outage = outage();
    return down.outage === undefined ? transport : down.transport;
  };
  return {
    unary: (...call) => now().unary(...call),
    stream: (...call) => now().stream(...call),
  };
}
