import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ServedAuth } from './testing/fake-auth.ts';
import { FakeAuth, serveAuth } from './testing/fake-auth.ts';
import { sampleChange } from './testing/fake-explain.ts';
import { sampleNode } from './testing/samples.ts';
import { nodeEvent, syncedEvent, watchScript } from './testing/watch-script.ts';

// A process starts in a second; a busy machine may take ten times that.
jest.setTimeout(60_000);

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const auth = new FakeAuth();
let served: ServedAuth;

beforeAll(async () => {
  served = await serveAuth(auth);
  auth.nodes = Array.from({ length: 2_500 }, (_, index) =>
    sampleNode(index, [['aws/Name', 'x'.repeat(200)]]),
  );
});

afterAll(async () => {
  await served[Symbol.asyncDispose]();
});

function environment(): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: '/nonexistent',
    TAGPLANE_ADDRESS: served.address,
    TAGPLANE_INSECURE: 'true',
  };
}

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, ['--conditions=@tagplane/source', MAIN, ...args], { env: environment() });
}

async function ended(child: ChildProcess): Promise<unknown> {
  const [code] = (await once(child, 'close')) as [number | null];
  return code;
}

async function run(args: string[], stdin = ''): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = start(...args);
  child.stdin?.end(stdin);
  const [code, stdout, stderr] = await Promise.all([
    ended(child),
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
  ]);
  return { code, stdout, stderr };
}

describe('the process', () => {
  it('exits 0, with everything written to its pipe', async () => {
    const { code, stdout, stderr } = await run(['nodes', 'ls', '--format', 'json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toHaveLength(2_500);
  });

  it('exits 1 when something is not there or cannot be reached, without a stack trace', async () => {
    expect(await run(['nodes', 'get', 'none'])).toMatchObject({ code: 1, stdout: '' });
    const gone = await serveAuth(new FakeAuth());
    await gone[Symbol.asyncDispose]();
    expect(await run(['status', '--address', gone.address])).toEqual({
      code: 1,
      stdout: '',
      stderr: `tagctl: cannot reach ${gone.address}: nothing listens there; is the auth service running? Otherwise give another with --address or TAGPLANE_ADDRESS\n`,
    });
  });

  it('exits 2 on a bad command line or file', async () => {
    expect(await run(['nodes', 'lss'])).toMatchObject({ code: 2, stdout: '' });
    expect(await run(['create', '-'], 'kind: x')).toMatchObject({ code: 2, stdout: '' });
    expect(auth.upserts).toHaveLength(0);
  });

  it('reads documents from standard input', async () => {
    const document = 'kind: server_info\nmetadata: {name: a}\nspec: {match: {server_id: a}, labels: {}}\n';
    expect(await run(['create', '-'], document)).toEqual({
      code: 0,
      stdout: 'server_info a stored\n',
      stderr: '',
    });
  });

  it('ends quietly when its reader does', async () => {
    const pipeline = `"$0" --conditions=@tagplane/source "$1" nodes ls | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const child = spawn('bash', ['--norc', '-c', pipeline, process.execPath, MAIN], { env: environment() });
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), ended(child)]);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^SERVER ID .*\n0\n$/);
  });

  // A call that is left keeps its deadline, and that would keep the process.
  it('ends at once when a preview has been read', async () => {
    auth.explain.changes = Array.from({ length: 5_000 }, (_, index) =>
      sampleChange(`server-${index}`, { gained: { 'dynamic/a': 'x'.repeat(100) } }),
    );
    const words = ['label', 'set', '--node', 'server-1', 'dynamic/a=1', '--dry-run'];
    const whole = await run([...words, '--format', 'json']);
    expect(whole).toMatchObject({ code: 0, stderr: '' });
    expect((JSON.parse(whole.stdout) as { changes: unknown[] }).changes).toHaveLength(5_000);
  });

  it('watches until it is told to stop, and then exits 0', async () => {
    auth.watches = [watchScript([nodeEvent(sampleNode(1)), syncedEvent()], 'hold')];
    const child = start('nodes', 'watch');
    const end = ended(child);
    const [line] = child.stdout ? ((await once(child.stdout, 'data')) as [Buffer]) : [''];
    expect(line.toString()).toBe('server-00001 SYNCED connected\n');
    child.kill('SIGTERM');
    expect(await end).toBe(0);
  });
});
