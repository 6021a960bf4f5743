import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startMoto } from '@tagplane/ec2/testing';
import type { Moto } from '@tagplane/ec2/testing';
import { waitFor } from '@tagplane/harness';
import { startRedis } from '@tagplane/store-redis/testing';
import type { Agent } from '../world/agent.ts';
import type { World } from '../world/world.ts';
import { createWorld } from '../world/world.ts';
import type { Boto3, Boto3Call } from './boto3.ts';
import { startBoto3 } from './boto3.ts';
import { NASTY_TAGS, fiftyTags } from './nasty-tags.ts';

const REGIONS = ['eu-central-1', 'us-east-1'] as const;
const INSTANCES_PER_REGION = 600;
const AGENTS = 25;
/** moto's own account. */
const ACCOUNT = '123456789012';
/** A scan of moto takes seconds; the first round also waits for 1,200 instances at 5 a second. */
const SETTLE_MS = 600_000;

let moto: Moto;
let boto3: Boto3;
let world: World;
let redis: Awaited<ReturnType<typeof startRedis>>;

beforeAll(async () => {
  [moto, redis] = await Promise.all([startMoto(), startRedis()]);
  boto3 = await startBoto3(moto.url);
  const ids = await createFleet();
  const places = Array.from({ length: AGENTS }, (_, index) => {
    const region = REGIONS[index % REGIONS.length] ?? REGIONS[0];
    // Spread over the whole fleet, so that agents sit on every page of both regions.
    const instance = ids.get(region)?.[Math.floor((index / AGENTS) * INSTANCES_PER_REGION)] ?? '';
    return { account: ACCOUNT, region, instance };
  });
  await tagPlaces(places);
  world = await createWorld({
    redisUrl: redis.url,
    auths: 1,
    ec2Url: moto.url,
    regions: REGIONS,
    pollInterval: '5s',
    places,
  });
  await world.start();
}, SETTLE_MS);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await moto.stop();
  await redis.stop();
}, 60_000);

describe('against moto, with boto3 as the judge', () => {
  it(
    'every agent holds exactly the tags that boto3 sees',
    async () => {
      await everyAgentAgrees();
      const first = await agent(0).tags();
      expect(first.size).toBe(50);
      expect(first.get('__proto__')).toBe('polluted');
    },
    SETTLE_MS,
  );

  it(
    'changed and removed tags reach the agents',
    async () => {
      await boto3.call([
        tagging(agent(1), 'create_tags', [
          ['env', 'changed'],
          ['__proto__', 'changed too'],
        ]),
        tagging(agent(2), 'delete_tags', [['Patch Group']]),
        tagging(agent(3), 'create_tags', [['new key', '']]),
      ]);
      await everyAgentAgrees();
      expect((await agent(1).tags()).get('__proto__')).toBe('changed too');
      expect((await agent(2).tags()).has('Patch Group')).toBe(false);
      expect((await agent(3).tags()).get('new key')).toBe('');
    },
    SETTLE_MS,
  );

  it(
    'an instance that loses all its tags loses all its labels',
    async () => {
      const held = await agent(4).tags();
      expect(held.size).toBeGreaterThan(0);
      await boto3.call([
        tagging(
          agent(4),
          'delete_tags',
          [...held.keys()].map((key) => [key]),
        ),
      ]);
      await everyAgentAgrees();
      expect((await agent(4).tags()).size).toBe(0);
    },
    SETTLE_MS,
  );

  it(
    'a terminated instance has no labels, and the others keep theirs',
    async () => {
      expect((await agent(5).tags()).size).toBeGreaterThan(0);
      const { region, instance } = agent(5).place;
      await boto3.call([{ region, method: 'terminate_instances', arguments: { InstanceIds: [instance] } }]);
      await waitFor('the terminated instance has no labels', async () => (await agent(5).tags()).size === 0, {
        timeoutMs: SETTLE_MS,
      });
      await everyAgentAgrees();
    },
    SETTLE_MS,
  );
});

async function createFleet(): Promise<Map<string, string[]>> {
  const answers = await boto3.call(
    REGIONS.map((region) => ({
      region,
      method: 'run_instances',
      arguments: {
        ImageId: 'ami-12345678',
        MinCount: INSTANCES_PER_REGION,
        MaxCount: INSTANCES_PER_REGION,
        TagSpecifications: [
          {
            ResourceType: 'instance',
            Tags: [
              { Key: 'env', Value: 'prod' },
              { Key: 'empty', Value: '' },
            ],
          },
        ],
      },
    })),
  );
  return new Map(
    (answers as { Instances: { InstanceId: string }[] }[]).map(({ Instances }, index) => [
      REGIONS[index] ?? '',
      Instances.map(({ InstanceId }) => InstanceId),
    ]),
  );
}

/** The first agent's instance gets 50 tags; the others a nasty few of their own. */
async function tagPlaces(places: readonly Agent['place'][]): Promise<void> {
  await boto3.call(
    places.flatMap((place, index) =>
      index === 0
        ? [
            tagging({ place }, 'delete_tags', [['env'], ['empty']]),
            tagging({ place }, 'create_tags', fiftyTags()),
          ]
        : [
            tagging({ place }, 'create_tags', [
              ...NASTY_TAGS.slice(0, 3),
              ['number', String(index)],
              NASTY_TAGS[index % NASTY_TAGS.length] ?? ['', ''],
            ]),
          ],
    ),
  );
}

function tagging(
  { place }: Pick<Agent, 'place'>,
  method: 'create_tags' | 'delete_tags',
  tags: readonly (readonly string[])[],
): Boto3Call {
  const unique = new Map(tags.map(([key = '', value]) => [key, value]));
  return {
    region: place.region,
    method,
    arguments: {
      Resources: [place.instance],
      Tags: [...unique].map(([Key, Value]) => (Value === undefined ? { Key } : { Key, Value })),
    },
  };
}

function agent(index: number): Agent {
  const found = world.agents[index];
  if (found === undefined) throw new RangeError(`there is no agent ${index}`);
  return found;
}

/** Waits until each agent's labels equal boto3's view of its instance; the last difference is the error. */
async function everyAgentAgrees(): Promise<void> {
  const views = new Map(
    await Promise.all(REGIONS.map(async (region) => [region, await boto3.view(region)] as const)),
  );
  for (const one of world.agents) {
    const { region, instance } = one.place;
    const seen = views.get(region as (typeof REGIONS)[number])?.get(instance);
    if (seen === undefined) throw new Error(`boto3 does not see ${instance}`);
    const expected = seen.state === 'terminated' ? new Map<string, string>() : seen.tags;
    await waitFor(
      `${one.service.name} agrees with boto3`,
      async () => {
        expect(sorted(await one.tags())).toEqual(sorted(expected));
        return true;
      },
      { timeoutMs: SETTLE_MS, everyMs: 200 },
    );
  }
}

function sorted(tags: ReadonlyMap<string, string>): [string, string][] {
  return [...tags].sort(([a], [b]) => (a < b ? -1 : 1));
}
