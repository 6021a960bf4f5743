import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { DEFAULT_DATA_DIR, SOCKET_NAME } from '../config.ts';
import { DEFAULT_AGENT_SOCKET } from './paths.ts';
import { runPrincipals } from './principals.ts';
import { encodeCertificate, extension } from './testing/encode.ts';
import { okAnswer, startFakeSocket } from './testing/fake-socket.ts';

const CERTIFICATE = encodeCertificate({
  principals: ['dev', 'ops', 'alice@example.com'],
  keyId: 'alice',
  serial: 7n,
  extensions: [extension('traits@tagplane', '{"logins":["deploy"]}')],
});

async function run(args: readonly string[], deadlineMs?: number) {
  const out: string[] = [];
  const err: string[] = [];
  const io = {
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
  };
  const code = await runPrincipals(args, io, deadlineMs);
  return { code, out: out.join(''), err: err.join('') };
}

/** Runs it against a socket that answers so. */
async function answered(answer: string | undefined, certificate = CERTIFICATE) {
  await using socket = await startFakeSocket(answer);
  const args = ['--user', 'deploy', '--certificate', certificate, '--socket', socket.path];
  return { ...(await run(args, answer === undefined ? 50 : undefined)), asked: [...socket.asked] };
}

describe('ssh principals', () => {
  it('prints the principals that the agent grants, and asks with all that it needs to decide', async () => {
    const { asked, ...ran } = await answered(okAnswer({ allowed: true, granted_by: ['ops', 'dev'] }));
    expect(ran).toEqual({ code: 0, out: 'dev\nops\n', err: '' });
    expect(asked).toHaveLength(1);
    const [head = '', body = ''] = asked[0]?.split('\r\n\r\n') ?? [];
    expect(head).toMatch(/^POST \/v1\/decide HTTP\/1\.1\r\n/);
    expect(JSON.parse(body)).toEqual({
      login: 'deploy',
      roles: ['dev', 'ops'],
      traits: { logins: ['deploy'] },
      certificate: { key_id: 'alice', serial: '7' },
    });
  });

  it.each([
    ['a role that the certificate does not name', { allowed: true, granted_by: ['admin', 'dev'] }, 'dev\n'],
    ['a principal that is no role', { allowed: true, granted_by: ['alice@example.com'] }, ''],
    ['a role of a denied login', { allowed: false, granted_by: ['dev'] }, ''],
    ['a denied login', { allowed: false, granted_by: [] }, ''],
  ])('never prints %s', async (_, answer, out) => {
    expect(await answered(okAnswer(answer))).toMatchObject({ code: 0, out });
  });

  it.each([
    ['an answer that is no decision', okAnswer({ allowed: 'yes', granted_by: ['dev'] }), 'is no decision'],
    ['an answer that names no roles', okAnswer({ allowed: true }), 'is no decision'],
    ['an answer that is nothing', okAnswer(null), 'is no decision'],
    ['a refusal', 'HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\n{}', 'it answered 500'],
    ['half an answer', okAnswer({ allowed: true, granted_by: ['dev'] }).slice(0, -1), 'is not whole'],
    ['silence', undefined, 'it did not answer in time'],
  ])('prints nothing at %s, and says so', async (_, answer, why) => {
    const { code, out, err } = await answered(answer);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(`tagplane-agent ssh principals: the agent:`);
    expect(err).toContain(why);
  });

  it('prints nothing when there is no agent', async () => {
    const args = ['--user', 'deploy', '--certificate', CERTIFICATE, '--socket', '/nonexistent/a.sock'];
    expect(await run(args)).toMatchObject({ code: 1, out: '', err: expect.stringContaining('ENOENT') });
  });

  it.each([
    ["a host's certificate", encodeCertificate({ type: 2 }), 3, "it is a host's"],
    ['what is no certificate', 'AAAA', 3, 'the certificate:'],
    [
      'a certificate without roles',
      encodeCertificate({ principals: ['a b'] }),
      0,
      'no principal that can be',
    ],
  ])('asks nobody about %s', async (_, certificate, code, why) => {
    const ran = await answered(okAnswer({ allowed: true, granted_by: ['dev'] }), certificate);
    expect(ran).toMatchObject({ code, out: '', err: expect.stringContaining(why), asked: [] });
  });

  it('ends with 2 for a bad command line', async () => {
    expect(await run(['--user', 'deploy'])).toMatchObject({ code: 2, out: '' });
  });

  it("asks the agent's own socket where nothing else is configured", () => {
    expect(DEFAULT_AGENT_SOCKET).toBe(`${DEFAULT_DATA_DIR}/${SOCKET_NAME}`);
  });
});

describe('the program', () => {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));

  it('runs it, and loads nothing of a package for that', async () => {
    await using socket = await startFakeSocket(okAnswer({ allowed: true, granted_by: ['dev'] }));
    const args = [
      'ssh',
      'principals',
      '--user',
      'deploy',
      '--certificate',
      CERTIFICATE,
      '--socket',
      socket.path,
    ];
    // Without its condition the packages of the workspace cannot be found.
    const { stdout } = await promisify(execFile)(process.execPath, [main, ...args], {
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    expect(stdout).toBe('dev\n');
  });
});
