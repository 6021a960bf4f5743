import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runAgent } from '@tagplane/agent/host';
import type { RunningSimulator } from '@tagplane/ec2-simulator';
import { createEc2Simulator } from '@tagplane/ec2-simulator';
import type { ManagedProcess } from '@tagplane/harness';
import { freePort, startService, waitUntilReady } from '@tagplane/harness';
import { parseInstanceKey, parseServerId } from '@tagplane/identity';
import { errorMessage, silentLogger } from '@tagplane/runtime';

export const INSTANCES = 200;
export const AGENTS = 25;
export const PREFERRED_AUTH_PORT = 7420;
/** Five minutes by default; a demo is watched. */
export const SCAN_EVERY = '2s';
/** For the last lines of a process that ended, and for our own Ctrl-C when it ended by the same one. */
const SETTLE_MS = 250;
const REGIONS = ['eu-central-1', 'us-east-1'];

/** Where an agent of the demo sits. */
export interface Place {
  readonly serverId: string;
  readonly region: string;
  readonly instance: string;
}

/** Everything the demo runs: EC2 and the agents in this process, auth and discovery in their own. */
export interface Stack extends AsyncDisposable {
  readonly ec2: RunningSimulator;
  readonly authPort: number;
  readonly discoveryDiagnosticsPort: number;
  readonly places: readonly [Place, ...Place[]];
  /** Rejects when a part ends that was not told to, and says which and why; never resolves. */
  readonly broken: Promise<never>;
}

/** @throws Error when a part does not start; what was started before it is stopped */
export async function startStack(signal: AbortSignal): Promise<Stack> {
  await using started = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'tagplane-demo-'));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const ec2 = started.use(await createEc2Simulator({ instances: INSTANCES, regions: REGIONS }).listen());
  const authPort = await preferredPort(PREFERRED_AUTH_PORT);
  const diagnostics = { auth: await freePort(), discovery: await freePort() };
  const auth = started.use(
    await startService('auth', 'auth', {
      LISTEN: `127.0.0.1:${authPort}`,
      DIAGNOSTICS: `127.0.0.1:${diagnostics.auth}`,
      STORE_TYPE: 'embedded',
      STORE_PATH: join(folder, 'tagplane.db'),
    }),
  );
  await waitUntilReady(auth, diagnostics.auth);
  signal.throwIfAborted();
  const discovery = started.use(await startDiscovery(ec2.url, authPort, diagnostics.discovery));
  const places = choosePlaces(ec2);
  const stopAgents = new AbortController();
  const agentsEnded = runAgents(places, authPort, stopAgents.signal);
  started.defer(async () => {
    stopAgents.abort(new Error('the demo ends'));
    await agentsEnded.catch(() => undefined);
  });
  const parts = started.move();
  return {
    ec2,
    authPort,
    discoveryDiagnosticsPort: diagnostics.discovery,
    places,
    broken: firstEnd([auth, discovery], agentsEnded),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

function firstEnd(services: readonly ManagedProcess[], agentsEnded: Promise<void>): Promise<never> {
  const ends = services.map(async ({ name, exited, output }) => {
    const code = await exited;
    await delay(SETTLE_MS);
    const how = code === null ? 'was killed' : `ended with exit code ${code}`;
    throw new Error([`${name} ${how}; the last it said:`, ...output.slice(-3)].join('\n  '));
  });
  const agents = agentsEnded.then(
    () => new Promise<never>(() => undefined),
    (error: unknown) => {
      throw new Error(`an agent ended: ${errorMessage(error)}`, { cause: error });
    },
  );
  const first = Promise.race([...ends, agents]);
  // Whoever looks at it hears of it; it may also happen when nobody does.
  first.catch(() => undefined);
  return first;
}

function startDiscovery(ec2Url: string, authPort: number, diagnosticsPort: number): Promise<ManagedProcess> {
  const settings = {
    NAME: 'demo',
    AUTH_ADDRESS: `127.0.0.1:${authPort}`,
    DIAGNOSTICS: `127.0.0.1:${diagnosticsPort}`,
    POLL_INTERVAL: SCAN_EVERY,
    AWS: JSON.stringify([{ regions: REGIONS }]),
  };
  return startService('discovery', 'discovery', settings, {
    AWS_ENDPOINT_URL: ec2Url,
    AWS_ACCESS_KEY_ID: 'demo',
    AWS_SECRET_ACCESS_KEY: 'demo',
    AWS_EC2_METADATA_DISABLED: 'true',
  });
}

/** Agents on instances spread over both regions. */
function choosePlaces(ec2: RunningSimulator): [Place, ...Place[]] {
  const all = REGIONS.flatMap((region) => ec2.fleet.list({ region, limit: INSTANCES }));
  const step = Math.floor(all.length / AGENTS);
  const [first, ...others] = all
    .filter((_, index) => index % step === 0)
    .slice(0, AGENTS)
    .map(({ region, id }, index) => ({ serverId: `demo-${index + 1}`, region, instance: id }));
  if (first === undefined) throw new Error('the simulator has no instances');
  return [first, ...others];
}

async function runAgents(places: readonly Place[], authPort: number, signal: AbortSignal): Promise<void> {
  await Promise.all(
    places.map(({ serverId, region, instance }) =>
      runAgent(
        {
          addresses: [{ host: '127.0.0.1', port: authPort }],
          security: { mode: 'insecure' },
          serverId: parseServerId(serverId),
          instance: parseInstanceKey({ account: '123456789012', region, instance }),
          ownLabels: new Map([['tier', 'demo']]),
        },
        { signal, log: silentLogger() },
      ),
    ),
  );
}

/** This port if it is free, so that tagctl finds the demo without being told; else any. */
async function preferredPort(port: number): Promise<number> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      resolve(true);
    });
  });
  if (!free) return await freePort();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
