import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Code, ConnectError } from '@connectrpc/connect';
import { readCredentialFile, writeCredentialFile } from '@tagplane/credentials';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { TestAuthority, TestIssuer } from '@tagplane/protocol/testing';
import { SECOND } from '@tagplane/runtime';
import type { AgentSettings } from './host.ts';
import { eventually, sampleInstance, sampleServerId, startAgent, startFakeAuth } from './testing/index.ts';
import type { FakeAuth, FakeStream, RunningAgent } from './testing/index.ts';

jest.setTimeout(120_000);

const PROD = new Map([['aws/env', 'prod']]);

let authority: TestAuthority;
let issuer: TestIssuer;
let directory: string;
let file: string;

beforeAll(async () => {
  authority = await TestAuthority.create();
});

beforeEach(async () => {
  issuer = new TestIssuer(authority);
  directory = await mkdtemp(join(tmpdir(), 'agent-mutual-'));
  file = join(directory, 'credentials.json');
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

function startAuth(port = 0): Promise<FakeAuth> {
  return startFakeAuth({ port, tls: { authority, issuer } });
}

function settings(changes: Partial<AgentSettings> = {}): Partial<AgentSettings> {
  const by = { method: 'token', token: 'tp-secret' } as const;
  return {
    security: { mode: 'mutual', join: { by, pins: [authority.pin] } },
    dataDir: directory,
    ...changes,
  };
}

async function labelled(auth: FakeAuth): Promise<FakeStream> {
  const stream = await auth.nextStream();
  await stream.next('hello');
  stream.replace('n1', PROD, { ageMs: 0, remainingMs: 3_600_000 });
  await stream.next('labelsAck');
  return stream;
}

/** What is held from the auth service. */
function heldBy({ view }: RunningAgent): readonly string[] {
  return view().held.fresh.flatMap((set) => [...set.labels.keys()]);
}

describe('an agent that joins', () => {
  it('takes its name from the certificate, keeps it, and does not join again', async () => {
    await using auth = await startAuth();
    {
      await using agent = await startAgent([auth.address], settings());
      expect(agent.view().serverId).toBe('');
      const stream = await auth.nextStream();
      expect(stream.peer).toBe('agent/given');
      const hello = await stream.next('hello');
      expect(hello).toMatchObject({ serverId: 'given', heartbeat: { trustGeneration: 1n } });
      expect(agent.view()).toMatchObject({
        serverId: 'given',
        joinMethod: 'token',
        credentials: { credentials: { id: 'spiffe://test/agent/given' }, problem: undefined },
      });
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    }
    issuer.givenName = 'another';
    await using agent = await startAgent([auth.address], settings());
    expect(agent.view().serverId).toBe('given');
    expect((await auth.nextStream()).peer).toBe('agent/given');
    expect(issuer.joins).toHaveLength(1);
    expect(issuer.joins[0]).toMatchObject({
      start: { name: '' },
      method: { case: 'token', value: { token: 'tp-secret' } },
    });
  });

  it('asks for the configured server id, and joins anew when it is another one', async () => {
    await using auth = await startAuth();
    {
      await using _agent = await startAgent([auth.address], settings({ serverId: sampleServerId('web-1') }));
      expect((await auth.nextStream()).peer).toBe('agent/web-1');
    }
    await using _agent = await startAgent([auth.address], settings({ serverId: sampleServerId('web-2') }));
    expect((await auth.nextStream()).peer).toBe('agent/web-2');
    expect(issuer.joins.map(({ start }) => start.name)).toEqual(['web-1', 'web-2']);
    expect((await readCredentialFile(`${file}.bad`))?.name).toBe('web-1');
  });

  it('waits for an auth service that is away, and serves what it has meanwhile', async () => {
    const first = await startAuth();
    await first.stop();
    await using agent = await startAgent([first.address], settings());
    await eventually('a failed attempt', () =>
      Promise.resolve(
        agent.view().credentials?.problem?.includes('not joined yet: ') === true ? true : undefined,
      ),
    );
    expect(agent.view()).toMatchObject({ serverId: '', connection: { state: 'waiting' } });
    await using auth = await startAuth(first.address.port);
    expect((await auth.nextStream()).peer).toBe('agent/given');
  });

  it('says why it is refused', async () => {
    issuer.admit = () => {
      throw new ConnectError('no such token', Code.PermissionDenied);
    };
    await using auth = await startAuth();
    await using agent = await startAgent([auth.address], settings());
    const problem = await eventually('a refusal', () => {
      const text = agent.view().credentials?.problem;
      return Promise.resolve(text === 'joining' ? undefined : text);
    });
    expect(problem).toBe('not joined yet: PermissionDenied: no such token');
    expect(issuer.joins).toHaveLength(1);
  });

  it('does not join an auth service that has another pin', async () => {
    await using auth = await startAuth();
    const by = { method: 'token', token: 'tp-secret' } as const;
    const pins = [`sha256:${'00'.repeat(32)}`];
    await using agent = await startAgent(
      [auth.address],
      settings({ security: { mode: 'mutual', join: { by, pins } } }),
    );
    const problem = await eventually('a failed attempt', () => {
      const text = agent.view().credentials?.problem;
      return Promise.resolve(text?.includes('pin') === true ? text : undefined);
    });
    expect(problem).not.toContain('tp-secret');
    expect(issuer.joins).toHaveLength(0);
  });

  it('without credentials and without a way to get any does not start', async () => {
    await using auth = await startAuth();
    const starting = startAgent([auth.address], settings({ security: { mode: 'mutual' } }));
    await expect(starting).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(/^join: .*tagctl tokens add/),
    });
  });

  it('does not use credentials that others may read', async () => {
    await using auth = await startAuth();
    await writeCredentialFile(file, await authority.credentials({ role: 'agent', name: 'web-1' }));
    await chmod(file, 0o644);
    const starting = startAgent([auth.address], settings());
    await expect(starting).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(/^data_dir: .*chmod 600/),
    });
  });

  it.each([
    ['of an operator', () => authority.credentials({ role: 'operator', name: 'root' })],
    ['cut short', () => Promise.resolve(undefined)],
  ])('sets credentials aside that are %s, and joins', async (_, make) => {
    await using auth = await startAuth();
    const credentials = await make();
    if (credentials === undefined) await writeFile(file, '{"version":1', { mode: 0o600 });
    else await writeCredentialFile(file, credentials);
    await using _agent = await startAgent([auth.address], settings());
    expect((await auth.nextStream()).peer).toBe('agent/given');
    expect((await stat(`${file}.bad`)).isFile()).toBe(true);
  });
});

