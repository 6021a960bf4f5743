import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@tagplane/harness';
import type { Agent, AgentPlace } from './agent.ts';
import { createAgent } from './agent.ts';
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
}

/** Real processes of every service, wired to each other over loopback; nothing is started yet. */
export interface World extends AsyncDisposable {
  readonly auths: readonly Service[];
  readonly authPorts: readonly number[];
  readonly discovery: Service;
  readonly agents: readonly Agent[];
  /** Starts everything, and waits until the auths and discovery are ready. */
  start(): Promise<void>;
}

export async function createWorld(options: WorldOptions): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'tagplane-e2e-'));
  const authPorts = await Promise.all(Array.from({ length: options.auths }, freePort));
  const auths = await Promise.all(
    authPorts.map(
      async (port, index) =>
        new Service({
          program: 'auth',
          name: `auth-${index + 1}`,
          diagnosticsPort: await freePort(),
          settings: { LISTEN: `127.0.0.1:${port}`, ...storeSettings(options.redisUrl, folder) },
        }),
    ),
  );
  const discovery = new Service({
    program: 'discovery',
    name: 'discovery',
    diagnosticsPort: await freePort(),
    settings: {
      AUTH_ADDRESS: `127.0.0.1:${authPorts[0] ?? 0}`,
      POLL_INTERVAL: options.pollInterval,
      NAME: 'e2e',
      AWS: JSON.stringify([{ regions: options.regions }]),
    },
    env: { ...AWS_ENV, AWS_ENDPOINT_URL: options.ec2Url },
  });
  const agents = await Promise.all(
    options.places.map((place, index) =>
      createAgent({ place, name: `node-${index + 1}`, authPorts, folder }),
    ),
  );
  const everything = [...auths, discovery, ...agents.map((agent) => agent.service)];
  return {
    auths,
    authPorts,
    discovery,
    agents,
    async start() {
      await Promise.all(auths.map((auth) => auth.start()));
      await Promise.all(auths.map((auth) => auth.ready()));
      await discovery.start();
      await Promise.all(agents.map((agent) => agent.service.start()));
      await discovery.ready();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(everything.map((service) => service.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function storeSettings(redisUrl: string | undefined, folder: string): Record<string, string> {
  if (redisUrl === undefined) return { STORE_TYPE: 'embedded', STORE_PATH: join(folder, 'store.db') };
  return { STORE_TYPE: 'redis', STORE_URL: redisUrl };
}
