import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningSimulator } from '@tagplane/ec2-simulator';
import { createEc2Simulator } from '@tagplane/ec2-simulator';
import { metricSum, runTagctl, tagctlEnv, waitFor } from '@tagplane/harness';
import { startRedis } from '@tagplane/store-redis/testing';
import type { Agent } from '../world/agent.ts';
import type { World } from '../world/world.ts';
import { createWorld } from '../world/world.ts';

const REGIONS = ['eu-central-1', 'us-east-1'];
const AGENTS = 4;
const STEP_MS = 120_000;

interface NodeRow {
  readonly server_id: string;
  readonly connected: boolean;
  readonly labels: Record<string, string>;
  readonly sync: { readonly state: string; readonly revision: string; readonly acked_revision: string };
}

/** What is looked at of an audit event. */
interface AuditLine {
  readonly code: string;
  readonly actor: string;
}

describe.each(['embedded', 'redis'] as const)('the whole path on the %s store', (store) => {
  let ec2: RunningSimulator;
  let world: World;
  let folder: string;
  let redis: Awaited<ReturnType<typeof startRedis>> | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tagplane-smoke-'));
    ec2 = await createEc2Simulator({ instances: 12, regions: REGIONS }).listen();
    redis = store === 'redis' ? await startRedis() : undefined;
    world = await createWorld({
      redisUrl: redis?.url,
      auths: store === 'redis' ? 2 : 1,
      ec2Url: ec2.url,
      regions: REGIONS,
      pollInterval: '1s',
      places: REGIONS.flatMap((region) =>
        ec2.fleet
          .list({ region, limit: AGENTS / REGIONS.length })
          .map(({ account, id }) => ({ account, region, instance: id })),
      ),
    });
    await world.start();
  }, STEP_MS);

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await redis?.stop();
    await ec2.close();
    await rm(folder, { recursive: true, force: true });
  }, STEP_MS);

  const agent = (index: number): Agent => {
    const found = world.agents[index];
    if (found === undefined) throw new RangeError(`there is no agent ${index}`);
    return found;
  };

  const tagctl = async (...args: string[]): Promise<{ code: number | null; text: string }> => {
    // The last auth: on Redis another one than discovery speaks to.
    const env = tagctlEnv({ port: world.authPorts.at(-1) ?? 0, credentialFile: world.credentialFile });
    const { code, output } = await runTagctl(args, env);
    return { code, text: output.join('\n') };
  };

  const nodes = async (): Promise<NodeRow[]> => {
    const { code, text } = await tagctl('nodes', 'ls', '--format', 'json');
    expect(code).toBe(0);
    return JSON.parse(text) as NodeRow[];
  };

  it(
    'labels every agent with its own instance tags, and tagctl says SYNCED',
    async () => {
      for (const one of world.agents) {
        const { region, instance } = one.place;
        const expected = new Map(ec2.fleet.get({ region, id: instance }).tags);
        await waitFor(
          `${one.service.name} has its tags`,
          async () => {
            expect(await one.tags()).toEqual(expected);
            return true;
          },
          { timeoutMs: STEP_MS },
        );
      }
      await waitFor(
        'all nodes are SYNCED',
        async () => {
          const rows = await nodes();
          expect(rows.map((row) => [row.connected, row.sync.state])).toEqual(
            world.agents.map(() => [true, 'SYNCED']),
          );
          expect(rows.every((row) => row.sync.revision === row.sync.acked_revision)).toBe(true);
          return true;
        },
        { timeoutMs: STEP_MS, everyMs: 500 },
      );
    },
    STEP_MS,
  );

  it('writes who joined as what to the audit files', async () => {
    const texts = await Promise.all(world.auditFiles.map((file) => readFile(file, 'utf8').catch(() => '')));
    const events = texts
      .flatMap((text) => text.split('\n'))
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as AuditLine);
    const joined = events.filter(({ code }) => code === 'join.ok').map(({ actor }) => actor);
    const agents = world.agents.map(({ service }) => `agent/${service.name}`);
    expect(joined.sort()).toEqual([...agents, 'discovery/e2e'].sort());
  });

  it(
    'has an agent back after kill -9, without a token',
    async () => {
      const restarted = agent(2);
      const { service } = restarted;
      await service.kill();
      await service.start();
      await waitFor(
        'it is connected, as it says itself',
        async () => metricSum(await service.metrics(), 'tagplane_agent_connected') === 1,
        { timeoutMs: STEP_MS },
      );
      expect((await restarted.tags()).size).toBeGreaterThan(0);
    },
    STEP_MS,
  );

  it(
    'brings a changed, a new and a removed tag to the agent',
    async () => {
      const { region, instance } = agent(0).place;
      ec2.fleet.changeTags(
        { region, id: instance },
        {
          set: new Map([
            ['env', 'changed'],
            ['🙂', ''],
          ]),
          unset: ['team'],
        },
      );
      await waitFor('the agent has the new tags', async () => {
        const tags = await agent(0).tags();
        return tags.get('env') === 'changed' && tags.get('🙂') === '' && !tags.has('team');
      });
    },
    STEP_MS,
  );

  it(
    'takes the labels of a terminated instance away',
    async () => {
      const { region, instance } = agent(1).place;
      ec2.fleet.terminate({ region, id: instance });
      await waitFor('the agent has no tags', async () => (await agent(1).tags()).size === 0, {
        timeoutMs: STEP_MS,
      });
    },
    STEP_MS,
  );

  it(
    "gives a node an operator's labels, and takes them away again",
    async () => {
      const file = join(folder, 'label.yaml');
      await writeFile(
        file,
        [
          'kind: server_info',
          'metadata: { name: oncall }',
          'spec:',
          '  match: { server_id: node-1 }',
          '  labels: { dynamic/oncall: "yes" }',
          '',
        ].join('\n'),
      );
      expect(await tagctl('create', file)).toMatchObject({ code: 0 });
      const held = async (): Promise<string | undefined> =>
        (await nodes()).find((row) => row.server_id === 'node-1')?.labels['dynamic/oncall'];
      await waitFor('the node acknowledged it', async () => (await held()) === 'yes', { everyMs: 300 });
      expect(await tagctl('create', file)).toMatchObject({ code: 1 });
      expect(await tagctl('server-infos', 'rm', 'oncall')).toMatchObject({ code: 0 });
      await waitFor('it is gone', async () => (await held()) === undefined, { everyMs: 300 });
    },
    STEP_MS,
  );

  it(
    "gives an operator's labels to the nodes that a selector picks, and follows their tags",
    async () => {
      const { region, instance } = agent(3).place;
      const retag = (change: { set?: ReadonlyMap<string, string>; unset?: readonly string[] }): void => {
        ec2.fleet.changeTags({ region, id: instance }, change);
      };
      const picked = async (...selector: string[]): Promise<string[]> => {
        const { text } = await tagctl('nodes', 'ls', '--format', 'json', ...selector);
        const rows = JSON.parse(text) as NodeRow[];
        return rows.filter((row) => row.labels['dynamic/picked'] === 'yes').map((row) => row.server_id);
      };
      const set = await tagctl(
        'label',
        'set',
        '--selector',
        'aws/pick=me*',
        'dynamic/picked=yes',
        '--no-wait',
      );
      expect(set).toMatchObject({ code: 0 });
      expect(await picked()).toEqual([]);
      retag({ set: new Map([['pick', 'me too']]) });
      await waitFor('the node is picked', async () => (await picked()).length > 0, { everyMs: 300 });
      expect(await picked()).toEqual(['node-4']);
      expect(await picked('--selector', 'dynamic/picked=yes, aws/pick=^me .*$')).toEqual(['node-4']);
      expect(await picked('--selector', 'aws/pick=other')).toEqual([]);
      retag({ unset: ['pick'] });
      await waitFor('it is picked no more', async () => (await picked()).length === 0, { everyMs: 300 });
    },
    STEP_MS,
  );

  it('serves every metric that the documentation names', async () => {
    const text = await readFile(new URL('../../../docs/operating.md', import.meta.url), 'utf8');
    const named = new Set([...text.matchAll(/`((?:tagplane|nodejs)_\w+)`/g)].map(([, name = '']) => name));
    const services = [...world.auths, world.discovery, agent(0).service];
    const metrics = (await Promise.all(services.map((service) => service.metrics()))).join('\n');
    expect(named.size).toBeGreaterThan(15);
    expect([...named].filter((name) => !metrics.includes(`# TYPE ${name} `))).toEqual([]);
  });

  it(
    'stops every service cleanly',
    async () => {
      const services = [...world.agents.map((one) => one.service), world.discovery, ...world.auths];
      const codes: (number | null)[] = [];
      for (const service of services) codes.push(await service.stop());
      expect(codes).toEqual(services.map(() => 0));
    },
    STEP_MS,
  );
});
