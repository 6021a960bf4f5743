import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ScanError } from '@tagplane/ec2';
import type { DiscoveredInstance, Ec2Scanner } from '@tagplane/ec2';
import { fakeInstance, fakeRegion, fakeScanner } from '@tagplane/ec2/testing';
import type { FakeScript } from '@tagplane/ec2/testing';
import { GuardVerdict } from '@tagplane/protocol';
import { MINUTE, SECOND } from '@tagplane/runtime';
import { draftOf, observeInstance } from '@tagplane/serverinfo';
import type { Scope } from './estate/scope.ts';
import { FakeAuth } from './testing/fake-auth.ts';
import { VIRTUAL_TIME, nameOf, pagesOf, startPlane } from './testing/plane.ts';
import type { Plane } from './testing/plane.ts';
import { fakeScope } from './testing/scopes.ts';

const REGION = 'eu-central-1';
const POLL = 5.5 * MINUTE;
const advance = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const accountOf = (number: number): string => String(100_000_000_000 + number);

let auth: FakeAuth;
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: [...VIRTUAL_TIME.doNotFake] });
  auth = new FakeAuth();
});
afterEach(() => {
  jest.useRealTimers();
});

function start(scopes: readonly Scope[], maxConcurrentScans = 8, pollIntervalMs = 5 * MINUTE): Plane {
  const plane = startPlane({ advance, auth, scripts: {}, maxConcurrentScans, pollIntervalMs });
  for (const { id, place } of scopes)
    plane.statuses.begin({ id, account: place.account, region: place.region });
  plane.scopes.replace(scopes);
  return plane;
}

function fleetOf(account: string, size: number): DiscoveredInstance[] {
  return Array.from({ length: size }, (_, n) =>
    fakeInstance(n, { account, tags: [['Name', `${account}-${n}`]] }),
  );
}

function scopeOf(number: number, script: FakeScript): Scope {
  const scanner = fakeScanner(script, fakeRegion(REGION));
  return fakeScope({ account: accountOf(number), scanner });
}

describe('many scopes', () => {
  it('are scanned so many at a time, all within their turn, and then spread over the interval', async () => {
    let open = 0;
    let most = 0;
    const startsAt: number[] = [];
    const counting = (scanner: Ec2Scanner): Ec2Scanner => ({
      ...scanner,
      async *scan(options) {
        startsAt.push(Date.now());
        open += 1;
        most = Math.max(most, open);
        try {
          yield* scanner.scan(options);
        } finally {
          open -= 1;
        }
      },
    });
    const scopes = Array.from({ length: 200 }, (_, n) =>
      fakeScope({
        account: accountOf(n),
        scanner: counting(fakeScanner(() => [{ instances: fleetOf(accountOf(n), 5), afterMs: SECOND }])),
      }),
    );
    await using plane = start(scopes, 4);
    await advance(51 * SECOND);
    expect([most, startsAt.length]).toEqual([4, 200]);
    expect(plane.statuses.all().every(({ state, instances }) => state === 'ok' && instances === 5)).toBe(
      true,
    );
    const firstPass = Date.now();
    await advance(5 * MINUTE);
    const second = startsAt.filter((at) => at > firstPass);
    // Were they not spread, all would start within the 50 s of the first pass.
    const perMinute = [0, 1, 2, 3, 4].map(
      (minute) => second.filter((at) => Math.floor((at - firstPass) / MINUTE) === minute).length,
    );
    expect(Math.max(...perMinute)).toBeLessThan(100);
    expect(perMinute.filter((count) => count > 0).length).toBeGreaterThanOrEqual(4);
  });

  it('fail one by one: what others found is sent, and each says what is wrong with it', async () => {
    const good = scopeOf(1, () => pagesOf(fleetOf(accountOf(1), 3)));
    const bad = scopeOf(2, () => [{ fail: 'denied' }]);
    await using plane = start([good, bad], 1);
    await advance(MINUTE);
    expect(auth.stored.size).toBe(3);
    expect(plane.statuses.get(good.id)).toMatchObject({ state: 'ok', instances: 3, requests: 1 });
    expect(plane.statuses.get(bad.id)).toMatchObject({
      state: 'failing',
      problem: expect.stringMatching(/^denied/),
    });
    expect(plane.statuses.get(bad.id)?.requests).toBeGreaterThan(1);
    expect(plane.discovery.readiness()).toContainEqual({
      name: `scope ${bad.id}`,
      ready: true,
      reason: plane.statuses.get(bad.id)?.problem,
    });
  });

  it('come and go: those that left are not scanned, not renewed, and nothing of theirs is deleted', async () => {
    const [one, two] = [1, 2].map((n) => scopeOf(n, () => pagesOf(fleetOf(accountOf(n), 2))));
    if (one === undefined || two === undefined) throw new Error('two were made');
    await using plane = start([one, two]);
    await advance(MINUTE);
    expect(auth.stored.size).toBe(4);
    plane.scopes.replace([one]);
    const leftAt = Date.now();
    const three = scopeOf(3, () => pagesOf(fleetOf(accountOf(3), 1)));
    await advance(MINUTE);
    plane.scopes.replace([one, three]);
    await advance(80 * MINUTE);
    const sent = auth.sentSince(leftAt);
    expect(sent.some((name) => name.includes(accountOf(2)))).toBe(false);
    expect(sent.filter((name) => name.includes(accountOf(1)))).not.toEqual([]);
    expect(sent.some((name) => name.includes(accountOf(3)))).toBe(true);
    expect(auth.calls.every(({ action }) => action === 'upsert')).toBe(true);
    expect((await plane.registry.metrics()).includes(two.id)).toBe(false);
  });

  it('at one place are the first block’s, and reject what is of another account', async () => {
    const foreign = fakeInstance(9, { account: accountOf(7) });
    const here = pagesOf([...fleetOf(accountOf(1), 1), foreign]);
    await using plane = start([scopeOf(1, () => here)]);
    await advance(MINUTE);
    expect(auth.stored.size).toBe(1);
    expect(await plane.metric('rejected_instances', { scope: `${accountOf(1)}/${REGION}` })).toBe(1);
  });
});

