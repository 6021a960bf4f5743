import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { JoinRecordSchema, Role } from '@tagplane/protocol';
import { NOW, run } from '../testing/capture.ts';
import type { ServedAuth } from '../testing/fake-auth.ts';
import { FakeAuth, serveAuth } from '../testing/fake-auth.ts';

// Generous: sockets on a busy machine.
jest.setTimeout(60_000);

let auth: FakeAuth;
let served: ServedAuth;

beforeEach(async () => {
  auth = new FakeAuth();
  auth.access.joins = [
    create(JoinRecordSchema, {
      role: Role.AGENT,
      name: 'web-1',
      method: 'token',
      proof: 'token id1',
      awsInstance: { accountId: '123456789012', region: 'eu-central-1', instanceId: 'i-0123456789abcdef0' },
      joinedAt: timestampFromMs(NOW - 60_000),
      remoteAddress: '10.0.0.1',
    }),
  ];
  served = await serveAuth(auth);
});

afterEach(async () => {
  await served[Symbol.asyncDispose]();
});

const tagctl = (...args: string[]) => run([...args, '--address', served.address]);
const INSTANCE = '123456789012/eu-central-1/i-0123456789abcdef0';

it('joins ls', async () => {
  const { stdout } = await tagctl('joins', 'ls');
  expect(stdout).toMatch(/^ROLE .*\nagent +web-1 +token +1m ago +123.*abcdef0 +10\.0\.0\.1 +token id1\n$/);
  const json = await tagctl('joins', 'ls', '--format', 'json');
  expect(JSON.parse(json.stdout)).toStrictEqual([
    {
      role: 'agent',
      name: 'web-1',
      method: 'token',
      proof: 'token id1',
      aws: { account_id: '123456789012', region: 'eu-central-1', instance_id: 'i-0123456789abcdef0' },
      joined_at: '2026-11-22T11:59:00.000Z',
      remote_address: '10.0.0.1',
    },
  ]);
});

describe('joins reset', () => {
  it.each([
    [['--agent', 'web-1'], { case: 'serverId', value: 'web-1' }, 'agent web-1'],
    [['--instance', INSTANCE], { case: 'instance' }, `instance ${INSTANCE}`],
    [['--discovery', 'eu'], { case: 'discovery', value: 'eu' }, 'discovery eu'],
    [['--operator', 'bob'], { case: 'operator', value: 'bob' }, 'operator bob'],
  ])('%j', async (args, subject, text) => {
    expect(await tagctl('joins', 'reset', ...args)).toEqual({
      code: 0,
      stdout: `${text} may be joined anew\n`,
      stderr: '',
    });
    expect(auth.access.resets).toMatchObject([subject]);
  });

  it('exits 1 when nobody had joined so', async () => {
    auth.access.joins = [];
    expect(await tagctl('joins', 'reset', '--agent', 'x')).toEqual({
      code: 1,
      stdout: '',
      stderr: "tagctl: agent x has not joined; 'tagctl joins ls' lists who has\n",
    });
    const json = await tagctl('joins', 'reset', '--agent', 'x', '--format', 'json');
    expect([json.code, JSON.parse(json.stdout)]).toEqual([1, { reset: false }]);
  });

  it('exits 2 when it is not said which', async () => {
    expect(await tagctl('joins', 'reset')).toMatchObject({
      code: 2,
      stderr: 'tagctl: give one of --agent, --instance, --discovery or --operator\n',
    });
  });
});
