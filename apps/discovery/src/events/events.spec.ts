import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fakeQueue } from '@tagplane/aws/testing';
import type { FakeQueue } from '@tagplane/aws/testing';
import type { DiscoveredInstance } from '@tagplane/ec2';
import { fakeInstance, fakeRegion, fakeScanner } from '@tagplane/ec2/testing';
import type { FakeDescribe, FakeScanner } from '@tagplane/ec2/testing';
import { MINUTE, Registry, SECOND, silentLogger } from '@tagplane/runtime';
import { discoveredName } from '@tagplane/serverinfo';
import { ScopeTable } from '../estate/scope.ts';
import type { Scope } from '../estate/scope.ts';
import { fakeScope } from '../testing/scopes.ts';
import { VIRTUAL_TIME } from '../testing/plane.ts';
import { createEvents } from './events.ts';
import type { EventSink } from './events.ts';
import { VISIBILITY_MS } from './inbox.ts';
import { callEvent, stateEvent, tagEvent } from './testing/event-bodies.ts';

const ACCOUNT = '123456789012';
const REGION = 'eu-central-1';

const advance = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

/** What a fake EC2 says of instances, by number. */
class Fleet {
  readonly instances = new Map<number, DiscoveredInstance>();
  readonly scanner: FakeScanner;
  answer: FakeDescribe = (ids) => ({
    instances: [...this.instances.values()].filter(({ key }) => ids.includes(key.instance)),
  });

  constructor() {
    const none = () => [{ instances: [] }];
    this.scanner = fakeScanner(none, fakeRegion(REGION), (ids, call) => this.answer(ids, call));
  }

  set(number: number, value: string, state: DiscoveredInstance['state'] = 'running'): DiscoveredInstance {
    const instance = fakeInstance(number, { tags: [['env', value]], state });
    this.instances.set(number, instance);
    return instance;
  }
}

class Sink implements EventSink {
  readonly seen: { scope: string; env: (string | undefined)[]; missing: string[]; askedAt: number }[] = [];
  waiting = new Set<string>();

  observed(...[scope, instances, missing, askedAt]: Parameters<EventSink['observed']>): void {
    const env = instances.map(({ tags }) => tags.get('env'));
    this.seen.push({ scope: scope.id, env, missing: missing.map(({ instance }) => instance), askedAt });
  }
  isWaiting(name: string): boolean {
    return this.waiting.has(name);
  }
}

interface Running extends AsyncDisposable {
  readonly queue: FakeQueue;
  readonly sink: Sink;
  readonly events: ReturnType<typeof createEvents>;
  readonly heard: string[];
  readonly scopes: ScopeTable;
  count(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
}

function start(scopes: readonly Scope[], queue = fakeQueue()): Running {
  const registry = new Registry();
  const heard: string[] = [];
  const sink = new Sink();
  const table = new ScopeTable(scopes);
  const events = createEvents({
    queues: [{ queue, pollers: 2 }],
    scopes: table,
    heard: (scope) => heard.push(scope),
    registry,
    log: silentLogger(),
  });
  const stop = new AbortController();
  const ended = events.run(sink, stop.signal);
  return {
    ...{ queue, sink, events, heard, scopes: table },
    async count(name, labels = {}) {
      const metric = await registry.getSingleMetric(`tagplane_discovery_${name}`)?.get();
      const sum = metric?.values
        .filter((sample) =>
          Object.entries(labels).every(([label, text]) => String(sample.labels[label]) === text),
        )
        .reduce((all, sample) => all + sample.value, 0);
      return sum ?? 0;
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test has ended'));
      await advance(2 * SECOND);
      await ended;
    },
  };
}

let fleet: Fleet;
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: [...VIRTUAL_TIME.doNotFake], now: Date.UTC(2026, 3, 8, 13) });
  fleet = new Fleet();
});
afterEach(() => {
  jest.useRealTimers();
});

const own = (): Scope => fakeScope({ account: ACCOUNT, scanner: fleet.scanner });

let ids = 0;
function changed(instance: DiscoveredInstance, parts: { id?: string; at?: number } = {}): string {
  ids += 1;
  const { id = `event-${ids}`, at = Date.now() } = parts;
  const time = new Date(at).toISOString();
  const tags = { env: instance.tags.get('env') ?? '' };
  return JSON.stringify(tagEvent(['env'], tags, { ...instance.key, id, time }));
}

