import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrapCluster, connectOperator, freePort, joinSettings } from '@tagplane/harness';
import type { Cluster, Operator, Settings } from '@tagplane/harness';
import type { Agent, AgentPlace } from './agent.ts';
import { createAgent } from './agent.ts';
import { agentToken, discoveryToken } from './joining.ts';
import { Service } from './service.ts';

/** Names the AWS SDK reads; the simulator and moto take any key. */
const AWS_ENV = {
  AWS_ACCESS_KEY_ID: 'testing',
  AWS_SECRET_ACCESS_KEY: 'testing',
  AWS_EC2_METADATA_DISABLED: 'true',
};

export interface WorldOptions {
  /** A redis:// address, or undefined for the embedded store. */
  readonly redisUrl: string | undefined;
  readonly auths: number;
  readonly ec2Url: string;
  readonly regions: readonly string[];
  readonly pollInterval: string;
  readonly places: readonly AgentPlace[];
  /** Of the agents, over what all have. */
  readonly agentSettings?: Settings;
  /** Of the auths, over what all have. */
  readonly authSettings?: Settings;
  /** Default: one, named `e2e`. */
  readonly discoveries?: readonly DiscoveryOptions[];
}

export interface DiscoveryOptions {
  readonly name: string;
  /** Over what every discovery here has. */
  readonly settings?: Settings;
  /** Over the environment that every discovery here has. */
  readonly env?: Readonly<Record<string, string>>;
}

/** One discovery, as it is configured. */
export interface DiscoveryProcess {
  readonly name: string;
  readonly service: Service;
  readonly dataDir: string;
}

/**
 * Real processes of every service, wired to each other over loopback with mutual TLS. The cluster has its
 * authority and an operator; nothing is started yet.
 */
export interface World extends AsyncDisposable {
  readonly auths: readonly Service[];
  readonly authPorts: readonly number[];
  /** The first of them. */
  readonly discovery: Service;
  readonly discoveries: readonly DiscoveryProcess[];
  readonly agents: readonly Agent[];
  /** The pin of the authority that was made for this world. */
  readonly caPin: string;
  /** The operator's, for tagctl. */
  readonly credentialFile: string;
  /** Where each auth writes its audit events. */
  readonly auditFiles: readonly string[];
  /** The operator, at one of the auths. */
  operator(auth: number): Operator;
  /**
   * Starts everything but later discoveries, and waits until the auths and discovery are ready. Discovery and agents join by
   * tokens of this start; started again they have their credentials, and nothing else.
   */
  start(): Promise<void>;
  /** Starts one discovery for the first time, and waits until it is ready. */
  startDiscovery(discovery: DiscoveryProcess): Promise<void>;
}

const DISCOVERY = 'e2e';
/** moto answers with a few instances a second on a busy machine, and there are hundreds in a region. */
const FIRST_SCAN_MS = 240_000;

export async function createWorld(options: WorldOptions): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'tagplane-e2e-'));
  const cluster = await bootstrapCluster({
    folder,
    settings: { ...storeSettings(options.redisUrl, folder), ...options.authSettings },
  });
  const auths = await Promise.all(
    Array.from({ length: options.auths }, (_, index) => createAuth(cluster, folder, `auth-${index + 1}`)),
  );
  const authPorts = auths.map(({ port }) => port);
  const discoveries = await Promise.all(
    (options.discoveries ?? [{ name: DISCOVERY }]).map((each) =>
      createDiscovery(options, each, authPorts[0] ?? 0, folder),
    ),
  );
  const [first] = discoveries;
  if (first === undefined) throw new TypeError('a world has a discovery');
  const agents = await Promise.all(
    options.places.map((place, index) =>
      createAgent({
        ...{ place, name: `node-${index + 1}`, authPorts, folder },
        settings: options.agentSettings,
      }),
    ),
  );
  const services = auths.map(({ service }) => service);
  const everything = [
    ...services,
    ...discoveries.map((discovery) => discovery.service),
    ...agents.map((agent) => agent.service),
  ];
  const operator = (auth: number): Operator =>
    connectOperator({ port: authPorts[auth] ?? 0, credentials: cluster.credentials });
  const startDiscovery = async ({ name, service }: DiscoveryProcess): Promise<void> => {
    using admin = operator(0);
    await service.start(joinSettings(await discoveryToken(admin, name)));
    await service.ready(FIRST_SCAN_MS);
  };
  return {
    auths: services,
    authPorts,
    discovery: first.service,
    discoveries,
    startDiscovery,
    agents,
    caPin: cluster.caPin,
    credentialFile: cluster.credentialFile,
    auditFiles: auths.map(({ auditFile }) => auditFile),
    operator,
    async start() {
      await Promise.all(services.map((auth) => auth.start()));
      await Promise.all(services.map((auth) => auth.ready()));
      using admin = operator(0);
      await first.service.start(joinSettings(await discoveryToken(admin, first.name)));
      await Promise.all(
        agents.map(async (agent) => agent.service.start(joinSettings(await agentToken(admin, agent)))),
      );
      await first.service.ready(FIRST_SCAN_MS);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(everything.map((service) => service.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function createAuth(cluster: Cluster, folder: string, name: string) {
  const port = await freePort();
  const auditFile = join(folder, `${name}.audit.jsonl`);
  const service = new Service({
    program: 'auth',
    name,
    diagnosticsPort: await freePort(),
    settings: { ...cluster.authSettings, LISTEN: `127.0.0.1:${port}`, AUDIT_PATH: auditFile },
  });
  return { port, auditFile, service };
}

async function createDiscovery(
  options: WorldOptions,
  { name, settings, env }: DiscoveryOptions,
  authPort: number,
  folder: string,
): Promise<DiscoveryProcess> {
  const dataDir = join(folder, `discovery-${name}`);
  const service = new Service({
    program: 'discovery',
    name: name === DISCOVERY ? 'discovery' : `discovery-${name}`,
    diagnosticsPort: await freePort(),
    settings: {
      AUTH_ADDRESS: `127.0.0.1:${authPort}`,
      POLL_INTERVAL: options.pollInterval,
      NAME: name,
      DATA_DIR: dataDir,
      AWS: JSON.stringify([{ regions: options.regions }]),
      ...settings,
    },
    env: { ...AWS_ENV, AWS_ENDPOINT_URL: options.ec2Url, ...env },
  });
  return { name, service, dataDir };
}

function storeSettings(redisUrl: string | undefined, folder: string): Settings {
  if (redisUrl === undefined) return { STORE_TYPE: 'embedded', STORE_PATH: join(folder, 'store.db') };
  return { STORE_TYPE: 'redis', STORE_URL: redisUrl };
}
