import { createServer } from 'node:http';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { GoodbyeReason } from '@tagplane/protocol';
import { listen } from '@tagplane/runtime';
import type { AgentView } from './host.ts';
import type { FakeAuth, FakeStream } from './testing/index.ts';
import {
  Queue,
  eventually,
  sampleInstance,
  sampleServerId,
  startAgent as start,
  startFakeAuth,
} from './testing/index.ts';

jest.setTimeout(60_000);

const PROD = new Map([['aws/env', 'prod']]);

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agent-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function labelled(auth: FakeAuth, labels = PROD): Promise<FakeStream> {
  const stream = await auth.nextStream();
  await stream.next('hello');
  stream.replace('n1', labels, { remainingMs: 3_600_000 });
  await stream.next('labelsAck');
  return stream;
}

function heldKeys(view: () => AgentView): string[] {
  return view().held.fresh.flatMap((set) => [...set.labels.keys()]);
}

describe('an agent and its stream', () => {
  it('nacks what it may not take, keeps what it has, and takes the next good set', async () => {
    await using auth = await startFakeAuth();
    await using agent = await start([auth.address]);
    const stream = await labelled(auth);
    stream.send({
      case: 'updateLabels',
      value: { nonce: 'n2', revision: 'x', change: { case: 'replace', value: { sets: [] } } },
    });
    expect(await stream.next('labelsNack')).toMatchObject({
      nonce: 'n2',
      reason: expect.stringMatching(/revision/),
    });
    stream.renew('n3', 'another', { remainingMs: 1 });
    expect((await stream.next('labelsNack')).nonce).toBe('n3');
    stream.send({ case: 'updateLabels', value: { nonce: 'n4' } });
    expect((await stream.next('labelsNack')).nonce).toBe('n4');
    expect(heldKeys(agent.view)).toEqual(['aws/env']);
    stream.replace('n5', new Map());
    expect((await stream.next('labelsAck')).nonce).toBe('n5');
    expect(heldKeys(agent.view)).toEqual([]);
  });

  it('answers pings and heartbeats at the pace it is given, with what it holds', async () => {
    await using auth = await startFakeAuth({ heartbeatMs: 100 });
    await using _agent = await start([auth.address], { instance: sampleInstance('0') });
    const stream = await labelled(auth);
    stream.send({ case: 'ping', value: { nonce: 'p' } });
    expect((await stream.next('pong')).nonce).toBe('p');
    const heartbeat = await stream.next('heartbeat');
    expect(heartbeat.heldRevision).toMatch(/^[0-9a-f]{32}$/);
    expect(Number(heartbeat.heldRemaining?.seconds)).toBeGreaterThan(3_500);
    expect(heartbeat.awsInstance?.instanceId).toBe('i-0123456789abcdef0');
    await stream.next('heartbeat');
  });

  it('ignores and counts what it does not know', async () => {
    await using auth = await startFakeAuth();
    const unknown = new Queue<string>();
    const observer = {
      unknownMessage: () => {
        unknown.put('unknown');
      },
    };
    await using _agent = await start([auth.address], {}, { observer });
    const stream = await labelled(auth);
    stream.send({ case: undefined });
    await unknown.take('an unknown message');
    stream.send({ case: 'ping', value: { nonce: 'p' } });
    await stream.next('pong');
  });

  it('tries its addresses in turn until one answers', async () => {
    const closed = await startFakeAuth();
    await closed.stop();
    await using auth = await startFakeAuth();
    await using agent = await start([closed.address, auth.address]);
    await labelled(auth);
    expect(agent.view().connection).toMatchObject({
      state: 'connected',
      authId: 'fake',
      lastError: undefined,
    });
  });

  it('gives up on a connection that is accepted and never answered', async () => {
    const silent = createTcpServer((socket) => socket.on('error', () => undefined));
    const address = await listen(silent, { host: '127.0.0.1', port: 0 });
    await using agent = await start([address]);
    // A stop in the middle of connecting must not hang, nor throw from the connection.
    await eventually('an attempt', () =>
      Promise.resolve(agent.view().connection.state === 'connecting' ? true : undefined),
    );
    await agent[Symbol.asyncDispose]();
    silent.close();
  });

  it('drops a stream that brings nothing for too long', async () => {
    await using auth = await startFakeAuth({ idleMs: 1_000 });
    await using agent = await start([auth.address]);
    await labelled(auth);
    expect(await agent.ends.take('an end')).toMatch(/nothing heard/);
    await (await auth.nextStream()).next('hello');
    expect(heldKeys(agent.view)).toEqual(['aws/env']);
  });

  it.each([
    [GoodbyeReason.DRAIN, 'goodbye DRAIN: later'],
    [GoodbyeReason.SUPERSEDED, 'goodbye SUPERSEDED: later'],
    [GoodbyeReason.UNSPECIFIED, 'goodbye UNSPECIFIED: later'],
  ])('comes back after goodbye %i with what it holds', async (reason, shown) => {
    await using auth = await startFakeAuth();
    await using agent = await start([auth.address]);
    const stream = await labelled(auth);
    stream.send({ case: 'goodbye', value: { reason, message: 'later' } });
    expect(await agent.ends.take('an end')).toBe(shown);
    const { heartbeat } = await (await auth.nextStream()).next('hello');
    expect(heartbeat?.heldRevision).not.toBe('');
  });
});