describe('a tag event', () => {
  it('is described after the settle delay, taken in, and only then deleted', async () => {
    await using running = start([own()]);
    const instance = fleet.set(1, 'prod');
    running.queue.put(changed(instance));
    await advance(SECOND - 1);
    expect([fleet.scanner.described, running.queue.size]).toEqual([[], 1]);
    await advance(300);
    expect(fleet.scanner.described).toEqual([[instance.key.instance]]);
    expect(running.sink.seen).toMatchObject([{ scope: `${ACCOUNT}/${REGION}`, env: ['prod'], missing: [] }]);
    await advance(500);
    expect(running.queue.size).toBe(0);
    expect(running.heard).toEqual([`${ACCOUNT}/${REGION}`]);
    expect(await running.count('event_messages_total', { result: 'taken' })).toBe(1);
  });

  it('and others of a moment are one call, whatever their order and however often they come', async () => {
    await using running = start([own()]);
    const bodies = Array.from({ length: 30 }, (_, number) => changed(fleet.set(number, 'prod')));
    for (const body of [...bodies, ...bodies].toReversed()) running.queue.put(body);
    await advance(3 * SECOND);
    expect(fleet.scanner.described.map((call) => call.length)).toEqual([30]);
    expect(running.queue.size).toBe(0);
    expect(await running.count('event_messages_total', { result: 'duplicate' })).toBe(30);
  });

  it('that CloudTrail tells again, later, needs no second look', async () => {
    await using running = start([own()]);
    const instance = fleet.set(1, 'prod');
    const time = new Date().toISOString();
    running.queue.put(changed(instance));
    await advance(3 * SECOND);
    const requestParameters = {
      resourcesSet: { items: [{ resourceId: instance.key.instance }] },
      tagSet: { items: [{ key: 'env', value: 'prod' }] },
    };
    running.queue.put(JSON.stringify(callEvent('CreateTags', { requestParameters }, { id: 'trail', time })));
    await advance(3 * SECOND);
    expect([fleet.scanner.described.length, running.queue.size]).toEqual([1, 0]);
    expect(await running.count('event_messages_total', { result: 'known' })).toBe(1);
  });

  it('is timed until the auth service has it', async () => {
    await using running = start([own()]);
    const instance = fleet.set(1, 'prod');
    const name = discoveredName(instance.key);
    running.sink.waiting.add(name);
    running.queue.put(changed(instance));
    await advance(2 * SECOND);
    running.events.accepted(name, Date.now());
    running.events.accepted(name, Date.now());
    running.events.accepted('aws-other', Date.now());
    const metric = 'event_lag_seconds';
    expect(await running.count(metric, { until: 'sent', le: '1.5' })).toBe(0);
    expect(await running.count(metric, { until: 'sent', le: '2' })).toBe(1);
    expect(await running.count(metric, { until: 'received', le: '0.5' })).toBe(1);
  });
});

describe('a describe that is older than the event', () => {
  it('is asked again until it has the change', async () => {
    await using running = start([own()]);
    fleet.set(1, 'before');
    running.queue.put(changed(fakeInstance(1, { tags: [['env', 'after']] })));
    await advance(4.5 * SECOND);
    expect(running.sink.seen).toEqual([]);
    expect(running.queue.size).toBe(1);
    fleet.set(1, 'after');
    await advance(4 * SECOND);
    expect(running.sink.seen).toMatchObject([{ env: ['after'] }]);
    expect(running.queue.size).toBe(0);
    expect(await running.count('event_stale_describes_total')).toBe(3);
  });

  it('does not go on for ever: the message is deleted, and what EC2 says is taken', async () => {
    await using running = start([own()]);
    fleet.set(1, 'another');
    running.queue.put(changed(fakeInstance(1, { tags: [['env', 'after']] })));
    await advance(66 * SECOND);
    expect(running.sink.seen).toMatchObject([{ env: ['another'] }]);
    expect(running.queue.size).toBe(0);
    expect(await running.count('event_given_up_total')).toBe(1);
  });

  it('makes a scan doubtful as well, which is followed by a look', async () => {
    await using running = start([own()]);
    const before = fleet.set(1, 'before');
    const after = fleet.set(1, 'after');
    running.queue.put(changed(after));
    await advance(2 * SECOND);
    expect(running.events.isStale(before.key, before, Date.now())).toBe(true);
    expect(running.events.isStale(after.key, after, Date.now())).toBe(false);
    await advance(2 * SECOND);
    expect(fleet.scanner.described).toHaveLength(2);
    expect(running.sink.seen).toHaveLength(2);
    await advance(2 * MINUTE);
    expect(running.events.isStale(before.key, before, Date.now())).toBe(false);
  });
});

