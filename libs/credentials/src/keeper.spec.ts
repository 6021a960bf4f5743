import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { HOUR, MINUTE, SECOND, silentLogger } from '@tagplane/runtime';
import type { Credentials } from './credentials.ts';
import { JoinRefusedError } from './join-retry.ts';
import { CredentialKeeper } from './keeper.ts';
import type { KeeperOptions } from './keeper.ts';

const LIFE = 12 * HOUR;
const DUE = (LIFE * 2) / 3;

let made = 0;
let stop: AbortController;
let running: Promise<unknown>;

beforeEach(() => {
  jest.useFakeTimers({ now: 1_800_000_000_000 });
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort(new Error('the test has ended'));
  await running;
  jest.useRealTimers();
});

function credentials(changes: Partial<Credentials> = {}): Credentials {
  made += 1;
  return {
    id: 'spiffe://test/agent/web-1',
    role: 'agent',
    name: 'web-1',
    instance: undefined,
    privateKey: `key ${made}`,
    certificates: [],
    trust: { cluster: 'test', generation: 1, authorities: [] },
    validFrom: Date.now() - 15 * MINUTE,
    validUntil: Date.now() + LIFE,
    receivedAt: Date.now(),
    ...changes,
  };
}

/** Draws 0.5: a renewal is due at exactly two thirds. */
function keep(options: Partial<KeeperOptions> = {}) {
  const calls = { renew: [] as number[], rejoin: [] as number[], persisted: [] as Credentials[] };
  const began = Date.now();
  const { renew = () => Promise.resolve(credentials()), rejoin, persist } = options;
  const keeper = new CredentialKeeper({
    credentials: credentials(),
    remedy: 'set join.token',
    log: silentLogger(),
    random: () => 0.5,
    ...options,
    renew: (current, signal) => {
      calls.renew.push(Date.now() - began);
      return renew(current, signal);
    },
    rejoin:
      rejoin &&
      ((signal) => {
        calls.rejoin.push(Date.now() - began);
        return rejoin(signal);
      }),
    persist: async (next) => {
      await persist?.(next);
      calls.persisted.push(next);
    },
  });
  running = keeper.run(stop.signal).catch((error: unknown) => error);
  return { keeper, calls };
}

const fails = () => Promise.reject(new Error('away'));

