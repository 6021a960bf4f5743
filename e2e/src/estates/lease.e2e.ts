import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { readCredentialFile } from '@tagplane/credentials';
import type { RunningSimulator } from '@tagplane/ec2-simulator';
import { createEc2Simulator } from '@tagplane/ec2-simulator';
import { metricSum, runTagctl, tagctlEnv, waitFor } from '@tagplane/harness';
import { ServerInfoService, createClientConnection } from '@tagplane/protocol';
import type { DiscoveryProcess, World } from '../world/world.ts';
import { createWorld } from '../world/world.ts';

const REGION = 'eu-central-1';
const INSTANCES = 60;
const STEP_MS = 180_000;
const GROUP = 'main';
/** The lease's 20 s, the poll's 5 s and the start, several times over: the machine is busy. */
const TAKEOVER_MS = 120_000;

let ec2: RunningSimulator;
let world: World;

beforeAll(async () => {
  ec2 = await createEc2Simulator({ instances: INSTANCES, regions: [REGION] }).listen();
  const group = (name: string) => ({ GROUP: name, LOG_LEVEL: 'debug' });
  world = await createWorld({
    redisUrl: undefined,
    auths: 1,
    ec2Url: ec2.url,
    regions: [REGION],
    pollInterval: '2s',
    places: [],
    discoveries: [
      { name: 'one', settings: group(GROUP) },
      { name: 'two', settings: group(GROUP) },
      { name: 'other', settings: group('other') },
    ],
  });
  await world.start();
  await waitFor(
    'all instances are known',
    async () => (await figure(process(0), 'known_server_infos')) === INSTANCES,
    {
      timeoutMs: STEP_MS,
    },
  );
  await world.startDiscovery(process(1));
}, STEP_MS);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await ec2.close();
}, STEP_MS);

function process(index: number): DiscoveryProcess {
  const found = world.discoveries[index];
  if (found === undefined) throw new RangeError(`no discovery ${index}`);
  return found;
}

async function figure(discovery: DiscoveryProcess, name: string, containing = ''): Promise<number> {
  return metricSum(await discovery.service.metrics(), `tagplane_discovery_${name}`, containing);
}

const leads = async (discovery: DiscoveryProcess): Promise<boolean> =>
  (await figure(discovery, 'leader')) === 1;

/** Complete scans from now on, so that what follows from them has had its time. */
async function moreScans(discovery: DiscoveryProcess, count: number): Promise<void> {
  const scans = (): Promise<number> => figure(discovery, 'scans_total', 'complete');
  const until = (await scans()) + count;
  await waitFor('more scans', async () => (await scans()) >= until, { timeoutMs: STEP_MS });
}

/** @returns milliseconds until it led and had scanned everything */
async function takeover(discovery: DiscoveryProcess): Promise<number> {
  const from = Date.now();
  await waitFor(`${discovery.name} leads`, () => leads(discovery), { timeoutMs: TAKEOVER_MS, everyMs: 100 });
  const warm = async (): Promise<boolean> =>
    (await figure(discovery, 'known_server_infos')) === INSTANCES &&
    (await figure(discovery, 'instances')) === INSTANCES;
  await waitFor(`${discovery.name} is warm`, warm, { timeoutMs: TAKEOVER_MS, everyMs: 100 });
  return Date.now() - from;
}

/** Lines of its log with this event. */
function logged(discovery: DiscoveryProcess, event: string): Record<string, unknown>[] {
  return discovery.service.output
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line['event'] === event);
}

/** The token of the lease that it took last. */
function tokenOf(discovery: DiscoveryProcess): bigint {
  const [last] = logged(discovery, 'lease_taken').reverse();
  return BigInt(String(last?.['token']));
}

function say(what: string, ms: number): void {
  globalThis.process.stdout.write(`${what}: ${(ms / 1_000).toFixed(1)} s\n`);
}

async function tagctl(...args: string[]) {
  const env = tagctlEnv({ port: world.authPorts[0] ?? 0, credentialFile: world.credentialFile });
  const run = await runTagctl([...args, '--format', 'json'], env);
  return JSON.parse(run.output.join('\n')) as unknown;
}

async function names(): Promise<string[]> {
  using operator = world.operator(0);
  return (await operator.listServerInfos()).map(({ name, origin }) => `${name} of ${origin}`).toSorted();
}