describe('the certificate', () => {
  it('is renewed on the stream that there is, again and again', async () => {
    issuer.lifeMs = 6 * SECOND;
    await using auth = await startAuth();
    await using agent = await startAgent([auth.address], settings());
    const stream = await labelled(auth);
    await eventually('three renewals', () => Promise.resolve(issuer.renewals.length >= 3 ? true : undefined));
    stream.send({ case: 'ping', value: { nonce: 'p' } });
    expect((await stream.next('pong')).nonce).toBe('p');
    expect(agent.ends.length).toBe(0);
    expect(issuer.joins).toHaveLength(1);
    expect(agent.view().connection.state).toBe('connected');
  });

  it('is renewed when the authorities change, and the next heartbeat says so', async () => {
    await using auth = await startAuth();
    await using agent = await startAgent([auth.address], settings());
    const stream = await labelled(auth);
    issuer.generation = 2;
    stream.send({ case: 'trustChanged', value: { generation: 2n, within: durationFromMs(50) } });
    expect((await stream.next('heartbeat')).trustGeneration).toBe(2n);
    expect((await readCredentialFile(file))?.trust.generation).toBe(2);
    expect(agent.view().credentials?.credentials?.trust.generation).toBe(2);
    // What it has already is no reason for another.
    stream.send({ case: 'trustChanged', value: { generation: 2n, within: durationFromMs(0) } });
    stream.send({ case: 'ping', value: { nonce: 'p' } });
    await stream.next('pong');
    expect(issuer.renewals).toHaveLength(1);
    expect(agent.ends.length).toBe(0);
  });

  it('that has ended is joined for again, under the same name', async () => {
    issuer.lifeMs = 3 * SECOND;
    issuer.refuseRenewals = Code.Unavailable;
    await using auth = await startAuth();
    await using agent = await startAgent([auth.address], settings());
    await labelled(auth);
    const again = await auth.nextStream();
    await again.next('hello');
    await eventually('another join', () => Promise.resolve(issuer.joins.length > 1 ? true : undefined));
    expect(again.peer).toBe('agent/given');
    expect(heldBy(agent)).toEqual(['aws/env']);
  });

  it('is shown again to an auth service that was away', async () => {
    const first = await startAuth();
    await using agent = await startAgent([first.address], settings());
    await labelled(first);
    const { port } = first.address;
    await first.stop();
    await agent.ends.take('the end of the stream');
    await using auth = await startAuth(port);
    expect((await auth.nextStream()).peer).toBe('agent/given');
    expect(issuer.joins).toHaveLength(1);
  });
});

