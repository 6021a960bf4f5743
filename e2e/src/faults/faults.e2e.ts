import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningSimulator } from '@tagplane/ec2-simulator';
import { createEc2Simulator } from '@tagplane/ec2-simulator';
import { waitFor } from '@tagplane/harness';
import type { Operator } from '@tagplane/harness';
import { startRedis } from '@tagplane/store-redis/testing';
import type { Agent, AgentPlace } from '../world/agent.ts';
import type { World } from '../world/world.ts';
import { createWorld } from '../world/world.ts';
import { churnTags } from './churn.ts';
import { History, canonical } from './history.ts';
import { watchAgents } from './monitor.ts';

const REGIONS = ['eu-central-1', 'us-east-1'];
const INSTANCES = 40;
const AGENTS = 10;
const KINDS = [
  'agent',
  'auth',
  'discovery',
  'redis',
  'redis emptied',
  'redis emptied, no auth running',
] as const;
const FAULTS_FOR_MS = 60_000;
/** A restarted auth's agents come back within 90 s; an emptied store is filled again in 8 s. */
const SETTLE_MS = 240_000;

let ec2: RunningSimulator;
let redis: Awaited<ReturnType<typeof startRedis>>;
let world: World;
const history = new History();

beforeAll(async () => {
  ec2 = await createEc2Simulator({ instances: INSTANCES, regions: REGIONS }).listen();
  redis = await startRedis({ appendonly: true });
  const places = REGIONS.flatMap((region) =>
    ec2.fleet
      .list({ region, limit: AGENTS / REGIONS.length })
      .map(({ account, id }): AgentPlace => ({ account, region, instance: id })),
  );
  for (const { region, instance } of places) {
    history.record(instance, ec2.fleet.get({ region, id: instance }).tags);
  }
  world = await createWorld({
    redisUrl: redis.url,
    auths: 2,
    ec2Url: ec2.url,
    regions: REGIONS,
    pollInterval: '1s',
    places,
    // Every instance is changed all the time, and discovery forgets which ones it changed when it is killed.
    authSettings: { GUARD_ENABLED: 'false' },
  });
  await world.start();
  await everyAgentAgrees();
}, 180_000);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await redis.stop();
  await ec2.close();
}, 60_000);

describe('kill -9 of every part at random, while tags change', () => {
  it(
    'never gives an agent labels that its instance never had, and ends with every agent right',
    async () => {
      const seed = Date.now() % 1_000_000;
      const random = seededRandom(seed);
      const monitor = watchAgents(world.agents, history);
      const places = world.agents.map((agent) => agent.place);
      const churn = churnTags({ ec2, places, history, random });
      const killed = await breakThings(random);
      const changes = await churn.stop();
      await everyAgentAgrees();
      await monitor.done();
      process.stdout.write(
        `${JSON.stringify({ seed, killed, changes, answers: monitor.answers(), wrong: monitor.wrong.length })}\n`,
      );
      expect(monitor.wrong).toEqual([]);
      expect(Object.keys(killed).sort()).toEqual(KINDS);
      expect(monitor.answers()).toBeGreaterThan(1_000);
      expect(await pinsOfAuths()).toEqual(world.auths.map(() => [world.caPin]));
    },
    FAULTS_FOR_MS + SETTLE_MS + 60_000,
  );
});

describe('a store that is emptied under running auths', () => {
  it(
    'has their locks again, and a locked agent stays out of each of them',
    async () => {
      const [agent, auth] = [pick(world.agents, () => 0), pick(world.auths, () => 0)];
      using operator = world.operator(world.auths.length - 1);
      const target = { case: 'agent', value: agent.service.name } as const;
      const { lock } = await operator.locks.addLock({ target: { target } });
      if (lock === undefined) throw new Error('no lock');
      await waitFor('the locked agent is cut', async () => !(await connected(operator, agent)));
      await killRedis(() => 0, true);
      await auth.kill();
      await auth.start();
      await auth.ready();
      using restarted = world.operator(0);
      await waitFor('the auth that knew nothing has the lock', async () => {
        const { locks } = await restarted.locks.listLocks({});
        return locks.some(({ id }) => id === lock.id);
      });
      const others = world.agents.filter((each) => each !== agent);
      const back = () => Promise.all(others.map((each) => connected(operator, each)));
      await waitFor('the others are back', async () => (await back()).every(Boolean), {
        timeoutMs: SETTLE_MS,
        everyMs: 200,
      });
      expect(await connected(operator, agent)).toBe(false);
      await operator.locks.removeLock({ id: lock.id });
      await waitFor('the agent is back', () => connected(operator, agent), {
        timeoutMs: SETTLE_MS,
        everyMs: 200,
      });
    },
    2 * SETTLE_MS,
  );
});

async function connected(operator: Operator, agent: Agent): Promise<boolean> {
  const nodes = await operator.listNodes();
  return nodes.some(({ serverId, connected: is }) => serverId === agent.service.name && is);
}

/** What each auth signs with and trusts, as it says itself. */
async function pinsOfAuths(): Promise<string[][]> {
  return await Promise.all(
    world.auths.map(async (_, index) => {
      using operator = world.operator(index);
      const { authorities } = await operator.ca.getCaStatus({});
      return authorities.map(({ pin }) => pin);
    }),
  );
}

/** Kills something every few seconds and starts it again; resolves to how often what was killed. */
async function breakThings(random: () => number): Promise<Record<string, number>> {
  const killed: Record<string, number> = {};
  const faults: Record<(typeof KINDS)[number], () => Promise<void>> = {
    discovery: () => killAndStart(world.discovery, random),
    auth: () => killAndStart(pick(world.auths, random), random),
    agent: () => killAndStart(pick(world.agents, random).service, random),
    redis: () => killRedis(random, false),
    'redis emptied': () => killRedis(random, true),
    'redis emptied, no auth running': () => killControlPlane(random),
  };
  const end = performance.now() + FAULTS_FOR_MS;
  // Each kind comes up once in every round, in random order.
  while (performance.now() < end) {
    for (const kind of shuffled(KINDS, random)) {
      await delay(500 + random() * 2_500);
      await faults[kind]();
      killed[kind] = (killed[kind] ?? 0) + 1;
    }
  }
  return killed;
}

async function killAndStart(
  service: { kill(): Promise<void>; start(): Promise<void> },
  random: () => number,
): Promise<void> {
  await service.kill();
  await delay(random() * 1_000);
  await service.start();
}

async function killRedis(random: () => number, empty: boolean): Promise<void> {
  await redis.kill();
  await delay(random() * 1_000);
  await redis.restart({ empty });
}

/** Then the authority is in no memory and no store: only beside the key file. */
async function killControlPlane(random: () => number): Promise<void> {
  await Promise.all(world.auths.map((auth) => auth.kill()));
  await killRedis(random, true);
  await Promise.all(world.auths.map((auth) => auth.start()));
}

async function everyAgentAgrees(): Promise<void> {
  await Promise.all(world.agents.map(agrees));
}

async function agrees(agent: Agent): Promise<void> {
  await waitFor(
    `${agent.service.name} agrees with EC2`,
    async () => {
      const { region, instance } = agent.place;
      expect(canonical(await agent.tags())).toBe(canonical(ec2.fleet.get({ region, id: instance }).tags));
      return true;
    },
    { timeoutMs: SETTLE_MS, everyMs: 100 },
  );
}

/** mulberry32: a small generator whose sequence a seed repeats. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function pick<Item>(items: readonly Item[], random: () => number): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new RangeError('nothing to pick from');
  return item;
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
