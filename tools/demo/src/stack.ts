import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runAgent } from '@tagplane/agent/host';
import type { RunningSimulator } from '@tagplane/ec2-simulator';
import { createEc2Simulator } from '@tagplane/ec2-simulator';
import type { ManagedProcess } from '@tagplane/harness';
import { freePort, startService, waitUntilReady } from '@tagplane/harness';
import { parseInstanceKey, parseServerId } from '@tagplane/identity';
import { silentLogger } from '@tagplane/runtime';

export const INSTANCES = 200;
export const AGENTS = 25;
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
  readonly services: readonly ManagedProcess[];
  /** Rejects when an agent ends by itself; resolves when they were stopped. */
  readonly agentsEnded: Promise<void>;
}

/** @throws Error when a part does not start; what was started before it is stopped */
export async function startStack(): Promise<Stack> {
  await using started = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'tagplane-demo-'));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const ec2 = started.use(await createEc2Simulator({ instances: INSTANCES, regions: REGIONS }).listen());
  const authPort = await preferredPort(7420);
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
    services: [auth, discovery],
    agentsEnded,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

function startDiscovery(ec2Url: string, authPort: number, diagnosticsPort: number): Promise<ManagedProcess> {
  const settings = {
    NAME: 'demo',
    AUTH_ADDRESS: `127.0.0.1:${authPort}`,
    DIAGNOSTICS: `127.0.0.1:${diagnosticsPort}`,
    // Five minutes by default; a demo is watched.
    POLL_INTERVAL: '2s',
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
