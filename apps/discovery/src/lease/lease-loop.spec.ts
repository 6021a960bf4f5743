import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Code } from '@connectrpc/connect';
import { Registry, SECOND, silentLogger } from '@tagplane/runtime';
import { FakeAuth } from '../testing/fake-auth.ts';
import { VIRTUAL_TIME } from '../testing/plane.ts';
import type { Fence } from './fence.ts';
import { createLeaseClient } from './lease-client.ts';
import { runLeaseLoop } from './lease-loop.ts';
import { createLeaseReporter } from './lease-reporter.ts';

const GROUP = 'main';
const advance = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

interface Term {
  readonly fence: Fence | undefined;
  readonly signal: AbortSignal;
  readonly at: number;
}

/** One replica, and the terms that it had. */
function startReplica(
  auth: FakeAuth,
  replica: string,
  work: (term: Term) => Promise<void> = ({ signal }) => untilAborted(signal),
) {
  const registry = new Registry();
  const client = createLeaseClient({ transport: auth.transport, group: GROUP, replica });
  const reporter = createLeaseReporter({ registry, log: silentLogger(), client });
  const terms: Term[] = [];
  const stop = new AbortController();
  const running = runLeaseLoop(
    {
      client,
      reporter,
      clock: () => Date.now(),
      runTerm: (fence, signal) => {
        const term = { fence, signal, at: Date.now() };
        terms.push(term);
        return work(term);
      },
    },
    stop.signal,
  );
  return {
    terms,
    running,
    readiness: () => reporter.readiness()[0],
    current: () => terms.at(-1),
    works: () => terms.some(({ signal }) => !signal.aborted),
    metric: async (name: string) =>
      (await registry.getSingleMetric(`tagplane_discovery_${name}`)?.get())?.values[0]?.value,
    stop: () => {
      stop.abort(new Error('stopped'));
    },
  };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
}

