import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { connectRedis, createRedisStore } from '@tagplane/store-redis';
import { startRedis } from '@tagplane/store-redis/testing';
import type { Put, Store } from '@tagplane/store';
import fc from 'fast-check';
import { FakeAgent } from '../testing/fake-agent.ts';
import { discovered, put, remove, selecting } from '../testing/fleet.ts';
import { arbitraryName, arbitraryPut, infosOf, plainLabels } from '../testing/plain-labels.ts';
import { testPlane, until } from '../testing/test-plane.ts';
import type { TestPlane } from '../testing/test-plane.ts';

jest.setTimeout(120_000);

let redis: Awaited<ReturnType<typeof startRedis>>;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
});

let opened = 0;

/** Stores of their own in the same Redis, and the auth processes over them. */
function open() {
  const stack = new AsyncDisposableStack();
  const connection = stack.use(connectRedis(redis.url));
  opened += 1;
  const store = (kind: string): Store =>
    stack.use(createRedisStore(connection, { kind: `${kind}-${opened}` }));
  const stores = { serverInfos: store('server-info'), nodes: store('node') };
  const plane = (authId: string): TestPlane => testPlane(stores, { authId });
  return { stores, plane, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const TAGS = [{ team: 'db' }, { team: 'web', env: 'prod' }, { env: 'prod' }];

function dynamicOf(agent: FakeAgent): Record<string, string> {
  const labels = Object.entries(agent.labels).filter(([key]) => key.startsWith('dynamic/'));
  return Object.fromEntries(labels.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

describe('labels by selector over Redis', () => {
  it('take themselves back when their ServerInfo runs out', async () => {
    await using cluster = open();
    await using auth = cluster.plane('auth-1');
    const { serverInfos } = cluster.stores;
    await put(serverInfos, discovered(1, { team: 'db' }));
    const agent = new FakeAgent('s1', { runsOn: 1 }).connect(auth.plane);
    await until(() => agent.labels['aws/team'] === 'db', 'the tags');
    await put(serverInfos, { ...selecting('a', 'aws/team=db', { tier: 'back' }), ttlMs: 1_500 });
    await until(() => agent.labels['dynamic/tier'] === 'back', 'the label of the selector');
    await until(() => agent.labels['dynamic/tier'] === undefined, 'its end');
    expect(agent.labels).toEqual({ 'aws/team': 'db' });
  });

  it('are what a plain evaluation says on every auth process, after any writes and a restart', async () => {
    type Step = { readonly put: Put } | { readonly removed: string } | 'restart';
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 8, arbitrary: arbitraryPut.map((item) => ({ put: item })) },
      { weight: 3, arbitrary: arbitraryName.map((name) => ({ removed: `assigned/${name}` })) },
      { weight: 1, arbitrary: fc.constant('restart' as const) },
    );
    const property = fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 20 }), async (steps) => {
      await using cluster = open();
      const { serverInfos } = cluster.stores;
      await put(serverInfos, ...TAGS.map((tags, index) => discovered(index + 1, tags)));
      await using first = cluster.plane('auth-1');
      let second = cluster.plane('auth-2');
      const agents = TAGS.map((_, index) => new FakeAgent(`s${index + 1}`, { runsOn: index + 1 }));
      const live = new Map<string, Put>();
      for (const [index, agent] of agents.entries()) agent.connect((index === 1 ? second : first).plane);
      for (const each of steps) {
        if (each === 'restart') {
          await second[Symbol.asyncDispose]();
          agents[1]?.session?.end();
          second = cluster.plane('auth-2');
          agents[1]?.connect(second.plane);
        } else if ('put' in each) {
          await put(serverInfos, each.put);
          live.set(each.put.key, each.put);
        } else {
          await remove(serverInfos, each.removed);
          live.delete(each.removed);
        }
      }
      const infos = infosOf([...live.values()]);
      for (const [index, agent] of agents.entries()) {
        const aws = new Map(Object.entries(TAGS[index] ?? {}).map(([key, value]) => [`aws/${key}`, value]));
        const expected = plainLabels(infos, { serverId: agent.serverId, number: index + 1, aws });
        const same = () => JSON.stringify(dynamicOf(agent)) === JSON.stringify(expected);
        await until(
          same,
          `${agent.serverId} holds ${JSON.stringify(expected)}, has ${JSON.stringify(agent.labels)}`,
        );
      }
      await second[Symbol.asyncDispose]();
    });
    await fc.assert(property, { numRuns: 12, endOnFailure: true });
  });
});
