import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@tagplane/runtime';
import { agentConfig, settingsOf, socketPath } from './config.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agent-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function load(yaml: string, env: Record<string, string> = {}) {
  const file = join(directory, 'agent.yaml');
  await writeFile(file, yaml);
  return loadConfig(agentConfig, { file, env });
}

const AUTH = 'auth: {addresses: ["127.0.0.1:7420"]}\n';
const PIN = `sha256:${'ab'.repeat(32)}`;

describe('agent.yaml', () => {
  it('has defaults for all but the addresses', async () => {
    const config = await load(AUTH);
    expect(config).toMatchObject({
      diagnostics: { host: '127.0.0.1', port: 7441 },
      data_dir: '/var/lib/tagplane-agent',
      reconnect: { first: 10_000, longest: 90_000 },
      log_level: 'info',
    });
    expect(socketPath(config)).toBe('/var/lib/tagplane-agent/agent.sock');
  });

  it('takes everything that DESIGN names', async () => {
    const config = await load(`
auth:
  addresses: [a.example:1, "[::1]:2"]
server_id: web-1
data_dir: /data
socket: /run/agent.sock
labels: {env: prod, kubernetes.io/role: "", "__proto__": odd}
aws: {account_id: "123456789012", region: eu-central-1, instance_id: i-0123456789abcdef0}
`);
    expect(settingsOf(config)).toMatchObject({
      addresses: [
        { host: 'a.example', port: 1 },
        { host: '::1', port: 2 },
      ],
      serverId: 'web-1',
      instance: { account: '123456789012', region: 'eu-central-1', instance: 'i-0123456789abcdef0' },
      dataDir: '/data',
      socket: '/run/agent.sock',
    });
    expect(settingsOf(config).ownLabels).toEqual(
      new Map([
        ['env', 'prod'],
        ['kubernetes.io/role', ''],
        ['__proto__', 'odd'],
      ]),
    );
  });

  it.each(['a.example:1, b.example:2', '[a.example:1, "b.example:2"]'])(
    'takes %s from the environment',
    async (text) => {
      const config = await load('', { TAGPLANE_AUTH_ADDRESSES: text, TAGPLANE_LABELS: '{a: b}' });
      expect(config.auth.addresses).toEqual([
        { host: 'a.example', port: 1 },
        { host: 'b.example', port: 2 },
      ]);
      expect(config.labels).toEqual(new Map([['a', 'b']]));
    },
  );

  it.each([
    ['tls: {mode: insecure}', { mode: 'insecure' }],
    ['', { mode: 'mutual', join: undefined }],
    [
      `join: {token: a, ca_pin: "${PIN}"}`,
      { mode: 'mutual', join: { by: { method: 'token', token: 'a' }, pins: [PIN] } },
    ],
    [
      `join: {method: token, token_file: /run/token, ca_pins: ["${PIN}"]}`,
      { mode: 'mutual', join: { by: { method: 'token', tokenFile: '/run/token' }, pins: [PIN] } },
    ],
    [
      `join: {method: iam, ca_pins: "${PIN}", iam: {credentials: chain, region: us-east-1}}`,
      {
        mode: 'mutual',
        join: { by: { method: 'iam', credentials: 'chain', region: 'us-east-1' }, pins: [PIN] },
      },
    ],
    [
      `join: {method: ec2, ca_pin: "${PIN}"}`,
      { mode: 'mutual', join: { by: { method: 'ec2' }, pins: [PIN] } },
    ],
  ])('secures by %j', async (yaml, security) => {
    expect(settingsOf(await load(`${AUTH}${yaml}`)).security).toEqual(security);
  });

  it('takes how to join from the environment', async () => {
    const config = await load(AUTH, {
      TAGPLANE_JOIN_METHOD: 'token',
      TAGPLANE_JOIN_TOKEN: '12345',
      TAGPLANE_JOIN_CA_PINS: `${PIN}, ${PIN}`,
    });
    expect(settingsOf(config).security).toEqual({
      mode: 'mutual',
      join: { by: { method: 'token', token: '12345' }, pins: [PIN] },
    });
  });

  it.each([
    ['auth: {addresses: ["127.0.0.1:1", "auth:7420"]}\ntls: {mode: insecure}', /^tls\.mode: .*auth:7420/],
    [`${AUTH}tls: {mode: plain}`, /^tls\.mode: /],
    [`${AUTH}join: {token: a}`, /^join\.ca_pins: /],
    [`${AUTH}join: {ca_pin: "${PIN}"}`, /^join\.token: .*tagctl tokens add/],
    [`${AUTH}join: {token: a, token_file: b, ca_pin: "${PIN}"}`, /^join\.token_file: /],
    [`${AUTH}join: {method: ec2, token: a, ca_pin: "${PIN}"}`, /^join\.token: .*method ec2/],
    [`${AUTH}join: {method: ec2}`, /^join\.ca_pins: /],
    [`${AUTH}join: {method: magic, ca_pin: "${PIN}"}`, /^join\.method: /],
    [`${AUTH}join: {method: iam, ca_pin: "${PIN}", iam: {region: here}}`, /^join\.iam\.region: /],
    ['', /^auth(\.addresses)?: /],
    ['auth: {addresses: []}', /^auth\.addresses: expected at least one/],
    ['auth: {addresses: [nowhere]}', /^auth\.addresses\.0: expected HOST:PORT/],
    [`${AUTH}labels: {aws/env: prod}`, /^labels\.aws\/env: .*under aws\//],
    [`${AUTH}labels: {dynamic/env: prod}`, /^labels\.dynamic\/env: .*under dynamic\//],
    [`${AUTH}labels: {port: 80}`, /^labels\.port: expected text/],
    [`${AUTH}labels: [a]`, /^labels: expected KEY: TEXT/],
    [`${AUTH}labels: {a: "${'x'.repeat(257)}"}`, /^labels\.a: .*longer than 256/],
    [`${AUTH}commands: [{name: aws/kernel, command: [uname]}]`, /^commands\.0\.name: .*under aws\//],
    [`${AUTH}commands: [{name: a, command: uname -r}]`, /^commands\.0\.command: expected a list/],
    [`${AUTH}commands: [{name: a, command: []}]`, /^commands\.0\.command: expected a program/],
    [`${AUTH}commands: [{name: a, command: [uname], period: 9s}]`, /^commands\.0\.period: expected between/],
    [`${AUTH}commands: [{name: a, command: [x]}, {name: a, command: [y]}]`, /^commands\.1\.name: another/],
    [`${AUTH}labels: {a: b}\ncommands: [{name: a, command: [x]}]`, /^commands\.0\.name: labels has/],
    [`${AUTH}server_id: "-x"`, /^server_id: expected letters/],
    [
      `${AUTH}aws: {account_id: 123456789012, region: eu-central-1, instance_id: i-01234567}`,
      /^aws\.account_id: .*quotes/,
    ],
    [
      `${AUTH}aws: {account_id: "123456789012", region: here, instance_id: i-01234567}`,
      /^aws\.region: expected a region/,
    ],
    [`${AUTH}aws: {account_id: "123456789012", region: eu-central-1}`, /^aws\.instance_id: /],
    [`${AUTH}socket: /${'x'.repeat(107)}`, /^socket: too long/],
    [`${AUTH}reconnect: {first: 2h}`, /^reconnect\.first: expected between/],
    [`${AUTH}hostname: x`, /^hostname: unknown key/],
  ])('refuses %j in one line that names the key', async (yaml, message) => {
    const problem = await load(yaml).catch((error: unknown) => error);
    expect(problem).toMatchObject({ name: 'ConfigError', message: expect.stringMatching(message) });
    expect(String(problem)).not.toContain('\n');
  });
});
