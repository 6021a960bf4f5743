import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@tagplane/harness';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PROJECT = `tagplane-e2e-${process.pid}`;
/** Images are built from nothing: packages are installed inside. */
const UP_MS = 900_000;
const STEP_MS = 240_000;
const AGENTS = ['agent-1', 'agent-2', 'agent-3'];
const SERVICES = [...AGENTS, 'auth-1', 'auth-2', 'discovery'];
/** They do their work at each `up`, and end. */
const ONE_SHOTS = ['bootstrap', 'setup'];
const CHANGED = { region: 'us-east-1', id: 'i-01c16cd851b2ae09d' };

interface JoinRow {
  readonly role: string;
  readonly name: string;
  readonly aws: { readonly instance_id: string } | null;
}

interface NodeRow {
  readonly server_id: string;
  readonly connected: boolean;
  readonly auth_id: string;
  readonly labels: Record<string, string>;
  readonly sync: { readonly state: string };
}

/** The compose plug-in of a current engine, or the stand-alone program of an older one. */
let compose: readonly string[];

beforeAll(async () => {
  compose = await run(['docker', 'compose', 'version']).then(
    () => ['docker', 'compose'],
    () => ['docker-compose'],
  );
  await docker('up', '--build', '-d');
}, UP_MS);

afterAll(async () => {
  await docker('down', '--volumes', '--timeout', '15');
}, STEP_MS);

describe('docker compose', () => {
  it(
    'brings every agent to SYNCED, as tagctl says',
    async () => {
      const nodes = await nodesOnce((all) => AGENTS.every((id) => synced(all, id)));
      expect(nodes.map((node) => node.server_id)).toEqual(AGENTS);
      expect(nodes.find((node) => node.server_id === 'agent-1')?.labels).toMatchObject({
        tier: 'demo',
        'aws/Patch Group': 'manual',
      });
    },
    STEP_MS,
  );

  it(
    'finds every service healthy',
    async () => {
      const ids = (await docker('ps', '-q', ...SERVICES, 'redis')).split('\n');
      await waitFor(
        'every container is healthy',
        async () => {
          const states = await run(['docker', 'inspect', '-f', '{{.State.Health.Status}}', ...ids]);
          return states.split('\n').every((state) => state === 'healthy');
        },
        { timeoutMs: STEP_MS, everyMs: 1_000 },
      );
    },
    STEP_MS,
  );

  it(
    'has let in everybody by certificates, and agents on the instance of their token only',
    async () => {
      const joins = await tagctl<JoinRow[]>('joins', 'ls');
      expect(joins.map(({ role, name, aws }) => [role, name, aws?.instance_id]).toSorted()).toEqual([
        ['agent', 'agent-1', 'i-01c16cd85ebd83f8d'],
        ['agent', 'agent-2', 'i-086042b7c99a2c3e1'],
        ['agent', 'agent-3', CHANGED.id],
        ['discovery', 'compose', undefined],
      ]);
      expect(await exitCodes(ONE_SHOTS)).toEqual(['0', '0']);
    },
    STEP_MS,
  );

  it.each([
    ['another up', []],
    ['down and up', ['down']],
  ])(
    'goes on as the same cluster after %s',
    async (_what, before) => {
      const [joins, whoami] = [await tagctl('joins', 'ls'), await tagctl('whoami')];
      if (before.length > 0) await docker(...before, '--timeout', '15');
      await docker('up', '-d');
      expect(await tagctl('joins', 'ls')).toEqual(joins);
      expect(await tagctl('whoami')).toEqual(whoami);
      await nodesOnce((all) => AGENTS.every((id) => synced(all, id)));
      expect(await exitCodes(ONE_SHOTS)).toEqual(['0', '0']);
    },
    2 * STEP_MS,
  );

  it(
    'still delivers a changed tag after one auth was stopped',
    async () => {
      const [holder] = (await nodesOnce(() => true)).filter((node) => node.server_id === 'agent-3');
      const stopped = holder?.auth_id.startsWith('auth-1') === true ? 'auth-1' : 'auth-2';
      await docker('stop', stopped);
      await setTag('delivered-without', stopped);
      const nodes = await nodesOnce((all) => {
        const node = all.find((one) => one.server_id === 'agent-3');
        return node?.labels['aws/delivered-without'] === stopped && synced(all, 'agent-3');
      });
      expect(nodes.find((node) => node.server_id === 'agent-3')?.auth_id).not.toBe(holder?.auth_id);
    },
    STEP_MS,
  );

  it(
    'stops within the grace, by itself',
    async () => {
      await docker('stop');
      const codes = await exitCodes(SERVICES);
      expect(codes.filter((code) => code !== '0')).toEqual([]);
      expect(codes).toHaveLength(SERVICES.length);
    },
    STEP_MS,
  );
});

function synced(nodes: readonly NodeRow[], id: string): boolean {
  return nodes.some((node) => node.server_id === id && node.connected && node.sync.state === 'SYNCED');
}

/** What `tagctl nodes ls` says, as soon as it says what is asked. */
async function nodesOnce(holds: (nodes: NodeRow[]) => boolean): Promise<NodeRow[]> {
  return await waitFor(
    'tagctl nodes ls says so',
    async () => {
      const nodes = await tagctl<NodeRow[]>('nodes', 'ls');
      if (!holds(nodes)) throw new Error(JSON.stringify(nodes));
      return nodes;
    },
    { timeoutMs: STEP_MS, everyMs: 1_000 },
  );
}

/** What a command of tagctl prints, as the operator whom `bootstrap` made. */
async function tagctl<Document>(...words: string[]): Promise<Document> {
  return JSON.parse(await docker('run', '--rm', '-T', 'tagctl', ...words, '--format', 'json')) as Document;
}

async function exitCodes(services: readonly string[]): Promise<string[]> {
  const ids = await docker('ps', '-a', '-q', ...services);
  return (await run(['docker', 'inspect', '-f', '{{.State.ExitCode}}', ...ids.split('\n')])).split('\n');
}

async function setTag(key: string, value: string): Promise<void> {
  const url = `http://127.0.0.1:7400/_control/instances/${CHANGED.region}/${CHANGED.id}/tags`;
  const init = { method: 'POST', body: JSON.stringify({ set: { [key]: value } }) };
  const script = `fetch(${JSON.stringify(url)}, ${JSON.stringify(init)}).then((r) => process.exit(r.ok ? 0 : 1))`;
  await docker('exec', '-T', 'ec2', 'node', '-e', script);
}

function docker(...args: string[]): Promise<string> {
  return run([...compose, '-p', PROJECT, ...args]);
}

async function run([command = '', ...args]: readonly string[]): Promise<string> {
  return await new Promise((resolve, reject) => {
    const options = {
      cwd: ROOT,
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, DOCKER_BUILDKIT: '0', COMPOSE_DOCKER_CLI_BUILD: '0' },
    };
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.trim());
      else reject(new Error(`${command} ${args.join(' ')}: ${stderr.slice(-2_000)}`, { cause: error }));
    });
  });
}
