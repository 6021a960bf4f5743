import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { readCredentialFile } from '@tagplane/credentials';
import { TestAuthority, TestIssuer } from '@tagplane/protocol/testing';
import { listen } from '@tagplane/runtime';
import { askAgent } from './local-client.ts';
import type { LabelsDocument } from './routes/labels.ts';
import type { StatusDocument } from './routes/status.ts';
import { eventually, runAgentProgram, startAgentProcess, startFakeAuth } from './testing/index.ts';

jest.setTimeout(180_000);

const LABELS = new Map([
  ['aws/env', 'prod'],
  ['aws/__proto__', 'x'],
  ['aws/Patch Group', ''],
  ['dynamic/team', 'ünï'],
]);
const AWS = {
  TAGPLANE_AWS_ACCOUNT_ID: '123456789012',
  TAGPLANE_AWS_REGION: 'eu-central-1',
  TAGPLANE_AWS_INSTANCE_ID: 'i-0123456789abcdef0',
};

const never = new AbortController().signal;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agent-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

function settings(port: number): Record<string, string> {
  return {
    ...AWS,
    TAGPLANE_AUTH_ADDRESSES: `127.0.0.1:${port}`,
    TAGPLANE_DATA_DIR: directory,
    TAGPLANE_TLS_MODE: 'insecure',
    TAGPLANE_DIAGNOSTICS: '127.0.0.1:0',
    TAGPLANE_LABELS: '{role: web}',
    TAGPLANE_RECONNECT_FIRST: '200ms',
    TAGPLANE_RECONNECT_LONGEST: '500ms',
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function ask<Document>(command: 'labels' | 'status'): Promise<Document> {
  return (await askAgent(join(directory, 'agent.sock'), `/v1/${command}`, never)) as Document;
}

describe('the agent as a process, with TLS', () => {
  it('joins by a token, shows its identity, and lets no secret out', async () => {
    const authority = await TestAuthority.create();
    const issuer = new TestIssuer(authority);
    await using auth = await startFakeAuth({ tls: { authority, issuer } });
    const { TAGPLANE_TLS_MODE: _, ...env } = settings(auth.address.port);
    const tokenFile = join(directory, 'token');
    await writeFile(tokenFile, 'tp-secret-token\n');
    const joining = { TAGPLANE_JOIN_TOKEN_FILE: tokenFile, TAGPLANE_JOIN_CA_PINS: authority.pin };
    const diagnostics = `127.0.0.1:${await freePort()}`;
    await using program = startAgentProcess(['start'], {
      ...env,
      ...joining,
      TAGPLANE_DIAGNOSTICS: diagnostics,
    });
    const stream = await auth.nextStream();
    expect((await stream.next('hello')).serverId).toBe('given');
    const shown = await runAgentProgram(['status'], { TAGPLANE_DATA_DIR: directory });
    expect(shown.stdout).toMatch(/^identity +spiffe:\/\/test\/agent\/given$/m);
    expect(shown.stdout).toMatch(/^certificate +ends in 11h59m$/m);
    expect(shown.stdout).toMatch(/^joins by +token$/m);
    const metrics = await (await fetch(`http://${diagnostics}/metrics`)).text();
    expect(metrics).toContain('tagplane_agent_joins_total{result="ok"} 1');
    expect(metrics).toMatch(/^tagplane_agent_certificate_expires_seconds 4[0-9]{4}/m);
    expect((await fetch(`http://${diagnostics}/readyz`)).status).toBe(200);
    program.kill('SIGTERM');
    expect((await program.finished).code).toBe(0);
    const { privateKey } = (await readCredentialFile(join(directory, 'credentials.json'))) ?? {};
    for (const secret of ['tp-secret-token', privateKey?.split('\n')[1] ?? 'no key']) {
      expect(`${program.log()}${shown.stdout}`).not.toContain(secret);
    }
  });

  it('refuses to start without credentials and without a way to get any, in one line', async () => {
    const { TAGPLANE_TLS_MODE: _, ...env } = settings(1);
    const { code, stderr } = await runAgentProgram(['start'], env);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^tagplane-agent: join: there are no credentials[^\n]*\n$/);
  });

  it('refuses to do without TLS on an address that is not loopback', async () => {
    const env = { ...settings(1), TAGPLANE_AUTH_ADDRESSES: '10.0.0.1:7420' };
    const { code, stderr } = await runAgentProgram(['start'], env);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^tagplane-agent: tls\.mode: [^\n]*10\.0\.0\.1:7420[^\n]*\n$/);
  });
});

