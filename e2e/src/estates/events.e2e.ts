import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventFeedOptions, RunningSimulator } from '@tagplane/ec2-simulator';
import { createEc2Simulator } from '@tagplane/ec2-simulator';
import { metricSum, waitFor } from '@tagplane/harness';
import type { World } from '../world/world.ts';
import { createWorld } from '../world/world.ts';

const REGION = 'eu-central-1';
const QUEUE = { name: 'tagplane', account: '123456789012', region: REGION };
const STEP_MS = 180_000;
/** No scan but the first one: what arrives came by an event. */
const NO_POLL = '20m';

let ec2: RunningSimulator;
let world: World;

beforeAll(async () => {
  // Describes are up to three seconds behind what happened, and a fifth of them as much again.
  const consistency = { lagMs: 3_000, staleReads: 0.2 };
  ec2 = await createEc2Simulator({ instances: 20, regions: [REGION], consistency }).listen();
  startFeed();
  // So that discovery finds out whose credentials it has, and with them whose events are its own.
  ec2.sts.register({
    ...{
      account: QUEUE.account,
      arn: `arn:aws:iam::${QUEUE.account}:user/discovery`,
      userId: 'AIDADISCOVERY',
    },
    ...{ accessKeyId: 'testing', secretAccessKey: 'testing', sessionToken: '' },
  });
  const [first] = ec2.fleet.list({ region: REGION });
  if (first === undefined) throw new Error('the fleet is empty');
  const queue = `${ec2.url}/${QUEUE.account}/${QUEUE.name}`;
  world = await createWorld({
    redisUrl: undefined,
    auths: 1,
    ec2Url: ec2.url,
    regions: [REGION],
    pollInterval: NO_POLL,
    places: [{ account: first.account, region: REGION, instance: first.id }],
    discoveries: [{ name: 'e2e', settings: { EVENTS: JSON.stringify([{ queue, region: REGION }]) } }],
  });
  await world.start();
  await hasTags(tagsOfFleet());
}, STEP_MS);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await ec2.close();
}, STEP_MS);

afterEach(() => {
  startFeed();
});

function startFeed(options: Partial<EventFeedOptions> = {}): void {
  ec2.events.start({ queue: QUEUE, delayMs: 300, ...options });
}

const place = () => world.agents[0]?.place ?? { account: '', region: '', instance: '' };
const tagsOfFleet = () => ec2.fleet.get({ region: REGION, id: place().instance }).tags;

function change(set: Readonly<Record<string, string>>, unset: readonly string[] = []): void {
  const tags = new Map(Object.entries(set));
  ec2.fleet.changeTags({ region: REGION, id: place().instance }, { set: tags, unset });
}

/** Waits until the agent holds these. */
async function hasTags(expected: ReadonlyMap<string, string>): Promise<void> {
  await waitFor(
    'the agent has the tags',
    async () => {
      expect(await world.agents[0]?.tags()).toEqual(expected);
      return true;
    },
    { timeoutMs: STEP_MS },
  );
}

async function metric(name: string, containing?: string): Promise<number> {
  return metricSum(await world.discovery.metrics(), `tagplane_discovery_${name}`, containing);
}

/** Messages that are not deleted. */
const left = (): number => ec2.queues.get(QUEUE).bodies().length;

async function settles(): Promise<void> {
  await waitFor('the queue is empty', () => left() === 0 && ec2.events.report().pending === 0, {
    timeoutMs: STEP_MS,
  });
}

describe('events over the real SDK and real processes', () => {
  it(
    'a tag that is set, changed and removed reaches its agent without a scan',
    async () => {
      const scans = await metric('scans_total');
      change({ 'events/set': 'one' });
      await hasTags(tagsOfFleet());
      change({ 'events/set': 'two' });
      await hasTags(tagsOfFleet());
      change({}, ['events/set']);
      await hasTags(tagsOfFleet());
      await settles();
      expect(await metric('scans_total')).toBe(scans);
      expect(await metric('changes_total', 'source="event"')).toBeGreaterThanOrEqual(3);
      expect(await metric('event_lag_seconds_count', 'until="sent"')).toBeGreaterThanOrEqual(3);
    },
    STEP_MS,
  );

  it(
    'describes that are older than the event change nothing, and are repeated',
    async () => {
      for (let turn = 0; turn < 5; turn += 1) {
        change({ 'events/turn': `${turn}` });
        await hasTags(tagsOfFleet());
      }
      expect(await metric('event_stale_describes_total')).toBeGreaterThan(0);
      expect(await metric('event_given_up_total')).toBe(0);
    },
    STEP_MS,
  );

  it(
    'events that come twice and overtake each other end in the last one',
    async () => {
      startFeed({ duplicate: 0.5, jitterMs: 1_500 });
      for (let turn = 0; turn < 30; turn += 1) change({ 'events/turn': `again ${turn}` });
      await hasTags(tagsOfFleet());
      await settles();
      await hasTags(tagsOfFleet());
      expect(await metric('event_messages_total', 'result="duplicate"')).toBeGreaterThan(0);
    },
    STEP_MS,
  );

  it(
    'foreign and malformed messages are counted, deleted, and in nobody’s way',
    async () => {
      ec2.events.sendForeign(30);
      ec2.events.sendMalformed(30);
      change({ 'events/after': 'the flood' });
      await hasTags(tagsOfFleet());
      await settles();
      expect(await metric('event_messages_total', 'result="foreign"')).toBe(20);
      expect(await metric('event_messages_total', 'result="ignored"')).toBe(10);
      expect(await metric('event_messages_total', 'result="malformed"')).toBe(30);
    },
    STEP_MS,
  );

  it(
    'a discovery that dies in the middle loses nothing',
    async () => {
      change({ 'events/crash': 'before' });
      await waitFor('the event is in the queue', () => left() > 0, { timeoutMs: STEP_MS });
      await world.discovery.kill();
      change({ 'events/crash': 'while it was away' });
      await world.discovery.start();
      await world.discovery.ready(STEP_MS);
      await hasTags(tagsOfFleet());
    },
    STEP_MS,
  );

  it(
    'what no event told of comes with the next scan, and a queue that is gone does not stop the scans',
    async () => {
      startFeed({ drop: 1 });
      ec2.queues.delete(QUEUE);
      await world.discovery.stop();
      await world.discovery.start({ POLL_INTERVAL: '1s' });
      await world.discovery.ready(STEP_MS);
      change({ 'events/lost': 'yes' });
      await hasTags(tagsOfFleet());
      expect(await metric('changes_total', 'source="poll"')).toBeGreaterThan(0);
      const url = `http://127.0.0.1:${world.discovery.diagnosticsPort}/readyz`;
      await waitFor(
        'readiness tells of the queue',
        async () => {
          const answer = await fetch(url);
          expect(answer.status).toBe(200);
          expect(await answer.text()).toMatch(/QueueDoesNotExist|NonExistentQueue/);
          return true;
        },
        { timeoutMs: STEP_MS },
      );
      // An instance that ends is told by the scan as well: its agent keeps nothing.
      ec2.fleet.setState({ region: REGION, id: place().instance }, 'terminated');
      await hasTags(new Map());
    },
    STEP_MS,
  );
});
