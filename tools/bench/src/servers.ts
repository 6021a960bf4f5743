import { fileURLToPath } from 'node:url';
import { freePort, startProcess, startService, waitFor, waitUntilReady } from '@tagplane/harness';
import type { ManagedProcess, Settings } from '@tagplane/harness';

const MAIN = fileURLToPath(new URL('../../ec2-simulator/src/main.ts', import.meta.url));

export interface SimulatorServer extends AsyncDisposable {
  readonly url: string;
}

/** The EC2 simulator with one region, in a process of its own. */
export function startSimulator(instances: number): Promise<SimulatorServer> {
  return simulatorWith(['--instances', String(instances), '--regions', 'eu-central-1']);
}

export interface EstateServer extends SimulatorServer {
  /** Twelve digits each. */
  readonly accounts: () => Promise<string[]>;
}

/** The simulator with accounts that share the instances, and EC2's token buckets. */
export async function startEstateSimulator(options: {
  readonly instances: number;
  readonly accounts: number;
  readonly regions: readonly string[];
  /** A role in each account that the main account may assume. */
  readonly role: string;
}): Promise<EstateServer> {
  const { instances, accounts, regions, role } = options;
  const simulator = await simulatorWith([
    ...['--instances', String(instances), '--accounts', String(accounts), '--regions', regions.join(',')],
    ...['--role', role, '--quotas'],
  ]);
  return {
    ...simulator,
    accounts: async () => {
      const response = await fetch(`${simulator.url}/_control/estate`);
      const estate = (await response.json()) as { readonly accounts: readonly { readonly id: string }[] };
      return estate.accounts.map(({ id }) => id);
    },
  };
}

async function simulatorWith(flags: readonly string[]): Promise<SimulatorServer> {
  const port = await freePort();
  const simulator = await startProcess({
    name: 'ec2-simulator',
    command: process.execPath,
    args: ['--conditions=@tagplane/source', MAIN, '--listen', `127.0.0.1:${port}`, '--seed', '1', ...flags],
  });
  const url = `http://127.0.0.1:${port}`;
  await waitFor('the simulator answers', async () => (await fetch(`${url}/_control/stats`)).ok, {
    timeoutMs: 60_000,
  });
  return { url, [Symbol.asyncDispose]: () => simulator[Symbol.asyncDispose]() };
}

export interface AuthServer extends AsyncDisposable {
  readonly port: number;
  readonly diagnosticsPort: number;
  readonly process: ManagedProcess;
}

/** As the floors that its figures stand beside. */
const WITHOUT_TLS: Settings = { TLS_MODE: 'insecure' };

/** An auth service on the given Redis, in a process of its own. */
export function startAuth(redisUrl: string, security = WITHOUT_TLS): Promise<AuthServer> {
  return authWith({ STORE_TYPE: 'redis', STORE_URL: redisUrl, ...security });
}

/** An auth service on a store in a file, in a process of its own. */
export function startEmbeddedAuth(path: string): Promise<AuthServer> {
  return authWith({ STORE_TYPE: 'embedded', STORE_PATH: path, ...WITHOUT_TLS });
}

async function authWith(settings: Settings): Promise<AuthServer> {
  const [port, diagnosticsPort] = [await freePort(), await freePort()];
  const auth = await startService('auth', 'auth', {
    LISTEN: `127.0.0.1:${port}`,
    DIAGNOSTICS: `127.0.0.1:${diagnosticsPort}`,
    LOG_LEVEL: 'warn',
    ...settings,
  });
  await waitUntilReady(auth, diagnosticsPort);
  return { port, diagnosticsPort, process: auth, [Symbol.asyncDispose]: () => auth[Symbol.asyncDispose]() };
}
