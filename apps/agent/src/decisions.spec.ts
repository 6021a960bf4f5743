import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { AccessRole, DecisionDocument } from '@tagplane/access';
import { rolesRevision } from '@tagplane/access';
import { GoodbyeReason } from '@tagplane/protocol';
import { TestAuthority, TestIssuer } from '@tagplane/protocol/testing';
import type { AgentSettings } from './host.ts';
import { askAgent } from './local-client.ts';
import type { FakeAuth, FakeStream } from './testing/index.ts';
import {
  FakeSigner,
  eventually,
  runAgentProgram,
  sampleRole,
  sampleServerId,
  startAgent,
  startFakeAuth,
} from './testing/index.ts';

jest.setTimeout(120_000);

const PROD = new Map([['aws/env', 'prod']]);
const DEV = new Map([['aws/env', 'dev']]);
const ROLES = [sampleRole('dev', 'aws/env', 'dev'), sampleRole('ops', 'aws/env', 'prod')];
const HOUR = 3_600_000;
const never = new AbortController().signal;

let authority: TestAuthority;
let directory: string;

beforeAll(async () => {
  authority = await TestAuthority.create();
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agent-decides-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

function settings(secure: boolean): Partial<AgentSettings> {
  const by = { method: 'token', token: 't' } as const;
  return {
    ...(secure
      ? { security: { mode: 'mutual', join: { by, pins: [authority.pin] } } }
      : { serverId: sampleServerId('given') }),
    dataDir: directory,
    socket: join(directory, 'agent.sock'),
  };
}

function startAuth(secure: boolean): Promise<FakeAuth> {
  return startFakeAuth(secure ? { tls: { authority, issuer: new TestIssuer(authority) } } : {});
}

async function ask(...roles: readonly string[]): Promise<DecisionDocument> {
  const question = { login: 'deploy', roles };
  return (await askAgent(join(directory, 'agent.sock'), '/v1/decide', never, question)) as DecisionDocument;
}

/** A stream over which labels and roles came. */
async function told(
  auth: FakeAuth,
  labels = PROD,
  roles: readonly AccessRole[] = ROLES,
): Promise<FakeStream> {
  const stream = await auth.nextStream();
  expect((await stream.next('hello')).decides).toBe(true);
  stream.replace('l1', labels, { ageMs: 0, remainingMs: HOUR });
  await stream.next('labelsAck');
  stream.replaceRoles('r1', roles);
  expect((await stream.next('rolesAck')).nonce).toBe('r1');
  return stream;
}

const file = (name: string): string => join(directory, name);

describe.each([
  ['with TLS', true],
  ['without TLS', false],
])('an agent that decides, %s', (_, secure) => {
  it('follows labels and roles as they change, and tells what it holds', async () => {
    await using auth = await startAuth(secure);
    await using agent = await startAgent([auth.address], settings(secure));
    expect(await ask('ops')).toMatchObject({ allowed: false, reason: 'unavailable' });
    const stream = await told(auth);
    expect(await ask('ops', 'dev')).toMatchObject({ allowed: true, granted_by: ['ops'] });
    stream.replace('l2', DEV, { ageMs: 0, remainingMs: HOUR });
    await stream.next('labelsAck');
    expect(await ask('ops', 'dev')).toMatchObject({ allowed: true, granted_by: ['dev'] });
    const denying = { ...sampleRole('dev', 'aws/env', 'dev'), deny: sampleRole('x').allow };
    const next = [denying, ...ROLES.slice(1)];
    stream.changeRoles('r2', ROLES, next);
    await stream.next('rolesAck');
    expect(await ask('ops', 'dev')).toMatchObject({ allowed: false, reason: 'denied' });
    expect(agent.view().roles).toMatchObject({ revision: rolesRevision(next), source: 'stream', count: 2 });
    stream.changeRoles('r3', ROLES, ROLES);
    expect(await stream.next('rolesNack')).toMatchObject({
      nonce: 'r3',
      reason: expect.stringMatching(/hold/),
    });
    stream.send({ case: 'goodbye', value: { reason: GoodbyeReason.DRAIN } });
    const { heartbeat } = await (await auth.nextStream()).next('hello');
    expect(heartbeat).toMatchObject({ heldRolesRevision: rolesRevision(next) });
    expect(Number(heartbeat?.heldRolesRemaining?.seconds)).toBeGreaterThan(23 * 3_600);
  });

  it('decides from its disk when it starts without an auth service, until that is over', async () => {
    const auth = await startAuth(secure);
    {
      await using _agent = await startAgent([auth.address], settings(secure));
      const stream = await told(auth);
      stream.renewRoles('r2', rolesRevision(ROLES), 1_000_000);
      await stream.next('rolesAck');
    }
    await auth.stop();
    await using agent = await startAgent([auth.address], settings(secure));
    expect(agent.view()).toMatchObject({ held: { source: 'disk' }, roles: { source: 'disk' }, refused: [] });
    expect(agent.view().roles?.remainingMs).toBeLessThanOrEqual(1_000_000);
    expect(await ask('ops')).toMatchObject({ allowed: true });
  });

  it('denies all when the life of its roles is over, also after a restart', async () => {
    const auth = await startAuth(secure);
    const over = async (): Promise<string> =>
      await eventually('the end of the roles', async () => {
        const { reason, detail } = await ask('ops');
        return reason === 'unavailable' ? detail : undefined;
      });
    {
      await using _agent = await startAgent([auth.address], settings(secure));
      const stream = await told(auth);
      expect(await ask('ops')).toMatchObject({ allowed: true });
      stream.renewRoles('r2', rolesRevision(ROLES), 500);
      await stream.next('rolesAck');
      expect(await over()).toMatch(/count no more/);
    }
    await auth.stop();
    await using agent = await startAgent([auth.address], settings(secure));
    expect(agent.view().roles).toMatchObject({ source: 'disk', remainingMs: 0 });
    expect(await over()).toMatch(/count no more/);
  });

  it.each(['labels.json', 'roles.json'])(
    'is denied all by a %s that was edited, and says why',
    async (name) => {
      const auth = await startAuth(secure);
      {
        await using _agent = await startAgent([auth.address], settings(secure));
        await told(auth);
      }
      await auth.stop();
      await writeFile(file(name), (await readFile(file(name), 'utf8')).replace('prod', 'dev!'));
      await using agent = await startAgent([auth.address], settings(secure));
      expect(agent.view().refused).toMatchObject([
        { file: name, reason: expect.stringMatching(/not as this agent/) },
      ]);
      const answer = await ask('ops', 'dev');
      expect(answer.allowed).toBe(false);
      if (name === 'roles.json') expect(answer.detail).toMatch(/refused, it is not as this agent wrote it/);
    },
  );

  it('is denied all by files that were put back, and takes new ones from the auth service', async () => {
    await using auth = await startAuth(secure);
    {
      await using _agent = await startAgent([auth.address], settings(secure));
      const stream = await told(auth);
      await copyFile(file('labels.json'), file('old'));
      stream.replace('l2', DEV, { ageMs: 0, remainingMs: HOUR });
      await stream.next('labelsAck');
    }
    await copyFile(file('old'), file('labels.json'));
    await using agent = await startAgent([auth.address], settings(secure));
    expect(await ask('ops')).toMatchObject({ allowed: false });
    expect(agent.view().refused).toMatchObject([{ reason: expect.stringMatching(/put back/) }]);
    await told(auth);
    expect(await ask('ops')).toMatchObject({ allowed: true });
  });
});

describe('what the auth service signs', () => {
  async function labelled(auth: FakeAuth): Promise<FakeStream> {
    const stream = await auth.nextStream();
    await stream.next('hello');
    return stream;
  }

  it('is refused when somebody else signed it, on the stream', async () => {
    await using auth = await startAuth(true);
    await using agent = await startAgent([auth.address], settings(true));
    const stream = await labelled(auth);
    stream.signer = await FakeSigner.create(await TestAuthority.create());
    stream.replace('l1', PROD, { remainingMs: HOUR });
    expect(await stream.next('labelsNack')).toMatchObject({ reason: expect.stringMatching(/its signature/) });
    stream.replaceRoles('r1', ROLES);
    expect(await stream.next('rolesNack')).toMatchObject({ reason: expect.stringMatching(/its signature/) });
    expect(agent.view()).toMatchObject({ held: { source: 'none' }, roles: { source: 'none' } });
  });

  it('counts on the stream without a signature, as from an older auth service, and not from the disk', async () => {
    const auth = await startAuth(true);
    {
      await using _agent = await startAgent([auth.address], settings(true));
      const stream = await labelled(auth);
      stream.signer = undefined;
      stream.replace('l1', PROD, { remainingMs: HOUR });
      stream.replaceRoles('r1', ROLES);
      await stream.next('rolesAck');
      expect(await ask('ops')).toMatchObject({ allowed: true });
    }
    await auth.stop();
    await using agent = await startAgent([auth.address], settings(true));
    const reason = 'the auth service has not signed it';
    expect(agent.view().refused).toMatchObject([
      { file: 'labels.json', reason },
      { file: 'roles.json', reason },
    ]);
  });

  it('is not taken from the disk once its authority is not trusted any more', async () => {
    const auth = await startAuth(true);
    {
      await using _agent = await startAgent([auth.address], settings(true));
      await told(auth);
    }
    await auth.stop();
    const other = await TestAuthority.create();
    const credentials = await other.credentials({ role: 'agent', name: 'given' });
    await rm(file('credentials.json'));
    const security = { mode: 'mutual', credentials } as const;
    await using agent = await startAgent([auth.address], { ...settings(true), security });
    expect(agent.view().refused).toMatchObject([
      { file: 'labels.json', reason: expect.stringMatching(/^its signature: /) },
      { file: 'roles.json', reason: expect.stringMatching(/^its signature: /) },
    ]);
  });
});

describe('tagplane-agent check', () => {
  it('prints the decision with its reason, and ends with 0 or 3', async () => {
    await using auth = await startAuth(false);
    await using _agent = await startAgent([auth.address], settings(false));
    await told(auth);
    const socket = ['--socket', file('agent.sock')];
    const allowed = await runAgentProgram(['check', '--login', 'deploy', '--roles', 'dev,ops', ...socket]);
    expect(allowed).toMatchObject({ code: 0, stdout: expect.stringMatching(/aws\/env is "prod"/) });
    const words = ['check', '--login', 'root', '--roles', 'ops', '--trait', 'a=b', '--format', 'json'];
    const denied = await runAgentProgram([...words, ...socket]);
    expect(denied.code).toBe(3);
    expect(JSON.parse(denied.stdout)).toMatchObject({
      allowed: false,
      granted_by: [],
      reason: 'not-granted',
    });
    const none = await runAgentProgram(['check', '--login', 'x'.repeat(300), ...socket]);
    expect(none).toMatchObject({ code: 2, stderr: expect.stringMatching(/^tagplane-agent: check: login: /) });
  });

  it('is not answered by an agent that is not to decide', async () => {
    await using auth = await startAuth(false);
    await using agent = await startAgent([auth.address], { ...settings(false), decides: false });
    expect((await (await auth.nextStream()).next('hello')).decides).toBe(false);
    await expect(ask('ops')).rejects.toThrow(/404/);
    expect(agent.view().roles).toBeUndefined();
  });
});
