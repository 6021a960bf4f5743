import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateDocumentCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeliveredCommand, RunningSimulator } from '@tagplane/ec2-simulator';
import { createEc2Simulator } from '@tagplane/ec2-simulator';
import { metricSum, runTagctl, tagctlEnv, waitFor } from '@tagplane/harness';
import type { Agent } from '../world/agent.ts';
import { createAgent } from '../world/agent.ts';
import type { World } from '../world/world.ts';
import { createWorld } from '../world/world.ts';

const REGION = 'eu-central-1';
const DOCUMENT = 'Tagplane-InstallAgent';
const SHIPPED = new URL('../../../deploy/enroll/ssm-document.json', import.meta.url);
const STEP_MS = 300_000;
const PIN = `sha256:${'5'.repeat(64)}`;
const ENROLL = {
  document: DOCUMENT,
  agent: {
    installer_url: 'https://downloads.test/install.sh',
    installer_sha256: 'a'.repeat(64),
    url: 'https://downloads.test/tagplane-agent-{arch}.tar.gz',
    sha256: { x64: 'b'.repeat(64) },
  },
  auth_addresses: ['auth.test:7420'],
  ca_pins: [PIN],
};

interface InstanceRow {
  readonly aws: { readonly instance_id: string };
  readonly state: string;
  readonly reason: string | null;
  readonly attempts: number;
}

let ec2: RunningSimulator;
let world: World;
let folder: string;
/** By what is to become of them. */
let ids: { good: readonly string[]; failing: string; silent: string; stopped: string; unmanaged: string };
/** Agents that were started by the commands that instances got. */
const agents: Agent[] = [];
const delivered: DeliveredCommand[] = [];
/** Until then, no command is carried out. */
const gate = Promise.withResolvers<undefined>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tagplane-enroll-'));
  ec2 = await createEc2Simulator({ instances: 7, regions: [REGION] }).listen();
  const [one = '', two = '', three = '', failing = '', silent = '', stopped = '', unmanaged = ''] = ec2.fleet
    .list({ region: REGION })
    .map(({ id }) => id);
  ids = { good: [one, two, three], failing, silent, stopped, unmanaged };
  ec2.fleet.setState({ region: REGION, id: stopped }, 'stopped');
  ec2.ssm.setAgent({ region: REGION, id: unmanaged }, 'none');
  ec2.ssm.setAgent({ region: REGION, id: silent }, 'offline');
  ec2.ssm.onCommand(carryOut);
  await shipDocument();
  const settings = {
    GROUP: 'main',
    AWS: JSON.stringify([{ regions: [REGION], enroll: ENROLL }]),
    LOG_LEVEL: 'debug',
  };
  world = await createWorld({
    ...{ redisUrl: undefined, auths: 1, ec2Url: ec2.url, regions: [REGION], places: [] },
    pollInterval: '2s',
    discoveries: [
      { name: 'one', settings },
      { name: 'two', settings },
    ],
  });
  await world.start();
  const [, second] = world.discoveries;
  if (second !== undefined) await world.startDiscovery(second);
}, STEP_MS);

afterAll(async () => {
  gate.resolve(undefined);
  await Promise.all(agents.map(({ service }) => service.stop()));
  await world[Symbol.asyncDispose]();
  await ec2.close();
  await rm(folder, { recursive: true, force: true });
}, STEP_MS);

/** The document as it is shipped: SSM checks every parameter by its patterns. */
async function shipDocument(): Promise<void> {
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
  const client = new SSMClient({ region: REGION, endpoint: ec2.url, credentials });
  const Content = await readFile(SHIPPED, 'utf8');
  await client.send(new CreateDocumentCommand({ Name: DOCUMENT, Content }));
  client.destroy();
}

/** What the installer would do on the instance: an agent starts there and joins by the token it got. */
async function carryOut(command: DeliveredCommand) {
  delivered.push(command);
  await gate.promise;
  if (command.instance === ids.failing) {
    return { status: 'Failed' as const, output: 'fetching', error: 'no space left on device', exitCode: 28 };
  }
  const { account, region, instance, parameters } = command;
  const agent = await createAgent({
    place: { account, region, instance },
    name: `agent-of-${instance}`,
    authPorts: world.authPorts,
    folder,
  });
  agents.push(agent);
  const [token = ''] = parameters['JoinToken'] ?? [];
  await agent.service.start({ JOIN_TOKEN: token, JOIN_CA_PINS: world.caPin });
  return { status: 'Success' as const, output: 'tagplane-agent: installed' };
}

