import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createRegistry, silentLogger } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';
import { sweepPageSize } from '@tagplane/serverinfo';
import type { Entry, Store } from '@tagplane/store';
import { StoreUnavailableError } from '@tagplane/store';
import { createControlMetrics } from '../control/metrics.ts';
import { discovered, instanceKey, put } from '../testing/fleet.ts';
import { metric, overridden, testStores } from '../testing/test-plane.ts';
import type { TestStores } from '../testing/test-plane.ts';
import { Sweep } from './sweep.ts';

let stores: TestStores;
let registry: Registry;
let stop: AbortController;
let running: Promise<void>;

beforeEach(() => {
  jest.useFakeTimers();
  stores = testStores();
  registry = createRegistry('auth');
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort(new Error('the test is over'));
  await expect(running).rejects.toThrow('the test is over');
  jest.useRealTimers();
  await stores[Symbol.asyncDispose]();
});

function sweep(store: Store, apply: (entry: Entry) => boolean): Sweep {
  const metrics = createControlMetrics(registry);
  const made = new Sweep({ store, apply, metrics, log: silentLogger(), now: () => Date.now() });
  running = made.run(stop.signal);
  running.catch(() => undefined);
  return made;
}

async function fleet(size: number): Promise<void> {
  await put(
    stores.serverInfos,
    ...Array.from({ length: size }, (_, number) => discovered(number, { n: `${number}` })),
  );
}

describe('Sweep', () => {
  it('reads 100 ServerInfos a second, start to start: 10,000 in 100 seconds', async () => {
    await fleet(10_000);
    const seen: string[] = [];
    sweep(stores.serverInfos, ({ key }) => seen.push(key) > 0);
    await jest.advanceTimersByTimeAsync(500);
    expect(seen.length).toBe(100);
    await jest.advanceTimersByTimeAsync(49_000);
    expect(seen.length).toBe(5_000);
    await jest.advanceTimersByTimeAsync(50_000);
    expect(seen.length).toBe(10_000);
    expect(new Set(seen).size).toBe(10_000);
  });

  it.each([
    [1, 100],
    [90_000, 100],
    [90_001, 101],
    [100_000, 112],
    [900_000, 1_000],
  ])('over %i has pages of %i, so that it takes 15 minutes at most', (total, size) => {
    expect(sweepPageSize(total)).toBe(size);
    expect(Math.ceil(total / size)).toBeLessThanOrEqual(900);
  });

  it('rests for a minute between sweeps of a small fleet, unless it is kicked', async () => {
    await fleet(3);
    let seen = 0;
    const made = sweep(stores.serverInfos, () => (seen += 1) > 0);
    await jest.advanceTimersByTimeAsync(59_000);
    expect(seen).toBe(3);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(seen).toBe(6);
    made.kick();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(seen).toBe(9);
  });

  it('survives an error on any one page, which it reads again', async () => {
    await fleet(500);
    for (let failing = 0; failing < 6; failing += 1) {
      let calls = 0;
      const flaky = overridden(stores.serverInfos, {
        range: (range, options) => {
          calls += 1;
          const error = failing % 2 === 0 ? new StoreUnavailableError('away') : new TypeError('a bug');
          return calls === failing + 1 ? Promise.reject(error) : stores.serverInfos.range(range, options);
        },
      });
      registry = createRegistry('auth');
      const seen: string[] = [];
      sweep(flaky, ({ key }) => seen.push(key) > 0);
      await jest.advanceTimersByTimeAsync(30_000);
      expect(seen).toEqual(Array.from({ length: 500 }, (_, number) => instanceKey(number)));
      expect(await metric(registry, 'sweep_errors_total{what="page"}')).toBe(1);
      stop.abort(new Error('the test is over'));
      await expect(running).rejects.toThrow('the test is over');
      stop = new AbortController();
    }
    registry = createRegistry('auth');
    sweep(stores.serverInfos, () => true);
  });

  it('waits out a store that is away, and one that cannot count', async () => {
    await fleet(250);
    let away = true;
    const unavailable = (): Promise<never> => Promise.reject(new StoreUnavailableError('away'));
    const flaky = overridden(stores.serverInfos, {
      range: (range, options) => (away ? unavailable() : stores.serverInfos.range(range, options)),
      count: (prefix, options) => (away ? unavailable() : stores.serverInfos.count(prefix, options)),
    });
    const seen = new Set<string>();
    const made = sweep(flaky, ({ key }) => seen.add(key).size > 0);
    await jest.advanceTimersByTimeAsync(30_000);
    expect(made.problem).toBeUndefined();
    await jest.advanceTimersByTimeAsync(270_000);
    away = false;
    expect([seen.size, made.problem]).toEqual([0, 'ServerInfos cannot be swept: away']);
    await jest.advanceTimersByTimeAsync(15_000);
    expect([seen.size, made.problem]).toEqual([250, undefined]);
    expect(await metric(registry, 'sweep_errors_total{what="count"}')).toBeGreaterThan(5);
  });

  it('counts a node that fails and goes on', async () => {
    await fleet(150);
    let seen = 0;
    sweep(stores.serverInfos, ({ key }) => {
      seen += 1;
      return key !== instanceKey(7);
    });
    await jest.advanceTimersByTimeAsync(5_000);
    expect(seen).toBe(150);
    expect(await metric(registry, 'sweep_errors_total{what="node"}')).toBe(1);
    expect(await metric(registry, 'sweep_pages_total')).toBe(2);
    expect(await metric(registry, 'sweep_seconds_count')).toBe(1);
  });
});