describe('the instance in a certificate', () => {
  const proven = sampleInstance('0');

  it('is reported where nothing else says which instance this is', async () => {
    issuer.admit = () => ({ instance: proven });
    await using auth = await startAuth();
    await using agent = await startAgent([auth.address], settings());
    const { heartbeat } = await (await auth.nextStream()).next('hello');
    expect(heartbeat?.awsInstance).toMatchObject({ instanceId: proven.instance });
    expect(agent.view()).toMatchObject({ instance: proven, instanceSource: 'certificate' });
  });

  it('that is another one makes credentials, and labels, those of another machine', async () => {
    issuer.admit = () => ({ instance: proven });
    await using auth = await startAuth();
    {
      await using agent = await startAgent([auth.address], settings());
      await labelled(auth);
      expect(heldBy(agent)).toEqual(['aws/env']);
    }
    const other = sampleInstance('1');
    issuer.admit = () => ({ instance: other });
    issuer.givenName = 'copy';
    await using agent = await startAgent([auth.address], settings({ instance: other }));
    expect(heldBy(agent)).toEqual([]);
    const hello = await (await auth.nextStream()).next('hello');
    expect(hello).toMatchObject({ serverId: 'copy', heartbeat: { heldRevision: '' } });
    expect((await readCredentialFile(`${file}.bad`))?.name).toBe('given');
    expect((await readCredentialFile(file))?.instance).toEqual(other);
  });

  it('that is not the one it joins from is not taken', async () => {
    issuer.admit = () => ({ instance: proven });
    await using auth = await startAuth();
    await using agent = await startAgent([auth.address], settings({ instance: sampleInstance('1') }));
    await eventually('a refusal', () =>
      Promise.resolve(
        agent.view().credentials?.problem?.includes('is for the instance') === true ? true : undefined,
      ),
    );
    expect(await readCredentialFile(file)).toBeUndefined();
  });
});

describe('agents without a disk', () => {
  it('are given their credentials, many in one process', async () => {
    await using auth = await startAuth();
    await using stack = new AsyncDisposableStack();
    const names = Array.from({ length: 5 }, (_, index) => `agent-${index}`);
    for (const name of names) {
      const credentials = await authority.credentials({ role: 'agent', name });
      stack.use(await startAgent([auth.address], { security: { mode: 'mutual', credentials } }));
    }
    const streams = await Promise.all(names.map(() => auth.nextStream()));
    expect(streams.map(({ peer }) => peer).sort()).toEqual(names.map((name) => `agent/${name}`));
    expect(issuer.joins).toHaveLength(0);
  });
});