describe('CredentialKeeper', () => {
  it('renews at two thirds of the life, and again of the next', async () => {
    const { keeper, calls } = keep();
    const first = keeper.current();
    await jest.advanceTimersByTimeAsync(DUE - SECOND);
    expect(keeper.current()).toBe(first);
    await jest.advanceTimersByTimeAsync(2 * DUE + SECOND);
    expect(calls.renew).toEqual([DUE, 2 * DUE, 3 * DUE]);
    expect(keeper.current()).toBe(calls.persisted.at(-1));
    expect(keeper.readiness()).toEqual({ name: 'credentials', ready: true, reason: 'good for 12h' });
  });

  it('is on disk before it takes effect, and tells of it then', async () => {
    const seen: string[] = [];
    const { keeper } = keep({
      persist: () => {
        seen.push(`write, in effect: ${keeper.current().privateKey}`);
        return Promise.resolve();
      },
    });
    const before = keeper.current().privateKey;
    const off = keeper.onChange((now, was) => seen.push(`${was.privateKey} to ${now.privateKey}`));
    await jest.advanceTimersByTimeAsync(DUE);
    const after = keeper.current().privateKey;
    expect(seen).toEqual([`write, in effect: ${before}`, `${before} to ${after}`]);
    off();
    await jest.advanceTimersByTimeAsync(DUE);
    expect(seen).toHaveLength(3);
  });

  it('tries again when it failed, ever more slowly, and says what is wrong meanwhile', async () => {
    let away = true;
    const results: string[] = [];
    const { keeper, calls } = keep({
      renew: () => (away ? fails() : Promise.resolve(credentials())),
      observer: { renewed: (result) => results.push(result) },
    });
    await jest.advanceTimersByTimeAsync(DUE + MINUTE);
    expect(keeper.readiness()).toMatchObject({
      ready: true,
      reason: expect.stringMatching(/renewal failed: away/),
    });
    const waits = calls.renew.map((at, index) => at - (calls.renew[index - 1] ?? at)).slice(1);
    expect(waits.slice(0, 4)).toEqual([1_500, 3_000, 6_000, 12_000]);
    away = false;
    await jest.advanceTimersByTimeAsync(20 * MINUTE);
    expect(results.filter((result) => result === 'ok')).toHaveLength(1);
    expect(results.filter((result) => result === 'failed')).toHaveLength(calls.renew.length - 1);
    expect(keeper.remainingMs()).toBeGreaterThan(11 * HOUR);
    expect(keeper.readiness().reason).not.toMatch(/away/);
  });

  it('waits for a connection when there is none to renew on', async () => {
    let connected = false;
    const { keeper, calls } = keep({
      renew: () => Promise.resolve(connected ? credentials() : undefined),
    });
    keeper.connected();
    await jest.advanceTimersByTimeAsync(DUE + HOUR);
    expect(calls.renew).toEqual([DUE]);
    connected = true;
    keeper.connected();
    await jest.advanceTimersByTimeAsync(0);
    expect(calls.renew).toEqual([DUE, DUE + HOUR]);
    expect(keeper.remainingMs()).toBe(LIFE);
  });

  it('renews within the time it is told, and not later than it would have', async () => {
    const { keeper, calls } = keep();
    keeper.renewWithin(MINUTE);
    await jest.advanceTimersByTimeAsync(MINUTE);
    expect(calls.renew).toEqual([30 * SECOND]);
    await jest.advanceTimersByTimeAsync(DUE - 31 * SECOND);
    keeper.renewWithin(HOUR);
    await jest.advanceTimersByTimeAsync(MINUTE);
    expect(calls.renew).toEqual([30 * SECOND, 30 * SECOND + DUE]);
  });

  it('renews once more when it is told so while a renewal is under way', async () => {
    const { keeper, calls } = keep({
      renew: async () => {
        await new Promise((resolve) => setTimeout(resolve, SECOND));
        return credentials();
      },
    });
    await jest.advanceTimersByTimeAsync(DUE + 500);
    keeper.renewWithin(MINUTE);
    await jest.advanceTimersByTimeAsync(MINUTE);
    expect(calls.renew).toEqual([DUE, DUE + 31 * SECOND]);
  });

  it('takes up newer trust by itself, and no renewal takes it back', async () => {
    const { keeper, calls } = keep();
    const trust = { cluster: 'test', generation: 3, authorities: ['new'] };
    await keeper.adoptTrust(trust);
    expect(keeper.current().trust).toBe(trust);
    await keeper.adoptTrust({ ...trust, generation: 2 });
    expect(calls.persisted.map((each) => each.trust.generation)).toEqual([3]);
    await jest.advanceTimersByTimeAsync(DUE);
    expect(calls.renew).toEqual([DUE]);
    expect(keeper.current().trust).toBe(trust);
  });

  it('goes on with a certificate that cannot be written, and tries again', async () => {
    let full = true;
    const { keeper, calls } = keep({
      persist: () => (full ? Promise.reject(new Error('no space')) : Promise.resolve()),
    });
    await jest.advanceTimersByTimeAsync(DUE + SECOND);
    expect(keeper.remainingMs()).toBeGreaterThan(LIFE - MINUTE);
    expect(keeper.readiness().reason).toMatch(/written to disk/);
    full = false;
    await jest.advanceTimersByTimeAsync(HOUR);
    expect(calls.persisted).toHaveLength(1);
    expect(keeper.current()).toBe(calls.persisted[0]);
    expect(keeper.readiness().reason).not.toMatch(/disk/);
  });
});