describe('a scan of which EC2 has lost track', () => {
  const lost = new ScanError({
    kind: 'other',
    region: fakeRegion(REGION),
    requests: 2,
    code: 'InvalidNextToken',
  });

  /** Loses its place after the first page, so many times. */
  function losing(times: number): { scanner: Ec2Scanner; scans: () => number } {
    let scans = 0;
    const inner = fakeScanner(() => pagesOf(fleetOf(accountOf(1), 3)), fakeRegion(REGION));
    return {
      scans: () => scans,
      scanner: {
        ...inner,
        region: inner.region,
        async *scan(options) {
          scans += 1;
          const failing = scans <= times;
          yield* inner.scan(options);
          if (failing) throw lost;
        },
      },
    };
  }

  it('starts over at once', async () => {
    const { scanner, scans } = losing(2);
    await using plane = start([fakeScope({ account: accountOf(1), scanner })]);
    await advance(SECOND);
    expect([scans(), await plane.metric('scans_total', { result: 'complete' })]).toEqual([3, 1]);
  });

  it('gives up after the second time, and backs off', async () => {
    const { scanner, scans } = losing(3);
    await using plane = start([fakeScope({ account: accountOf(1), scanner })]);
    await advance(0);
    expect([scans(), await plane.metric('scans_total', { result: 'other' })]).toEqual([3, 1]);
    await advance(MINUTE);
    expect(await plane.metric('scans_total', { result: 'complete' })).toBe(1);
  });
});

describe('an empty answer where hundreds were', () => {
  it('is held, and all others stay renewed; what is back is as it was', async () => {
    let empty = false;
    const many = scopeOf(1, () => (empty ? [{ instances: [] }] : pagesOf(fleetOf(accountOf(1), 300))));
    const few = scopeOf(2, () => pagesOf(fleetOf(accountOf(2), 10)));
    auth.judge = ({ nodesChanged }) => (nodesChanged >= 20 ? GuardVerdict.HELD : GuardVerdict.GO);
    await using plane = start([many, few]);
    await advance(2 * MINUTE);
    expect(auth.stored.size).toBe(310);
    empty = true;
    await advance(POLL);
    expect(
      auth.asked.map(({ scope, nodesChanged, nodesTotal }) => [scope, nodesChanged, nodesTotal]),
    ).toContainEqual([`aws/${accountOf(1)}/${REGION}/gone`, 300, 300]);
    expect(await plane.metric('held_back_instances')).toBe(300);
    await advance(20 * MINUTE);
    expect([auth.stored.size, auth.calls.every(({ action }) => action === 'upsert')]).toEqual([310, true]);
    empty = false;
    const backAt = Date.now();
    await advance(POLL);
    expect(await plane.metric('held_back_instances')).toBe(0);
    expect(auth.sentSince(backAt)).toEqual([]);
    await advance(60 * MINUTE);
    const live = [...auth.stored.values()].filter(({ expiresAt = 0 }) => expiresAt > Date.now());
    expect(live).toHaveLength(310);
  });
});

describe('a restart with 10,000 known instances', () => {
  it('sends nothing but what is due, and steady state sends nothing', async () => {
    const scopes = Array.from({ length: 40 }, (_, n) => {
      const fleet = fleetOf(accountOf(n), 250);
      return scopeOf(n, () => pagesOf(fleet));
    });
    for (const { scanner } of scopes) {
      for await (const { instances } of scanner.scan({ signal: new AbortController().signal })) {
        for (const [n, instance] of instances.entries()) hold(instance, n === 0 ? 35 * MINUTE : 80 * MINUTE);
      }
    }
    expect(auth.stored.size).toBe(10_000);
    await using plane = start(scopes, 8, 13 * MINUTE);
    await advance(4 * MINUTE);
    expect([auth.calls, await plane.metric('known_server_infos')]).toEqual([[], 10_000]);
    // One of each scope has half an hour left a minute later.
    await advance(10 * MINUTE);
    const renewed = auth.calls.flatMap(({ names }) => names);
    expect([renewed.length, new Set(renewed).size]).toEqual([40, 40]);
    await advance(10 * MINUTE);
    expect(auth.calls.flatMap(({ names }) => names)).toHaveLength(40);
  });
});

/** As if this had been written before, with so much time left. */
function hold(instance: DiscoveredInstance, leftMs: number): void {
  const { ttlMs: _, ...draft } = draftOf(observeInstance(instance, Date.now()), leftMs);
  const stored = { revision: 1, origin: auth.origin, expiresAt: Date.now() + leftMs };
  auth.stored.set(draft.name, { ...draft, ...stored });
}

it('names the instances that were found, with the scope that decides on each', async () => {
  const scope = scopeOf(1, () => pagesOf(fleetOf(accountOf(1), 2)));
  await using plane = start([scope]);
  await advance(SECOND);
  const found = [...plane.discovery.scheduler.instances()];
  expect(found.map(({ key }) => nameOf({ key } as DiscoveredInstance))).toHaveLength(2);
  expect(found.every((each) => each.scope === scope && each.platform === 'linux')).toBe(true);
});
