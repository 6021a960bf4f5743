import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { run } from '../testing/capture.ts';
import { fakeLock } from '../testing/fake-access.ts';
import type { ServedAuth } from '../testing/fake-auth.ts';
import { FakeAuth, serveAuth } from '../testing/fake-auth.ts';

// Generous: sockets on a busy machine.
jest.setTimeout(60_000);

let auth: FakeAuth;
let served: ServedAuth;

beforeEach(async () => {
  auth = new FakeAuth();
  served = await serveAuth(auth);
});

afterEach(async () => {
  await served[Symbol.asyncDispose]();
});

const tagctl = (...args: string[]) => run([...args, '--address', served.address]);
const INSTANCE = { accountId: '123456789012', region: 'eu-central-1', instanceId: 'i-0123456789abcdef0' };
const INSTANCE_TEXT = '123456789012/eu-central-1/i-0123456789abcdef0';

describe('lock add', () => {
  it.each([
    [['--agent', 'web-1'], { case: 'agent', value: 'web-1' }],
    [['--instance', INSTANCE_TEXT], { case: 'instance', value: INSTANCE }],
    [['--identity', 'spiffe://test/operator/bob'], { case: 'identity', value: 'spiffe://test/operator/bob' }],
  ])('%j', async (args, target) => {
    const { code } = await tagctl('lock', 'add', ...args, '--ttl', '90m', '--message', 'why not');
    expect(code).toBe(0);
    const [added] = auth.access.addedLocks;
    expect(added).toMatchObject({ target: { target }, message: 'why not', ttl: { seconds: 5_400n } });
  });

  it('without an end, as one document', async () => {
    const { stdout } = await tagctl('lock', 'add', '--agent', 'web-1', '--format', 'json');
    expect(JSON.parse(stdout)).toStrictEqual({
      id: 'agent:web-1',
      target: { agent: 'web-1' },
      message: null,
      expires_at: null,
      created_by: 'operator/tester',
      created_at: '2026-11-22T12:00:00.000Z',
    });
  });

  it.each([
    [[], /^tagctl: give one of --agent, --instance or --identity\n$/],
    [['--agent', 'a', '--instance', INSTANCE_TEXT], /--identity, not more than one\n$/],
    [['--identity', 'bob'], /Expected spiffe:\/\/CLUSTER\/ROLE\/NAME/],
    [['--agent', 'a/b'], /Expected letters/],
    [['--agent', 'a', '--ttl', '10ms'], /Expected a duration/],
  ])('%j exits 2', async (args, expected) => {
    const { code, stdout, stderr } = await tagctl('lock', 'add', ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(expected);
    expect(auth.access.addedLocks).toEqual([]);
  });

  it('takes the file of credentials before its own words', async () => {
    const args = ['--identity', '/nonexistent/me.json', 'lock', 'add', '--identity', 'spiffe://test/agent/a'];
    const { code, stderr } = await tagctl(...args);
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^tagctl: no credentials in \/nonexistent\/me\.json: run 'tagctl login /),
    });
  });
});

describe('lock ls and rm', () => {
  it('lists what is locked, why, and until when', async () => {
    auth.access.locks = [
      fakeLock({
        target: { target: { case: 'agent', value: 'web-1' } } as never,
        message: 'it\u009b31m',
        ttl: { seconds: 60n } as never,
      }),
    ];
    const { stdout } = await tagctl('lock', 'ls');
    expect(stdout).toMatch(/\nagent:web-1 +agent web-1 +in 1m +operator\/tester +.* ago +it\\u009b31m\n$/);
    const json = await tagctl('lock', 'ls', '--format', 'json');
    expect(JSON.parse(json.stdout)).toMatchObject([{ id: 'agent:web-1', message: 'it\u009b31m' }]);
    expect(await tagctl('lock', 'rm', 'agent:web-1')).toMatchObject({ code: 0, stderr: '' });
  });

  it('exits 1 for one that is not there', async () => {
    expect(await tagctl('lock', 'ls')).toEqual({ code: 0, stdout: '', stderr: 'no locks\n' });
    expect(await tagctl('lock', 'rm', 'agent/x')).toEqual({
      code: 1,
      stdout: '',
      stderr: "tagctl: no lock 'agent/x'\n",
    });
  });
});
