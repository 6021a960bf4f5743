import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningSimulator } from '@tagplane/ec2-simulator';
import { createEc2Simulator } from '@tagplane/ec2-simulator';
import { metricSum, runTagctl, tagctlEnv, waitFor } from '@tagplane/harness';
import type { World } from '../world/world.ts';
import { createWorld } from '../world/world.ts';

const REGION = 'eu-central-1';
const INSTANCES = 30;
const STEP_MS = 180_000;

interface HoldRow {
  readonly id: string;
  readonly scope: string;
  readonly state: string;
  readonly nodes_changed: number;
  readonly nodes_total: number;
}

let ec2: RunningSimulator;
let world: World;
/** What the instances had at first, by id. */
let before: ReadonlyMap<string, ReadonlyMap<string, string>>;

beforeAll(async () => {
  ec2 = await createEc2Simulator({ instances: INSTANCES, regions: [REGION] }).listen();
  const fleet = ec2.fleet.list({ region: REGION });
  before = new Map(fleet.map(({ id, tags }) => [id, tags]));
  world = await createWorld({
    redisUrl: undefined,
    auths: 1,
    ec2Url: ec2.url,
    regions: [REGION],
    pollInterval: '1s',
    places: fleet.slice(0, 2).map(({ account, id }) => ({ account, region: REGION, instance: id })),
    // Two agents are enough to be many.
    authSettings: { GUARD_NODES: '2' },
  });
  await world.start();
  await waitFor('both agents have their tags', async () => (await tagCounts()).every((count) => count > 0), {
    timeoutMs: STEP_MS,
  });
  const all = async (): Promise<boolean> =>
    metricSum(await world.discovery.metrics(), 'tagplane_discovery_known_server_infos') === INSTANCES;
  await waitFor('all instances are known', all, { timeoutMs: STEP_MS });
}, STEP_MS);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await ec2.close();
}, STEP_MS);

async function tagCounts(): Promise<number[]> {
  return await Promise.all(world.agents.map(async (agent) => (await agent.tags()).size));
}

async function tagctl(...args: string[]): Promise<string> {
  const env = tagctlEnv({ port: world.authPorts[0] ?? 0, credentialFile: world.credentialFile });
  return (await runTagctl(args, env)).output.join('\n');
}

async function waiting(): Promise<HoldRow[]> {
  const rows = JSON.parse(await tagctl('guard', 'ls', '--format', 'json')) as HoldRow[];
  return rows.filter(({ state }) => state.toLowerCase() === 'held');
}

async function firstWaiting(): Promise<HoldRow> {
  let rows: HoldRow[] = [];
  const found = async (): Promise<boolean> => {
    rows = await waiting();
    return rows.length === 1;
  };
  await waitFor('a change waits', found, { timeoutMs: STEP_MS, everyMs: 500 });
  const [row] = rows;
  if (row === undefined) throw new Error('there was one just now');
  return row;
}

const scans = async (): Promise<number> =>
  metricSum(await world.discovery.metrics(), 'tagplane_discovery_scans_total');

/** So that what a scan leads to has had its time. */
async function moreScans(count: number): Promise<void> {
  const until = (await scans()) + count;
  await waitFor('more scans', async () => (await scans()) >= until, { timeoutMs: STEP_MS });
}

function stripTags(): void {
  for (const id of before.keys()) ec2.fleet.replaceTags({ region: REGION, id }, new Map());
}

function restoreTags(): void {
  for (const [id, tags] of before) ec2.fleet.replaceTags({ region: REGION, id }, tags);
}

describe('a scan that finds all tags gone', () => {
  it(
    'is held: the agents keep their labels, and everybody is told',
    async () => {
      stripTags();
      const hold = await firstWaiting();
      expect(hold).toMatchObject({ nodes_changed: INSTANCES, nodes_total: INSTANCES });
      await moreScans(3);
      expect((await tagCounts()).every((count) => count > 0)).toBe(true);
      expect(await waiting()).toHaveLength(1);
      expect(await tagctl('status')).toContain(`tagctl guard release ${hold.id}`);
      expect(await tagctl('explain', 'node-1')).toContain(hold.id);
      const audit = await readFile(world.auditFiles[0] ?? '', 'utf8');
      expect(audit.split('\n').filter((line) => line.includes('"guard.held"'))).toHaveLength(1);
      const metrics = await world.auths[0]?.metrics();
      expect(metrics).toContain('tagplane_auth_guard_holds{state="held"} 1');
    },
    STEP_MS,
  );

  it(
    'is forgotten when the tags are back',
    async () => {
      restoreTags();
      const none = async (): Promise<boolean> => (await waiting()).length === 0;
      await waitFor('nothing waits', none, { timeoutMs: STEP_MS, everyMs: 500 });
      expect(await tagctl('status')).not.toContain('guard release');
      expect((await tagCounts()).every((count) => count > 0)).toBe(true);
    },
    STEP_MS,
  );

  it(
    'goes through when an operator releases it',
    async () => {
      stripTags();
      const hold = await firstWaiting();
      await tagctl('guard', 'release', hold.id);
      await waitFor('no agent has tags', async () => (await tagCounts()).every((count) => count === 0), {
        timeoutMs: STEP_MS,
      });
      restoreTags();
      await waitFor(
        'all are back: what is only added never waits',
        async () => (await tagCounts()).every((count) => count > 0),
        { timeoutMs: STEP_MS },
      );
    },
    STEP_MS,
  );
});

describe('a command that changes every node', () => {
  it(
    'is held, and carried out on release',
    async () => {
      const set = (value: string): Promise<string> =>
        tagctl('label', 'set', '--selector', '*=*', `dynamic/level=${value}`, '--no-wait');
      const levels = async (): Promise<string[]> => {
        const rows = JSON.parse(await tagctl('nodes', 'ls', '--format', 'json')) as {
          labels: Record<string, string>;
        }[];
        return rows.map(({ labels }) => labels['dynamic/level'] ?? '');
      };
      const has = (value: string) => async (): Promise<boolean> =>
        (await levels()).every((level) => level === value);
      await set('low');
      await waitFor('both have it', has('low'), { timeoutMs: STEP_MS, everyMs: 500 });
      await set('high');
      const hold = await firstWaiting();
      expect(hold).toMatchObject({ scope: 'dynamic/', nodes_changed: 2, nodes_total: 2 });
      expect(await levels()).toEqual(['low', 'low']);
      expect(await tagctl('guard', 'release', hold.id)).toContain('released');
      await waitFor('both have the other', has('high'), { timeoutMs: STEP_MS, everyMs: 500 });
    },
    STEP_MS,
  );
});
