import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@connectrpc/connect';
import { freePort, startService, tagctlEnv, waitFor, waitUntilReady } from '@tagplane/harness';
import type { ManagedProcess } from '@tagplane/harness';
import {
  ServerInfoService,
  UpsertStatus,
  createClientConnection,
  draftToMessage,
  instanceFromMessage,
} from '@tagplane/protocol';
import { importSource, runProgramToAnyEnd } from './programs.ts';

/** What docs/operators.md takes its nodes to be. */
const NODES = [
  { name: 'web-1', tags: { env: 'prod', team: 'web' } },
  { name: 'web-2', tags: { env: 'prod', team: 'web' } },
  { name: 'db-1', tags: { env: 'staging', team: 'db' } },
] as const;
const ACCOUNT = { accountId: '123456789012', region: 'eu-central-1' };

/** What a command line came to. */
export interface TagctlRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An auth service and an agent for each of those nodes, as processes, without TLS. */
export interface OperatorsWorld extends AsyncDisposable {
  /** In this process: a document has many command lines. An editor changes nothing. */
  tagctl(words: readonly string[]): Promise<TagctlRun>;
  /** What the agent of this node says to a `tagplane-agent check` with these words. */
  check(node: string, words: readonly string[]): Promise<unknown>;
}

export async function startOperatorsWorld(): Promise<OperatorsWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'tagplane-operators-'));
  const [port, diagnostics] = [await freePort(), await freePort()];
  const running: ManagedProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((each) => each.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const auth = await startService('auth', 'auth', {
      LISTEN: `127.0.0.1:${port}`,
      DIAGNOSTICS: `127.0.0.1:${diagnostics}`,
      TLS_MODE: 'insecure',
      STORE_TYPE: 'embedded',
      STORE_PATH: join(folder, 'store.db'),
      // So few that three nodes show it, and so short that nothing before adds up.
      GUARD_NODES: '3',
      GUARD_WINDOW: '1s',
    });
    running.push(auth);
    await waitUntilReady(auth, diagnostics);
    await discover(port);
    for (const [index, { name }] of NODES.entries()) {
      running.push(await startAgent(name, index, { port, folder }));
    }
    const tagctl = await tagctlAt(port);
    await waitFor('every node is SYNCED', async () => {
      const { stdout } = await tagctl(['nodes', 'ls', '--format', 'json']);
      const nodes = JSON.parse(stdout) as { readonly sync: { readonly state: string } }[];
      return nodes.filter(({ sync }) => sync.state === 'SYNCED').length === NODES.length || undefined;
    });
    const check = async (node: string, words: readonly string[]): Promise<unknown> => {
      const socket = join(folder, `${node}.sock`);
      const args = ['check', ...words, '--socket', socket, '--format', 'json'];
      return JSON.parse(await runProgramToAnyEnd('agent', ...args)) as unknown;
    };
    return { tagctl, check, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function tagctlAt(port: number): Promise<OperatorsWorld['tagctl']> {
  const { run } = (await importSource('apps/tagctl/src/testing/capture.ts')) as {
    readonly run: (words: readonly string[], options: object) => Promise<TagctlRun>;
  };
  const env = { ...tagctlEnv({ port }), VISUAL: 'true' };
  return (words) => run(words, { env, now: Date.now() });
}

function instanceId(index: number): string {
  return `i-0123456789abcdef${index}`;
}

async function startAgent(
  name: string,
  index: number,
  { port, folder }: { readonly port: number; readonly folder: string },
): Promise<ManagedProcess> {
  return await startService(
    'agent',
    name,
    {
      AUTH_ADDRESSES: `127.0.0.1:${port}`,
      TLS_MODE: 'insecure',
      SERVER_ID: name,
      DATA_DIR: join(folder, name),
      SOCKET: join(folder, `${name}.sock`),
      DIAGNOSTICS: `127.0.0.1:${await freePort()}`,
      AWS_ACCOUNT_ID: ACCOUNT.accountId,
      AWS_REGION: ACCOUNT.region,
      AWS_INSTANCE_ID: instanceId(index),
    },
    { AWS_EC2_METADATA_DISABLED: 'true' },
  );
}

/** Writes what a discovery would have found. */
async function discover(port: number): Promise<void> {
  using connection = createClientConnection({
    address: { host: '127.0.0.1', port },
    timeoutMs: 60_000,
    security: { mode: 'insecure', peer: { role: 'discovery', name: 'eu', proof: 'claimed' } },
  });
  const client = createClient(ServerInfoService, connection.transport);
  const now = Date.now();
  const serverInfos = NODES.flatMap(({ tags }, index) => {
    const instance = instanceFromMessage({
      $typeName: 'tagplane.v1.AwsInstance',
      ...ACCOUNT,
      instanceId: instanceId(index),
    });
    if (instance === undefined) return [];
    return draftToMessage({
      name: `aws-${ACCOUNT.accountId}-${ACCOUNT.region}-${instanceId(index)}`,
      match: { kind: 'aws-instance', instance },
      labels: new Map(Object.entries(tags).map(([key, value]) => [`aws/${key}`, value])),
      observedAt: now,
      ttlMs: 3_600_000,
    });
  });
  const { results } = await client.upsertServerInfos({ serverInfos });
  if (results.some(({ status }) => status !== UpsertStatus.ACCEPTED))
    throw new Error(JSON.stringify(results));
}