describe('what is of no use', () => {
  it.each<[string, () => string, string]>([
    ['malformed', () => '{"hello":', 'malformed'],
    ['another event', () => JSON.stringify({ ...stateEvent('running'), source: 'aws.s3' }), 'ignored'],
    ['another account', () => changed(fakeInstance(1, { account: '999999999999' })), 'foreign'],
    ['another region', () => changed(fakeInstance(1, { region: 'us-east-1' })), 'foreign'],
  ])('%s is deleted and counted', async (_, body, result) => {
    await using running = start([own()]);
    running.queue.put(body());
    await advance(3 * SECOND);
    expect([running.queue.size, fleet.scanner.described.length]).toEqual([0, 0]);
    expect(await running.count('event_messages_total', { result })).toBe(1);
    expect(await running.count('event_messages_total')).toBe(1);
  });
});

describe('a failing EC2', () => {
  it('is asked again, and leaves it to the scans in the end', async () => {
    await using running = start([own()]);
    fleet.answer = () => ({ fail: 'throttled' });
    running.queue.put(changed(fleet.set(1, 'prod')));
    await advance(70 * SECOND);
    expect(fleet.scanner.described).toHaveLength(7);
    expect([running.sink.seen, running.queue.size]).toEqual([[], 0]);
    expect(await running.count('event_describes_total', { result: 'failed' })).toBe(7);
  });

  it('of one set of credentials does not matter while another of the account works', async () => {
    const none = () => [{ instances: [] }];
    const denied = fakeScanner(none, fakeRegion(REGION), () => ({ fail: 'denied' }));
    const credentials = () => Promise.resolve({ accessKeyId: 'a', secretAccessKey: 'b' });
    const other = fakeScope({ account: ACCOUNT, id: 'other', block: 1, credentials, scanner: fleet.scanner });
    const twice = fakeScope({ account: ACCOUNT, id: 'twice', block: 2, credentials, scanner: denied });
    await using running = start([fakeScope({ account: ACCOUNT, scanner: denied }), other, twice]);
    running.queue.put(changed(fleet.set(1, 'prod')));
    await advance(2 * SECOND);
    expect(running.sink.seen).toMatchObject([{ scope: 'other', env: ['prod'] }]);
    expect(denied.described).toHaveLength(1);
  });

  it('and scopes that have gone meanwhile are no harm', async () => {
    await using running = start([own()]);
    running.queue.put(changed(fleet.set(1, 'prod')));
    await advance(500);
    running.scopes.replace([]);
    await advance(70 * SECOND);
    expect([running.sink.seen, running.queue.size]).toEqual([[], 0]);
  });
});

describe('a failing queue', () => {
  it('shows in readiness with the reason, backs off, and comes back by itself', async () => {
    await using running = start([own()]);
    await advance(SECOND);
    running.queue.fail('denied');
    await advance(10 * MINUTE);
    const failures = await running.count('event_receive_failures_total', { kind: 'denied' });
    expect(failures).toBeGreaterThan(10);
    expect(failures).toBeLessThan(150);
    const name = `events ${running.queue.url}`;
    expect(running.events.readiness()).toEqual([
      { name, ready: true, reason: expect.stringContaining('denied') },
    ]);
    running.queue.fail(undefined);
    running.queue.put(changed(fleet.set(1, 'prod')));
    await advance(2 * MINUTE);
    expect(running.events.readiness()).toEqual([{ name, ready: true }]);
    expect(running.sink.seen).toHaveLength(1);
  });
});

describe('the end of a term', () => {
  it('shows what was not taken in to the next one at once', async () => {
    const queue = fakeQueue();
    fleet.set(1, 'prod');
    {
      await using running = start([own()], queue);
      queue.put(changed(fleet.set(1, 'prod')));
      await advance(500);
      expect(running.sink.seen).toEqual([]);
    }
    await using running = start([own()], queue);
    await advance(2 * SECOND);
    expect(running.sink.seen).toHaveLength(1);
    expect(queue.size).toBe(0);
  });

  it('that came as a crash shows it when its time is over', async () => {
    const queue = fakeQueue();
    const { signal } = new AbortController();
    queue.put(changed(fleet.set(1, 'prod')));
    expect(await queue.receive({ max: 10, waitMs: 0, visibilityMs: VISIBILITY_MS }, signal)).toHaveLength(1);
    await using running = start([own()], queue);
    await advance(VISIBILITY_MS - SECOND);
    expect(running.sink.seen).toEqual([]);
    await advance(3 * SECOND);
    expect(running.sink.seen).toHaveLength(1);
  });
});
