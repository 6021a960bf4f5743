import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { readCredentialFile } from '@tagplane/credentials';
import { TestAuthority, TestIssuer } from '@tagplane/protocol/testing';
import { sampleInstance, startAgent, startFakeAuth, startFakeMetadata } from './testing/index.ts';

jest.setTimeout(120_000);

const DOCUMENT = '/latest/dynamic/instance-identity/document';
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agent-copy-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

describe('an agent with a certificate whose image was copied', () => {
  it('finds out when instance metadata answers at last, gives all of it up, and joins as itself', async () => {
    const authority = await TestAuthority.create();
    const issuer = new TestIssuer(authority);
    const [original, copy] = [sampleInstance('0'), sampleInstance('1')];
    issuer.admit = () => ({ instance: original });
    await using auth = await startFakeAuth({ tls: { authority, issuer } });
    using metadata = await startFakeMetadata({ [DOCUMENT]: 403 });
    const by = { method: 'token', token: 't' } as const;
    await using agent = await startAgent(
      [auth.address],
      {
        security: { mode: 'mutual', join: { by, pins: [authority.pin] } },
        dataDir: directory,
        metadata: true,
      },
      { env: metadata.env },
    );
    const stream = await auth.nextStream();
    const before = await stream.next('hello');
    expect(before).toMatchObject({
      serverId: 'given',
      heartbeat: { awsInstance: { instanceId: original.instance } },
    });
    stream.replace('n1', new Map([['aws/env', 'prod']]), { ageMs: 0, remainingMs: 3_600_000 });
    await stream.next('labelsAck');

    issuer.admit = () => ({ instance: copy });
    issuer.givenName = 'copy';
    const { account: accountId, region, instance: instanceId } = copy;
    metadata.answers.set(DOCUMENT, JSON.stringify({ accountId, region, instanceId }));
    const after = await (await auth.nextStream()).next('hello');
    expect(after).toMatchObject({
      serverId: 'copy',
      heartbeat: { heldRevision: '', awsInstance: { instanceId: copy.instance } },
    });
    expect(agent.view()).toMatchObject({ serverId: 'copy', held: { source: 'none' } });
    expect((await readCredentialFile(join(directory, 'credentials.json')))?.name).toBe('copy');
    expect((await readCredentialFile(join(directory, 'credentials.json.bad')))?.name).toBe('given');
  });
});
