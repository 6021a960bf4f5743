import { request } from 'node:http';
import { join } from 'node:path';
import { freePort } from '@tagplane/harness';
import type { Settings } from '@tagplane/harness';
import { Service } from './service.ts';

export interface AgentPlace {
  readonly account: string;
  readonly region: string;
  readonly instance: string;
}

/** An agent process on the place of one instance. */
export interface Agent {
  readonly place: AgentPlace;
  readonly service: Service;
  readonly dataDir: string;
  /** The local socket. */
  readonly socket: string;
  /** What it answers to a GET on its local socket. */
  ask(path: string): Promise<unknown>;
  /** What it holds under `aws/`, the prefix taken off, as its local socket says. */
  tags(): Promise<Map<string, string>>;
}

/** No instance tells its agent anything: what an agent knows came by the control plane. */
const NO_METADATA = { AWS_EC2_METADATA_DISABLED: 'true' };

/** Its server id is the name that it joins with. */
export async function createAgent(options: {
  readonly place: AgentPlace;
  readonly name: string;
  readonly authPorts: readonly number[];
  readonly folder: string;
  /** Over what every agent here has. */
  readonly settings?: Settings | undefined;
}): Promise<Agent> {
  const { place, name, authPorts, folder } = options;
  const dataDir = join(folder, name);
  const socket = join(folder, `${name}.sock`);
  const service = new Service({
    program: 'agent',
    name,
    diagnosticsPort: await freePort(),
    settings: {
      AUTH_ADDRESSES: JSON.stringify(authPorts.map((port) => `127.0.0.1:${port}`)),
      DATA_DIR: dataDir,
      SOCKET: socket,
      AWS_ACCOUNT_ID: place.account,
      AWS_REGION: place.region,
      AWS_INSTANCE_ID: place.instance,
      ...options.settings,
    },
    env: NO_METADATA,
  });
  const ask = (path: string): Promise<unknown> => askSocket(socket, path);
  return { place, service, dataDir, socket, ask, tags: () => readTags(ask) };
}

async function readTags(ask: Agent['ask']): Promise<Map<string, string>> {
  const { labels } = (await ask('/v1/labels')) as { labels: Record<string, string> };
  return new Map(
    Object.entries(labels)
      .filter(([key]) => key.startsWith('aws/'))
      .map(([key, value]) => [key.slice('aws/'.length), value]),
  );
}

async function askSocket(socketPath: string, path: string): Promise<unknown> {
  const text = await new Promise<string>((resolve, reject) => {
    const call = request({ socketPath, path, timeout: 2_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve(Buffer.concat(chunks).toString('utf8'));
      });
      response.on('error', reject);
    });
    call.on('timeout', () => call.destroy(new Error('the agent did not answer on its socket')));
    call.on('error', reject);
    call.end();
  });
  return JSON.parse(text) as unknown;
}
