import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCredentialFile } from '@tagplane/credentials';
import type { Credentials } from '@tagplane/credentials';
import { createEc2Simulator } from '@tagplane/ec2-simulator';
import type { Cluster, Operator, TagctlRun } from '@tagplane/harness';
import {
  addToken,
  bootstrapCluster,
  connectOperator,
  freePort,
  joinSettings,
  metricSum,
  runTagctl,
  tagctlEnv,
} from '@tagplane/harness';
import { parseInstanceKey } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import { startRedis } from '@tagplane/store-redis/testing';
import { Service } from '../world/service.ts';
import type { AgentPlan, FleetReport } from './fleet/messages.ts';
import type { Fleet } from './fleet/fleet.ts';
import { startFleet } from './fleet/fleet.ts';
import type { Writer } from './writer.ts';
import { startWriter } from './writer.ts';

const ACCOUNT = '111122223333';
const REGION = 'eu-west-1';
/** Where the real discovery looks: nothing of the fleet is there. */
const OTHER_REGION = 'us-east-1';
/** Calls of an operator at a time. */
const ADDING = 16;

/** Two auth processes on one Redis, a discovery process, a writer of the test's own, and agents. */
export interface Plane extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly auths: readonly Auth[];
  readonly discovery: Service;
  readonly writer: Writer;
  readonly fleet: Fleet;
  /** An operator on the first auth process, with the credentials as they were at the start. */
  readonly operator: Operator;
  /** Those of the discovery process now. */
  discoveryCredentials(): Promise<Credentials>;
  /** Those of the operator now; tagctl renews them. */
  operatorCredentials(): Promise<Credentials>;
  /** Runs tagctl against the auth process with this name; fails unless it succeeds. */
  tagctl(authId: string, ...args: readonly string[]): Promise<TagctlRun>;
  /** The sum of a metric over all auth processes. */
  metric(name: string, containing?: string): Promise<number>;
}

export interface Auth {
  readonly id: string;
  readonly port: number;
  readonly service: Service;
}

export interface PlaneOptions {
  readonly agents: number;
  readonly certificateTtl: string;
  readonly onHeld: (held: Extract<FleetReport, { type: 'held' }>) => void;
}

export async function startPlane(options: PlaneOptions): Promise<Plane> {
  await using build = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'tagplane-rotation-'));
  build.defer(() => rm(folder, { recursive: true, force: true }));
  const redis = build.use(await startRedis());
  const store = { STORE_TYPE: 'redis', STORE_URL: redis.url };
  // The operator's own certificate is good for the usual time: the one that is to be refused in the end.
  const cluster = await bootstrapCluster({ folder, settings: store });
  const settings = { ...cluster.authSettings, CERTIFICATE_TTL: options.certificateTtl };
  const auths = await Promise.all(['auth-1', 'auth-2'].map((id) => createAuth(id, settings)));
  for (const { service } of auths) build.use(service);
  await Promise.all(auths.map(({ service }) => service.start()));
  await Promise.all(auths.map(({ service }) => service.ready()));
  const ports = auths.map(({ port }) => port);
  const [port = 0] = ports;
  const { credentials, credentialFile } = cluster;
  const operator = build.use(connectOperator({ port, credentials }));
  const dataDir = join(folder, 'discovery');
  const discovery = build.use(await startDiscovery(operator, { port, dataDir, build }));
  const writerToken = await addToken(operator, { role: 'discovery', name: 'writer' });
  const writer = build.use(await startWriter({ port, join: writerToken }));
  const agents = await planAgents(operator, options.agents);
  await writer.write(agents.map(({ instance }) => ({ instance, turn: 0 })));
  const fleet = build.use(startFleet({ authPorts: ports, agents, onHeld: options.onHeld }));
  const owned = build.move();
  return {
    ...{ cluster, auths, discovery, writer, fleet, operator },
    discoveryCredentials: () => credentialsIn(join(dataDir, 'credentials.json')),
    operatorCredentials: () => credentialsIn(credentialFile),
    async tagctl(authId, ...args) {
      const auth = auths.find(({ id }) => id === authId);
      const env = tagctlEnv({ port: auth?.port ?? 0, credentialFile });
      const run = await runTagctl([...args, '--format', 'json'], env);
      if (run.code !== 0) throw new Error(`tagctl ${args.join(' ')}: ${run.output.join('\n')}`);
      return run;
    },
    async metric(name, containing) {
      const texts = await Promise.all(auths.map(({ service }) => service.metrics()));
      return texts.reduce((sum, text) => sum + metricSum(text, name, containing), 0);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function createAuth(id: string, settings: Readonly<Record<string, string>>): Promise<Auth> {
  const port = await freePort();
  const service = new Service({
    program: 'auth',
    name: id,
    diagnosticsPort: await freePort(),
    settings: { ...settings, NAME: id, LISTEN: `127.0.0.1:${port}` },
  });
  return { id, port, service };
}

async function startDiscovery(
  operator: Operator,
  { port, dataDir, build }: { port: number; dataDir: string; build: AsyncDisposableStack },
): Promise<Service> {
  const ec2 = build.use(await createEc2Simulator({ instances: 10, regions: [OTHER_REGION] }).listen());
  const token = await addToken(operator, { role: 'discovery', name: 'scanner' });
  const service = new Service({
    program: 'discovery',
    name: 'discovery',
    diagnosticsPort: await freePort(),
    settings: {
      ...joinSettings(token),
      AUTH_ADDRESS: `127.0.0.1:${port}`,
      POLL_INTERVAL: '5s',
      NAME: 'scanner',
      DATA_DIR: dataDir,
      AWS: JSON.stringify([{ regions: [OTHER_REGION] }]),
    },
    env: {
      AWS_ACCESS_KEY_ID: 'testing',
      AWS_SECRET_ACCESS_KEY: 'testing',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ENDPOINT_URL: ec2.url,
    },
  });
  await service.start();
  await service.ready();
  return service;
}

/** Each with a token for its instance and no other. */
async function planAgents(operator: Operator, count: number): Promise<AgentPlan[]> {
  const plans: AgentPlan[] = [];
  const queue = Array.from({ length: count }, (_, index) => index);
  const work = async (): Promise<void> => {
    for (let index = queue.shift(); index !== undefined; index = queue.shift()) {
      const serverId = `agent-${`${index}`.padStart(4, '0')}`;
      const instance = instanceOf(index);
      const { token, caPins } = await addToken(operator, { role: 'agent', name: serverId, instance });
      plans[index] = { serverId, instance, token, caPins };
    }
  };
  await Promise.all(Array.from({ length: ADDING }, work));
  return plans;
}

function instanceOf(index: number): InstanceKey {
  const instance = `i-${index.toString(16).padStart(17, '0')}`;
  const key = parseInstanceKey({ account: ACCOUNT, region: REGION, instance });
  if (key === undefined) throw new TypeError('no instance');
  return key;
}

async function credentialsIn(file: string): Promise<Credentials> {
  const credentials = await readCredentialFile(file);
  if (credentials === undefined) throw new Error(`there are no credentials in ${file}`);
  return credentials;
}
