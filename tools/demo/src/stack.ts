import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningSimulator } from '@tagplane/ec2-simulator';
import { createEc2Simulator } from '@tagplane/ec2-simulator';
import type { Cluster, ManagedProcess, NewToken, Settings } from '@tagplane/harness';
import {
  addToken,
  bootstrapCluster,
  connectOperator,
  freePort,
  joinSettings,
  startService,
  waitUntilReady,
} from '@tagplane/harness';
import { errorMessage } from '@tagplane/runtime';
import { addAgentTokens, choosePlaces, runAgents } from './agents.ts';
import type { Place } from './agents.ts';

export const INSTANCES = 200;
export const PREFERRED_AUTH_PORT = 7420;
/** Five minutes by default; a demo is watched. */
export const SCAN_EVERY = '2s';
/** For the last lines of a process that ended, and for our own Ctrl-C when it ended by the same one. */
const SETTLE_MS = 250;
const REGIONS = ['eu-central-1', 'us-east-1'];

/** Everything the demo runs: EC2 and the agents in this process, auth and discovery in their own. */
export interface Stack extends AsyncDisposable {
  readonly ec2: RunningSimulator;
  readonly authPort: number;
  /** With the operator's credentials. */
  readonly cluster: Cluster;
  readonly discoveryDiagnosticsPort: number;
  readonly places: readonly [Place, ...Place[]];
  /** Of the agent at the first place: it says who may log in there. */
  readonly socket: string;
  /** Rejects when a part ends that was not told to, and says which and why; never resolves. */
  readonly broken: Promise<never>;
}

/** @throws Error when a part does not start; what was started before it is stopped */
export async function startStack(signal: AbortSignal): Promise<Stack> {
  await using started = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'tagplane-demo-'));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const ec2 = started.use(await createEc2Simulator({ instances: INSTANCES, regions: REGIONS }).listen());
  const store = { STORE_TYPE: 'embedded', STORE_PATH: join(folder, 'tagplane.db') };
  const cluster = await bootstrapCluster({ folder, name: 'demo', settings: store });
  signal.throwIfAborted();
  const authPort = await preferredPort(PREFERRED_AUTH_PORT);
  const auth = started.use(await startAuth(cluster, authPort));
  signal.throwIfAborted();
  const places = choosePlaces(ec2.fleet, REGIONS);
  const tokens = await makeTokens(cluster, authPort, places);
  const discoveryDiagnosticsPort = await freePort();
  const discovery = started.use(
    await startDiscovery(ec2.url, {
      AUTH_ADDRESS: `127.0.0.1:${authPort}`,
      DATA_DIR: join(folder, 'discovery'),
      DIAGNOSTICS: `127.0.0.1:${discoveryDiagnosticsPort}`,
      ...joinSettings(tokens.discovery),
    }),
  );
  const stopAgents = new AbortController();
  const socket = join(folder, 'agent.sock');
  const agentsEnded = runAgents(tokens.agents, { authPort, socket }, stopAgents.signal);
  started.defer(async () => {
    stopAgents.abort(new Error('the demo ends'));
    await agentsEnded.catch(() => undefined);
  });
  const parts = started.move();
  return {
    ...{ ec2, authPort, cluster, discoveryDiagnosticsPort, places, socket },
    broken: firstEnd([auth, discovery], agentsEnded),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** Resolves when it is ready. */
async function startAuth({ authSettings }: Cluster, port: number): Promise<ManagedProcess> {
  const diagnosticsPort = await freePort();
  const auth = await startService('auth', 'auth', {
    ...authSettings,
    LISTEN: `127.0.0.1:${port}`,
    DIAGNOSTICS: `127.0.0.1:${diagnosticsPort}`,
  });
  try {
    await waitUntilReady(auth, diagnosticsPort);
  } catch (error) {
    await auth.stop();
    throw error;
  }
  return auth;
}

/** What discovery and each agent join by, made by the operator. */
async function makeTokens(
  { credentials }: Cluster,
  port: number,
  places: readonly Place[],
): Promise<{ readonly discovery: NewToken; readonly agents: ReadonlyMap<Place, NewToken> }> {
  using operator = connectOperator({ port, credentials });
  return {
    discovery: await addToken(operator, { role: 'discovery', name: 'demo' }),
    agents: await addAgentTokens(operator, places),
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

function startDiscovery(ec2Url: string, settings: Settings): Promise<ManagedProcess> {
  const own = { NAME: 'demo', POLL_INTERVAL: SCAN_EVERY, AWS: JSON.stringify([{ regions: REGIONS }]) };
  return startService(
    'discovery',
    'discovery',
    { ...own, ...settings },
    {
      AWS_ENDPOINT_URL: ec2Url,
      AWS_ACCESS_KEY_ID: 'demo',
      AWS_SECRET_ACCESS_KEY: 'demo',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
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