let auth: FakeAuth;
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: [...VIRTUAL_TIME.doNotFake] });
  auth = new FakeAuth();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('two replicas', () => {
  it('have one leader, for as long as it lives; the other stands by and says so', async () => {
    const a = startReplica(auth, 'a');
    await advance(SECOND);
    const b = startReplica(auth, 'b');
    await advance(600 * SECOND);
    expect(a.terms).toHaveLength(1);
    expect(b.terms).toHaveLength(0);
    expect(a.readiness()).toEqual({ name: 'lease', ready: true, reason: 'leader of main' });
    expect(b.readiness()).toEqual({ name: 'lease', ready: true, reason: 'standby of main, leader a' });
    expect([await a.metric('leader'), await b.metric('leader')]).toEqual([1, 0]);
    for (const each of [a, b]) each.stop();
    await advance(10 * SECOND);
    await Promise.all([a.running, b.running]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('change places at once when the leader is told to stop, once its term has ended', async () => {
    let ended = 0;
    const a = startReplica(auth, 'a', async ({ signal }) => {
      await untilAborted(signal).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 3 * SECOND));
      ended = Date.now();
    });
    await advance(SECOND);
    const b = startReplica(auth, 'b');
    await advance(22 * SECOND);
    a.stop();
    await advance(2 * SECOND);
    expect(b.works()).toBe(false);
    await advance(10 * SECOND);
    await a.running;
    expect(b.works()).toBe(true);
    expect(b.current()?.at).toBeGreaterThanOrEqual(ended);
    expect((b.current()?.at ?? 0) - ended).toBeLessThanOrEqual(5 * SECOND);
    expect(b.current()?.fence?.token).toBeGreaterThan(a.current()?.fence?.token ?? 0n);
    b.stop();
    await advance(10 * SECOND);
  });

  it('change places within 21 s of the last renewal when the leader dies', async () => {
    auth.leases.hold(request('dead', 20));
    const diedAt = Date.now();
    const b = startReplica(auth, 'b');
    await advance(40 * SECOND);
    expect((b.current()?.at ?? Infinity) - diedAt).toBeLessThanOrEqual(21 * SECOND);
    b.stop();
    await advance(SECOND);
  });
});

function request(replica: string, seconds: number) {
  return {
    $typeName: 'tagplane.v1.HoldLeaseRequest' as const,
    group: GROUP,
    replica,
    token: 0n,
    version: '',
    ttl: { $typeName: 'google.protobuf.Duration' as const, seconds: BigInt(seconds), nanos: 0 },
  };
}

describe('a leader', () => {
  it('outlives an auth service that is away for 12 s', async () => {
    const a = startReplica(auth, 'a');
    await advance(SECOND);
    auth.outage = Code.Unavailable;
    await advance(12 * SECOND);
    auth.outage = undefined;
    await advance(60 * SECOND);
    expect(a.terms).toHaveLength(1);
    expect(a.works()).toBe(true);
    a.stop();
    await advance(SECOND);
  });

  it('ends its term 5 s before its lease does, and works again when there is an answer', async () => {
    const a = startReplica(auth, 'a');
    await advance(SECOND);
    auth.outage = Code.Unavailable;
    await advance(13.9 * SECOND);
    expect(a.works()).toBe(true);
    await advance(0.2 * SECOND);
    expect(a.works()).toBe(false);
    await advance(60 * SECOND);
    expect(a.readiness()).toMatchObject({ ready: false, reason: expect.stringContaining('Unavailable') });
    expect(await a.metric('leader')).toBe(0);
    auth.outage = undefined;
    await advance(5 * SECOND);
    expect(a.works()).toBe(true);
    expect(a.terms).toHaveLength(2);
    a.stop();
    await advance(SECOND);
  });

  it('that was paused notices at its next write, before any timer told it', async () => {
    const a = startReplica(auth, 'a');
    await advance(SECOND);
    const { fence, signal } = a.current() ?? {};
    expect(() => fence?.check()).not.toThrow();
    // The process stands still: time passes, and no timer fires.
    jest.setSystemTime(Date.now() + 15 * SECOND);
    expect(() => fence?.check()).toThrow('the lease is over: overdue');
    expect(signal?.aborted).toBe(true);
    a.stop();
    await advance(5 * SECOND);
    await a.running;
  });

  it('ends its term at once when a write is refused for its fence, and asks again', async () => {
    const a = startReplica(auth, 'a');
    await advance(SECOND);
    const first = a.current();
    auth.leases.forget(GROUP);
    auth.leases.hold(request('b', 20));
    expect(first?.fence?.refused(new Error('no more'))).toBe(first?.signal.reason);
    expect(first?.signal.aborted).toBe(true);
    await advance(SECOND);
    expect(a.readiness()).toMatchObject({ ready: true, reason: 'standby of main, leader b' });
    await advance(25 * SECOND);
    expect(a.current()?.fence?.token).toBeGreaterThan(first?.fence?.token ?? 0n);
    expect(await a.metric('lease_losses_total')).toBe(1);
    a.stop();
    await advance(SECOND);
  });

  it('whose work fails gives the lease back and fails', async () => {
    const a = startReplica(auth, 'a', async () => {
      await advance(0);
      throw new Error('a defect');
    });
    const failure = expect(a.running).rejects.toThrow('a defect');
    await advance(2 * SECOND);
    await failure;
    expect(auth.leases.holder(GROUP)).toBeUndefined();
  });
});

describe('an end', () => {
  it('leaves no question behind that would take the lease for a process that is gone', async () => {
    auth.delayMs = 0.5 * SECOND;
    const a = startReplica(auth, 'a');
    await advance(0.1 * SECOND);
    expect(auth.open).toBe(1);
    a.stop();
    await advance(2 * SECOND);
    await a.running;
    expect(a.terms).toHaveLength(0);
    expect(auth.leases.holder(GROUP)).toBeUndefined();
  });

  it('waits a second for it, not more', async () => {
    auth.delayMs = 60 * SECOND;
    const a = startReplica(auth, 'a');
    await advance(0.1 * SECOND);
    a.stop();
    await advance(1.1 * SECOND);
    await a.running;
    await advance(60 * SECOND);
    expect(a.terms).toHaveLength(0);
  });
});

describe('an auth service that knows no leases', () => {
  it('has the replica work without a fence, until it learns of them', async () => {
    auth.leaseless = true;
    const transport = { current: auth.transport };
    const a = startReplica(
      Object.create(auth, {
        transport: {
          value: {
            unary: (...call: Parameters<typeof auth.transport.unary>) => transport.current.unary(...call),
            stream: (...call: Parameters<typeof auth.transport.stream>) => transport.current.stream(...call),
          },
        },
      }) as FakeAuth,
      'a',
    );
    await advance(60 * SECOND);
    expect(a.terms.map(({ fence }) => fence)).toEqual([undefined]);
    expect(a.readiness()).toMatchObject({ ready: true });
    auth.leaseless = false;
    transport.current = auth.transport;
    await advance(16 * SECOND);
    expect(a.current()?.fence).toMatchObject({ group: GROUP });
    expect(a.terms[0]?.signal.aborted).toBe(true);
    a.stop();
    await advance(SECOND);
  });
});