async function rows(): Promise<Map<string, InstanceRow>> {
  const env = tagctlEnv({ port: world.authPorts[0] ?? 0, credentialFile: world.credentialFile });
  const { stdout } = await runTagctl(['discovery', 'instances', '--format', 'json'], env);
  const all = JSON.parse(stdout) as InstanceRow[];
  return new Map(all.map((row) => [row.aws.instance_id, row]));
}

async function states(wanted: Readonly<Record<string, string>>): Promise<Map<string, InstanceRow>> {
  return await waitFor(
    `instances are ${JSON.stringify(wanted)}`,
    async () => {
      const all = await rows();
      const found = Object.fromEntries(Object.keys(wanted).map((id) => [id, all.get(id)?.state]));
      expect(found).toEqual(wanted);
      return all;
    },
    { timeoutMs: STEP_MS, everyMs: 1_000 },
  );
}

const everyGood = (state: string): Record<string, string> =>
  Object.fromEntries(ids.good.map((id) => [id, state]));

describe('instances that no agent speaks for', () => {
  it(
    'are shown as they stand: pending, or what keeps them from it',
    async () => {
      const all = await states({
        ...everyGood('PENDING'),
        [ids.failing]: 'PENDING',
        [ids.silent]: 'NO_SSM_AGENT',
        [ids.stopped]: 'NOT_RUNNING',
        [ids.unmanaged]: 'NO_SSM_AGENT',
      });
      expect(all.get(ids.unmanaged)?.reason).toContain('AmazonSSMManagedInstanceCore');
      expect(all.get(ids.silent)?.reason).toContain('SSM has lost the instance');
      expect(all.get(ids.stopped)?.reason).toContain('the instance is stopped');
    },
    STEP_MS,
  );

  it('get one command each, with a token of their own, from one of the two replicas', () => {
    const targets = delivered.map(({ instance }) => instance);
    expect(targets.toSorted()).toEqual([...ids.good, ids.failing].toSorted());
    const commands = new Set(delivered.map(({ commandId }) => commandId));
    const tokens = new Set(delivered.map(({ parameters }) => parameters['JoinToken']?.[0]));
    expect([commands.size, tokens.size]).toEqual([targets.length, targets.length]);
    for (const { parameters } of delivered) expect(parameters['CaPins']).toEqual([PIN]);
  });

  it('have no token in any log', () => {
    const said = world.discoveries.flatMap(({ service }) => service.output).join('\n');
    expect(said).toContain('enrolment_sent');
    for (const { parameters } of delivered) expect(said).not.toContain(parameters['JoinToken']?.[0]);
  });

  it(
    'are enrolled when their agents have come, with the labels of their tags; a failure says why',
    async () => {
      gate.resolve(undefined);
      const all = await states({ ...everyGood('ENROLLED'), [ids.failing]: 'FAILED' });
      expect(all.get(ids.failing)?.reason).toContain('no space left on device');
      expect(all.get(ids.failing)?.reason).toContain('exit status 28');
      for (const agent of agents) {
        const expected = ec2.fleet.get({ region: REGION, id: agent.place.instance }).tags;
        await waitFor('the agent has its tags', async () => (await agent.tags()).size === expected.size, {
          timeoutMs: STEP_MS,
        });
        expect(await agent.tags()).toEqual(expected);
      }
    },
    STEP_MS,
  );

  it(
    'are tried when SSM reaches them, by the replica that takes over, and the others not again',
    async () => {
      const [first, second] = world.discoveries;
      if (first === undefined || second === undefined) throw new Error('there are two');
      ec2.ssm.setAgent({ region: REGION, id: ids.unmanaged }, 'online');
      await first.service.kill();
      await states({ [ids.unmanaged]: 'ENROLLED', ...everyGood('ENROLLED') });
      const counts = Map.groupBy(delivered, ({ instance }) => instance);
      expect([...ids.good, ids.unmanaged].map((id) => counts.get(id)?.length)).toEqual([1, 1, 1, 1]);
      const sent = metricSum(
        await second.service.metrics(),
        'tagplane_discovery_enrolment_attempts_total',
        'sent',
      );
      expect(sent).toBeGreaterThanOrEqual(1);
    },
    STEP_MS,
  );
});
