import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { durationMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import { parseAccountId, parseRegion } from '@tagplane/identity';
import { ScopeState } from '@tagplane/protocol';
import { MINUTE, SECOND, isAbort, silentLogger } from '@tagplane/runtime';
import type { ScopeStatus } from '../estate/scope-status.ts';
import { LeaseLostError } from '../lease/fence.ts';
import { FakeAuth } from '../testing/fake-auth.ts';
import { VIRTUAL_TIME } from '../testing/plane.ts';
import { statusOf } from '../testing/scope-status.ts';
import { runReportLoop } from './report-loop.ts';
import { reportMessage } from './report-message.ts';

const advance = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

let auth: FakeAuth;
let stop: AbortController;
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: [...VIRTUAL_TIME.doNotFake] });
  auth = new FakeAuth();
  stop = new AbortController();
});
afterEach(() => {
  jest.useRealTimers();
});

/** A loop under a lease that lives for an hour. */
function start(report: () => readonly ScopeStatus[]) {
  const { token = 0n } = auth.leases.hold({
    $typeName: 'tagplane.v1.HoldLeaseRequest',
    group: 'main',
    replica: 'a',
    token: 0n,
    version: '',
    ttl: { $typeName: 'google.protobuf.Duration', seconds: 3_600n, nanos: 0 },
  });
  const fence = {
    group: 'main',
    token,
    check: () => {
      stop.signal.throwIfAborted();
    },
    refused: (cause: unknown) => {
      stop.abort(new LeaseLostError('refused', { cause }));
      return stop.signal.reason as unknown;
    },
  };
  const parts = { transport: auth.transport, fence, report, log: silentLogger() };
  return runReportLoop(parts, stop.signal).catch((error: unknown) => {
    if (!isAbort(error, stop.signal)) throw error;
  });
}

const told = (): string[][] => auth.reports.map(({ scopes }) => scopes.map(({ id }) => id));

describe('the reports', () => {
  it('tell of changes at most every 10 s, of all again after ten minutes, and of what is gone', async () => {
    let [a, b] = [statusOf({ id: 'a', state: 'ok' }), statusOf({ id: 'b', state: 'ok' })];
    let scopes = (): ScopeStatus[] => [a, b];
    const running = start(() => scopes());
    await advance(30 * SECOND);
    expect(told()).toEqual([['a', 'b']]);
    a = { ...a, state: 'failing', problem: 'denied' };
    b = { ...b, requests: 5 };
    await advance(10 * SECOND);
    expect(told().slice(1)).toEqual([['a']]);
    expect(auth.reports[1]?.fence).toMatchObject({ group: 'main', token: 1n });
    await advance(MINUTE);
    expect(told().slice(1).flat().toSorted()).toEqual(['a', 'b']);
    const before = auth.reports.length;
    await advance(10 * MINUTE);
    expect(told().slice(before).flat().toSorted()).toEqual(['a', 'b']);
    scopes = () => [a];
    await advance(10 * SECOND);
    expect(auth.reports.at(-1)?.removed).toEqual(['b']);
    stop.abort(new Error('the test has ended'));
    await running;
  });

  it('that fail are made up for', async () => {
    auth.outage = Code.Unavailable;
    const running = start(() => [statusOf({ id: 'a', state: 'ok' })]);
    await advance(MINUTE);
    auth.outage = undefined;
    await advance(10 * SECOND);
    expect(told()).toEqual([['a']]);
    stop.abort(new Error('the test has ended'));
    await running;
  });

  it('end with the term when their fence is refused', async () => {
    const running = start(() => [statusOf({ id: 'a', state: 'ok' })]);
    auth.leases.forget('main');
    await advance(10 * SECOND);
    await running;
    expect(stop.signal.reason).toBeInstanceOf(LeaseLostError);
    expect(auth.reports).toEqual([]);
  });
});

describe('the message of a scope', () => {
  it('says all that is known', () => {
    const message = reportMessage(
      statusOf({
        id: '123456789012/eu-west-1',
        account: parseAccountId('123456789012'),
        region: parseRegion('eu-west-1'),
        state: 'failing',
        problem: 'AccessDenied',
        instances: 7,
        lastCompleteAt: 1_234.5,
        requests: 9,
        throttles: 2,
        quotaUsed: 0.25,
        behindMs: 1_500.4,
      }),
    );
    expect(message).toMatchObject({
      id: '123456789012/eu-west-1',
      accountId: '123456789012',
      region: 'eu-west-1',
      state: ScopeState.FAILING,
      problem: 'AccessDenied',
      instances: 7,
      requests: 9n,
      throttles: 2n,
      quotaUsed: 0.25,
    });
    expect(message.lastCompleteAt && timestampMs(message.lastCompleteAt)).toBe(1_235);
    expect(message.behind && durationMs(message.behind)).toBe(1_500);
    expect(message.lastEventAt).toBeUndefined();
  });

  it('cuts a long problem between characters', () => {
    const { problem } = reportMessage(statusOf({ id: 'a', problem: '🙂'.repeat(3_000) }));
    expect(Array.from(problem)).toHaveLength(2_000);
    expect(problem.endsWith('🙂…')).toBe(true);
  });
});