/** Instance metadata of instance 1, while it is on. */
async function startMetadata(
  on: () => boolean,
): Promise<{ readonly env: Record<string, string>; close(): void }> {
  const document = { accountId: '123456789012', region: 'eu-central-1', instanceId: 'i-0123456789abcdef1' };
  const server = createServer((request, response) => {
    response.writeHead(on() ? 200 : 403).end(request.method === 'PUT' ? 'token' : JSON.stringify(document));
  });
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  return {
    env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${port}` },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A copy of a disk starts in another boot than the one it was made in. */
async function pretendAnotherBoot(): Promise<void> {
  const path = join(directory, 'identity.json');
  const record = JSON.parse(await readFile(path, 'utf8')) as object;
  await writeFile(path, JSON.stringify({ ...record, boot: 'of the original' }));
}

describe('an agent whose image was copied', () => {
  it('finds out by instance metadata, discards the labels, and takes another server id', async () => {
    const settings = { dataDir: directory };
    await using auth = await startFakeAuth();
    let original = '';
    {
      await using agent = await start([auth.address], { ...settings, instance: sampleInstance('0') });
      await labelled(auth);
      original = agent.view().serverId;
    }
    const metadata = await startMetadata(() => true);
    await pretendAnotherBoot();
    {
      await using agent = await start([auth.address], { ...settings, metadata: true }, { env: metadata.env });
      const hello = await (await auth.nextStream()).next('hello');
      expect(hello.serverId).not.toBe(original);
      expect(hello.heartbeat).toMatchObject({
        heldRevision: '',
        awsInstance: { instanceId: 'i-0123456789abcdef1' },
      });
      expect(agent.view()).toMatchObject({ instanceSource: 'instance metadata', held: { source: 'none' } });
    }
    metadata.close();
  });

  it('finds out also when instance metadata answers later, and opens its stream anew', async () => {
    await using auth = await startFakeAuth();
    {
      await using _agent = await start([auth.address], { dataDir: directory, instance: sampleInstance('0') });
      await labelled(auth);
    }
    let on = false;
    const metadata = await startMetadata(() => on);
    await pretendAnotherBoot();
    {
      const settings = { dataDir: directory, metadata: true };
      await using agent = await start([auth.address], settings, { env: metadata.env });
      const before = await (await auth.nextStream()).next('hello');
      expect(before.heartbeat?.awsInstance).toBeUndefined();
      expect(agent.view()).toMatchObject({ instanceProblem: expect.stringMatching(/switched off/) });
      on = true;
      const after = await (await auth.nextStream()).next('hello');
      expect(after.serverId).not.toBe(before.serverId);
      expect(after.heartbeat).toMatchObject({
        heldRevision: '',
        awsInstance: { instanceId: 'i-0123456789abcdef1' },
      });
    }
    metadata.close();
  });

  it('opens its stream anew also under a configured server id: what is on the old one is not its own', async () => {
    await using auth = await startFakeAuth();
    const settings = { dataDir: directory, serverId: sampleServerId('web-1') };
    {
      await using _agent = await start([auth.address], { ...settings, instance: sampleInstance('0') });
      await labelled(auth);
    }
    let on = false;
    const metadata = await startMetadata(() => on);
    await pretendAnotherBoot();
    {
      await using agent = await start([auth.address], { ...settings, metadata: true }, { env: metadata.env });
      await labelled(auth);
      on = true;
      const hello = await (await auth.nextStream()).next('hello');
      expect(hello).toMatchObject({ serverId: 'web-1', heartbeat: { heldRevision: '' } });
      expect(agent.view().held.source).toBe('none');
    }
    metadata.close();
  });

  it('keeps a configured server id, and discards the labels', async () => {
    await using auth = await startFakeAuth();
    const settings = { dataDir: directory, serverId: sampleServerId('web-1') };
    {
      await using _agent = await start([auth.address], { ...settings, instance: sampleInstance('0') });
      await labelled(auth);
    }
    await using _copy = await start([auth.address], { ...settings, instance: sampleInstance('1') });
    const hello = await (await auth.nextStream()).next('hello');
    expect(hello).toMatchObject({ serverId: 'web-1', heartbeat: { heldRevision: '' } });
  });
});

describe('many agents in one process', () => {
  it('each hold a stream of their own, and nothing on disk', async () => {
    await using auth = await startFakeAuth();
    await using stack = new AsyncDisposableStack();
    const ids = Array.from({ length: 20 }, (_, index) => `agent-${index}`);
    for (const id of ids) stack.use(await start([auth.address], { serverId: sampleServerId(id) }));
    const streams = await Promise.all(ids.map(() => labelled(auth)));
    expect(streams.map((stream) => stream.peer).sort()).toEqual(ids.map((id) => `agent/${id}`).sort());
  });
});