describe('the agent as a process', () => {
  it('takes labels, keeps them over kill -9 without the auth service, and leaves with a goodbye', async () => {
    await using auth = await startFakeAuth();
    const env = settings(auth.address.port);
    await using first = startAgentProcess(['start'], env);
    const stream = await auth.nextStream();
    const hello = await stream.next('hello');
    expect(stream.peer).toBe(`agent/${hello.serverId}`);
    expect(hello.heartbeat).toMatchObject({
      labels: { role: 'web' },
      awsInstance: { accountId: '123456789012', region: 'eu-central-1', instanceId: 'i-0123456789abcdef0' },
      heldRevision: '',
    });
    const revision = stream.replace('n1', LABELS, { ageMs: 1_000, remainingMs: 3_600_000 });
    expect((await stream.next('labelsAck')).nonce).toBe('n1');
    // On disk at the ack, for the owner only.
    const file = join(directory, 'labels.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toContain(revision);

    first.kill('SIGKILL');
    await first.finished;
    await auth.stop();
    await using second = startAgentProcess(['start'], env);
    await eventually('the socket', () => ask<LabelsDocument>('labels'));
    const shown = await runAgentProgram(['labels', '--format', 'json'], { TAGPLANE_DATA_DIR: directory });
    const labels = JSON.parse(shown.stdout) as LabelsDocument;
    expect(new Map(Object.entries(labels.labels))).toEqual(new Map([['role', 'web'], ...LABELS]));
    expect(labels).toMatchObject({ server_id: hello.serverId, revision, freshness: 'fresh' });
    expect(labels.sources).toMatchObject({ role: 'own', 'aws/env': 'auth' });
    expect(labels.expires_in_s['aws/']).toBeLessThanOrEqual(3_600);
    const status = await eventually('a failed attempt', async () => {
      const document = await ask<StatusDocument>('status');
      return document.connection.last_error === null ? undefined : document;
    });
    expect(status).toMatchObject({
      server_id: hello.serverId,
      labels: { revision, source: 'disk', freshness: 'fresh' },
      aws: { instance_id: 'i-0123456789abcdef0', source: 'configured' },
    });

    await using back = await startFakeAuth({ port: auth.address.port });
    const again = await back.nextStream();
    expect((await again.next('hello')).heartbeat).toMatchObject({ heldRevision: revision });
    again.renew('n2', revision, { ageMs: 0, remainingMs: 7_200_000 });
    expect((await again.next('labelsAck')).nonce).toBe('n2');
    second.kill('SIGTERM');
    await again.next('goodbye');
    expect((await second.finished).code).toBe(0);
    expect(second.log()).not.toContain('prod');
    await expect(ask('labels')).rejects.toThrow(/no agent is running/);
  });
});

describe('the command line', () => {
  it.each([
    [{ TAGPLANE_LABELS: '{aws/env: prod}' }, /^tagplane-agent: labels\.aws\/env: .*under aws\//],
    [{ TAGPLANE_COMMANDS: '[{name: kernel}]' }, /^tagplane-agent: commands\.0\.command: required/],
    [{ TAGPLANE_DATA_DIR: '/dev/null/x' }, /^tagplane-agent: data_dir: /],
    [{ TAGPLANE_SOCKET: '/dev/null' }, /^tagplane-agent: socket: /],
  ])('exits with 2 and one line for %j', async (env, line) => {
    const { code, stderr } = await runAgentProgram(['start'], {
      ...settings(1),
      TAGPLANE_LOG_LEVEL: 'silent',
      ...env,
    });
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd()).not.toContain('\n');
    expect(code).toBe(2);
  });

  it.each([
    [['labels', '--socket', '/nowhere/agent.sock'], 1, /^tagplane-agent: no agent is running/],
    [['labels', '--format', 'xml'], 2, /^tagplane-agent: labels: --format/],
    [['status', '--wrong'], 2, /^tagplane-agent: status: /],
    [['check'], 2, /^tagplane-agent: check: --login is missing/],
    [['check', '--login', 'a', '--trait', 'b'], 2, /^tagplane-agent: check: --trait: expected NAME=VALUE/],
    [['check', '--login', 'a', '--socket', '/nowhere/agent.sock'], 1, /no agent is running/],
  ])('%j exits with %i', async (args, expected, line) => {
    const { code, stderr, stdout } = await runAgentProgram(args);
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
    expect(stderr).toMatch(line);
  });

  it('documents the JSON in --help', async () => {
    const { code, stdout } = await runAgentProgram(['labels', '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/expires_in_s/);
  });
});
