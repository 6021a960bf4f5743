import { fileURLToPath } from 'node:url';
import { freePort, startProcess, startService, waitFor, waitUntilReady } from '@tagplane/harness';
import type { ManagedProcess, Settings } from '@tagplane/harness';

const MAIN = fileURLToPath(new URL('../../ec2-simulator/src/main.ts', import.meta.url));

/** The EC2 simulator with one region, in a process of its own. */
export async function startSimulator(instances: number): Promise<AsyncDisposable & { readonly url: string }> {
  const port = await freePort();
  const simulator = await startProcess({
    name: 'ec2-simulator',
    command: process.execPath,
    args: [
      '--conditions=@tagplane/source',
      MAIN,
      ...[
        '--listen',
        `127.0.0.1:${port}`,
        '--instances',
        String(instances),
        '--regions',
        'eu-central-1',
        '--seed',
        '1',
      ],
    ],
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
export async function startAuth(redisUrl: string, security = WITHOUT_TLS): Promise<AuthServer> {
  const [port, diagnosticsPort] = [await freePort(), await freePort()];
  const auth = await startService('auth', 'auth', {
    LISTEN: `127.0.0.1:${port}`,
    DIAGNOSTICS: `127.0.0.1:${diagnosticsPort}`,
    STORE_TYPE: 'redis',
    STORE_URL: redisUrl,
    LOG_LEVEL: 'warn',
    ...security,
  });
  await waitUntilReady(auth, diagnosticsPort);
  return { port, diagnosticsPort, process: auth, [Symbol.asyncDispose]: () => auth[Symbol.asyncDispose]() };
}