describe('a group of two', () => {
  it('has one that works and one that stands by and is ready', async () => {
    expect([await leads(process(0)), await leads(process(1))]).toEqual([true, false]);
    const answer = await fetch(`http://127.0.0.1:${process(1).service.diagnosticsPort}/readyz`);
    expect(await answer.text()).toContain(`standby of ${GROUP}, leader one-`);
    expect(await figure(process(1), 'upserts_total')).toBe(0);
    const reported = async (): Promise<boolean> =>
      ((await tagctl('discovery', 'scopes')) as unknown[]).length === 1;
    await waitFor('the scope is reported', reported, { timeoutMs: STEP_MS, everyMs: 1_000 });
    expect(await tagctl('discovery', 'status')).toMatchObject({
      groups: [{ name: GROUP, replicas: [{ leader: true }, { leader: false }] }],
      scopes: { total: 1, ok: 1 },
      instances: INSTANCES,
    });
  });

  it('goes on when the leader is killed, and sends nothing again', async () => {
    const before = await names();
    await process(0).service.kill();
    say('takeover after kill -9', await takeover(process(1)));
    await moreScans(process(1), 3);
    expect(await figure(process(1), 'upserts_total')).toBe(0);
    expect(await names()).toEqual(before);
    await process(0).service.start();
    await process(0).service.ready();
    expect(await leads(process(0))).toBe(false);
  });

  it('hands over at once when the leader is told to stop', async () => {
    expect(await process(1).service.stop()).toBe(0);
    say('takeover after SIGTERM', await takeover(process(0)));
    await process(1).service.start();
    await process(1).service.ready();
    expect(await leads(process(1))).toBe(false);
  });

  it('goes on when the leader is stopped for a while, which then stands by and has written nothing', async () => {
    const [leader, standby] = [process(0), process(1)];
    const old = tokenOf(leader);
    const losses = await figure(leader, 'lease_losses_total');
    globalThis.process.kill(leader.service.pid ?? 0, 'SIGSTOP');
    try {
      say('takeover after SIGSTOP', await takeover(standby));
      // What the paused one does not know: it would send its own reading of these.
      for (const { id } of ec2.fleet.list({ region: REGION })) {
        ec2.fleet.replaceTags({ region: REGION, id }, new Map([['Name', 'new']]));
      }
      await moreScans(standby, 2);
    } finally {
      globalThis.process.kill(leader.service.pid ?? 0, 'SIGCONT');
    }
    await waitFor('the former leader stands by', () => leads(leader).then((is) => !is), {
      timeoutMs: STEP_MS,
    });
    await leader.service.ready();
    expect(await figure(leader, 'lease_losses_total')).toBe(losses + 1);
    expect(await leads(standby)).toBe(true);
    await expectFenced(leader, old);
  });
});

/** A write under a lease that is over, by who had it. */
async function expectFenced(discovery: DiscoveryProcess, token: bigint): Promise<void> {
  const credentials = await readCredentialFile(join(discovery.dataDir, 'credentials.json'));
  if (credentials === undefined) throw new Error('it has joined');
  const address = { host: '127.0.0.1', port: world.authPorts[0] ?? 0 };
  using connection = createClientConnection({
    address,
    security: { mode: 'mutual', credentials: () => credentials },
  });
  const client = createClient(ServerInfoService, connection.transport);
  const before = await names();
  const [first = ''] = before.map((line) => line.split(' ')[0] ?? '');
  const refusal = await client.deleteServerInfos({ names: [first], fence: { group: GROUP, token } }).then(
    () => undefined,
    (error: unknown) => ConnectError.from(error),
  );
  expect(refusal?.code).toBe(Code.FailedPrecondition);
  expect(refusal?.rawMessage).toContain('discovery/two');
  expect(await names()).toEqual(before);
  const metrics = await world.auths[0]?.metrics();
  expect(metricSum(metrics ?? '', 'tagplane_auth_discovery_fenced_total')).toBeGreaterThanOrEqual(1);
}

describe('another group with the same scope', () => {
  it('is told whose instances they are, and changes nothing', async () => {
    const before = await names();
    const other = process(2);
    await world.startDiscovery(other);
    const denied = async (): Promise<boolean> =>
      (await figure(other, 'upserts_total', 'denied')) === INSTANCES;
    await waitFor('all are refused', denied, { timeoutMs: STEP_MS });
    await moreScans(other, 3);
    await moreScans(process(1), 3);
    expect(await figure(other, 'upserts_total')).toBe(INSTANCES);
    expect(await names()).toEqual(before);
    expect(logged(other, 'upsert_refused')[0]?.['reason']).toContain(`discovery/${GROUP}`);
  });
});