describe('a certificate that has ended', () => {
  it('is joined for again, where that is possible', async () => {
    const results: string[] = [];
    const { keeper, calls } = keep({
      renew: () => Promise.resolve(undefined),
      rejoin: () => (calls.rejoin.length < 3 ? fails() : Promise.resolve(credentials({ name: 'web-2' }))),
      observer: { joined: (result) => results.push(result) },
    });
    await jest.advanceTimersByTimeAsync(LIFE - SECOND);
    expect(calls.rejoin).toEqual([]);
    await jest.advanceTimersByTimeAsync(MINUTE);
    expect(calls.rejoin[0]).toBe(LIFE);
    expect(results).toEqual(['failed', 'failed', 'ok']);
    expect(keeper.current()).toBe(calls.persisted[0]);
    expect(keeper.readiness().ready).toBe(true);
  });

  it('is not ready until then, and a refusal is not repeated within a minute', async () => {
    const { keeper, calls } = keep({
      renew: () => Promise.resolve(undefined),
      rejoin: () => Promise.reject(new JoinRefusedError('the token has no uses left')),
    });
    await jest.advanceTimersByTimeAsync(LIFE + 59 * SECOND);
    expect(calls.rejoin).toEqual([LIFE]);
    expect(keeper.readiness()).toEqual({
      name: 'credentials',
      ready: false,
      reason: 'the certificate has ended; renewal failed: the token has no uses left; joining again',
    });
    await jest.advanceTimersByTimeAsync(5 * MINUTE);
    expect(calls.rejoin.length).toBeGreaterThan(1);
  });

  it('takes an operator, where it is not possible, and says so once', async () => {
    const log = silentLogger();
    const error = jest.spyOn(log, 'error');
    const { keeper } = keep({ renew: () => Promise.resolve(undefined), log });
    await jest.advanceTimersByTimeAsync(LIFE + HOUR);
    expect(error.mock.calls).toEqual([
      [{ event: 'credentials_ended', id: 'spiffe://test/agent/web-1', message: 'set join.token' }],
    ]);
    expect(keeper.readiness()).toMatchObject({
      ready: false,
      reason: expect.stringMatching(/set join\.token/),
    });
  });

  it('is renewed all the same by a service whose clock is behind', async () => {
    let away = true;
    const { keeper } = keep({ renew: () => (away ? fails() : Promise.resolve(credentials())) });
    await jest.advanceTimersByTimeAsync(LIFE + HOUR);
    expect(keeper.readiness().ready).toBe(false);
    away = false;
    await jest.advanceTimersByTimeAsync(20 * MINUTE);
    expect(keeper.readiness().ready).toBe(true);
  });

  it('after a refusal counts as ended only if it may have', async () => {
    const again = () => Promise.resolve(credentials());
    const { keeper, calls } = keep({ renew: () => Promise.resolve(undefined), rejoin: again });
    keeper.refused();
    await jest.advanceTimersByTimeAsync(SECOND);
    expect(calls.rejoin).toEqual([]);
    jest.setSystemTime(Date.now() - 24 * HOUR);
    keeper.refused();
    await jest.advanceTimersByTimeAsync(SECOND);
    expect(calls.rejoin).toHaveLength(1);
    expect(keeper.readiness().ready).toBe(true);
  });
});

describe('the clocks', () => {
  it('a wall clock set back does not put the renewal off', async () => {
    const { keeper, calls } = keep();
    await jest.advanceTimersByTimeAsync(HOUR);
    jest.setSystemTime(Date.now() - 100 * HOUR);
    await jest.advanceTimersByTimeAsync(DUE - HOUR);
    expect(calls.renew).toHaveLength(1);
    expect(keeper.remainingMs()).toBe(LIFE);
  });

  it('a machine that slept renews within ten minutes of waking', async () => {
    const { calls } = keep();
    jest.setSystemTime(Date.now() + 9 * HOUR);
    await jest.advanceTimersByTimeAsync(10 * MINUTE);
    expect(calls.renew).toHaveLength(1);
  });

  it('credentials of before a restart are as old as they are; those from the future are due now', async () => {
    const before = keep({ credentials: credentials({ receivedAt: Date.now() - 7 * HOUR }) });
    await jest.advanceTimersByTimeAsync(HOUR);
    expect(before.calls.renew).toEqual([HOUR]);
    stop.abort(new Error('next'));
    await running;
    stop = new AbortController();
    const future = keep({ credentials: credentials({ receivedAt: Date.now() + HOUR }) });
    await jest.advanceTimersByTimeAsync(0);
    expect(future.calls.renew).toEqual([0]);
  });
});
