import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { refusal } from '@tagplane/access';
import type { AccessRequest, Decision, LabelFact, RuleFact } from '@tagplane/access';
import { createLogger } from '@tagplane/runtime';
import { ask } from './ask.ts';
import { groupId } from './group.ts';
import { serveLogins } from './login-socket.ts';
import { DECIDE_PATH } from './paths.ts';

const never = new AbortController().signal;
const QUESTION = JSON.stringify({
  login: 'deploy',
  roles: ['dev', 'ops'],
  traits: { logins: ['deploy'] },
  certificate: { key_id: 'alice', serial: '7' },
});

let folder: string;
let socket: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-'));
  socket = join(folder, 'run/ssh.sock');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

interface Logged {
  readonly event: string;
}

const GRANTED: Decision = {
  allowed: true,
  grantedBy: ['dev'],
  reason: { cause: 'granted', detail: 'role dev allows deploy', facts: [], omitted: 0 },
};

async function serve(
  options: { readonly group?: string; readonly decide?: (request: AccessRequest) => Decision } = {},
) {
  const { group, decide = () => GRANTED } = options;
  const logged: Logged[] = [];
  const asked: AccessRequest[] = [];
  const log = createLogger('agent', 'info', {
    write: (line) => logged.push(JSON.parse(line) as Logged),
  });
  const server = await serveLogins({
    config: { socket, group },
    decide(request) {
      asked.push(request);
      return decide(request);
    },
    log,
  });
  return { logged, asked, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

async function statusOf(options: {
  method: string;
  path: string;
  body?: string;
}): Promise<number | undefined> {
  const call = request({ socketPath: socket, method: options.method, path: options.path });
  call.end(options.body);
  const [response] = (await once(call, 'response')) as [{ statusCode: number } & NodeJS.ReadableStream];
  await text(response);
  return response.statusCode;
}

describe('the socket for logins', () => {
  it('tells what was decided, and nothing more; the log says why', async () => {
    const labels: LabelFact[] = [
      {
        ...{ key: 'aws/team', wanted: ['db'], state: 'stale', value: 'secret' },
        ...{ source: 'discovered', ageMs: 1, remainingMs: -1 },
      },
    ];
    const facts: RuleFact[] = [
      { role: 'dev', outcome: 'does-not-grant', effect: 'allow', rule: 1, truth: 'unknown', labels },
      { role: 'ops', outcome: 'no-role', effect: undefined, rule: undefined, truth: undefined, labels: [] },
    ];
    const reason = { cause: 'not-granted', detail: 'no role allows deploy', facts, omitted: 0 } as const;
    await using served = await serve({ decide: () => ({ allowed: false, grantedBy: [], reason }) });
    expect(await ask(socket, DECIDE_PATH, QUESTION, never)).toEqual({ allowed: false, granted_by: [] });
    expect(served.asked).toMatchObject([
      { login: 'deploy', roles: ['dev', 'ops'], traits: new Map([['logins', ['deploy']]]) },
    ]);
    expect(served.logged.filter(({ event }) => event === 'ssh_login_decided')).toMatchObject([
      {
        ...{ level: 'info', login: 'deploy', key_id: 'alice', serial: '7' },
        ...{ allowed: false, granted_by: [], reason: 'not-granted', detail: 'no role allows deploy' },
        facts: ['dev allow 1: does-not-grant, aws/team stale', 'ops: no-role'],
      },
    ]);
    expect(JSON.stringify(served.logged)).not.toContain('secret');
  });

  it('says so when there is nothing to decide by', async () => {
    await using served = await serve({ decide: () => refusal('no roles yet') });
    expect(await ask(socket, DECIDE_PATH, QUESTION, never)).toEqual({ allowed: false, granted_by: [] });
    expect(served.logged).toContainEqual(
      expect.objectContaining({ reason: 'unavailable', detail: 'no roles yet' }),
    );
  });

  it('names the roles that grant', async () => {
    await using _served = await serve();
    expect(await ask(socket, DECIDE_PATH, QUESTION, never)).toEqual({ allowed: true, granted_by: ['dev'] });
  });

  it('is for everybody, or for one group', async () => {
    {
      await using _served = await serve();
      expect((await stat(socket)).mode & 0o777).toBe(0o666);
    }
    const gid = process.getgid?.() ?? 0;
    await using _served = await serve({ group: String(gid) });
    expect(await stat(socket)).toMatchObject({ gid });
    expect((await stat(socket)).mode & 0o777).toBe(0o660);
    expect((await stat(join(folder, 'run'))).mode & 0o777).toBe(0o755);
  });

  it.each([
    ['another path', { method: 'POST', path: '/v1/labels', body: QUESTION }, 404],
    ['no body', { method: 'GET', path: DECIDE_PATH }, 400],
    ['no JSON', { method: 'POST', path: DECIDE_PATH, body: '{' }, 400],
    ['no question', { method: 'POST', path: DECIDE_PATH, body: '{}' }, 400],
    ['too much', { method: 'POST', path: DECIDE_PATH, body: `"${'x'.repeat(257 * 1024)}"` }, 400],
  ])('decides nothing for %s', async (_, call, status) => {
    await using served = await serve();
    expect(await statusOf(call)).toBe(status);
    expect(served.asked).toEqual([]);
  });

  it('gives no answer when deciding fails', async () => {
    await using served = await serve({
      decide: () => {
        throw new Error('odd');
      },
    });
    await expect(ask(socket, DECIDE_PATH, QUESTION, never)).rejects.toMatchObject({ name: 'NoAnswerError' });
    expect(served.logged).toContainEqual(
      expect.objectContaining({ event: 'ssh_question_failed', error: 'odd' }),
    );
  });

  it.each([
    '',
    'POST /v1/decide HTTP/1.1\r\n',
    'POST /v1/decide HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{',
  ])('does not wait for who says only %j', async (said) => {
    await using _served = await serve();
    const slow = connect({ path: socket });
    slow.write(said);
    slow.resume();
    await once(slow, 'close');
    expect(await ask(socket, DECIDE_PATH, QUESTION, never)).toMatchObject({ allowed: true });
  });

  it('names the key when it cannot be made', async () => {
    await using _served = await serve();
    await expect(serve()).rejects.toThrow(/^ssh\.socket: .* is in use by a running agent/);
    await expect(serve({ group: 'no-such-group' })).rejects.toThrow('ssh.group: there is no no-such-group');
  });
});

describe('groupId', () => {
  it('knows numbers, and names in the file', async () => {
    const file = join(folder, 'group');
    await writeFile(file, 'root:x:0:\nsshd-ask:x:998:nobody\n');
    expect(await groupId('sshd-ask', file)).toBe(998);
    expect(await groupId('65534', file)).toBe(65_534);
    await expect(groupId('ask', file)).rejects.toMatchObject({ name: 'ConfigError' });
  });
});
