import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@tagplane/runtime';
import { configSchema } from './config.ts';
import type { DiscoveryConfig } from './config.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'discovery-config-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function load(yaml: string, env: Record<string, string> = {}): DiscoveryConfig {
  const file = join(folder, 'discovery.yaml');
  writeFileSync(file, yaml);
  return loadConfig(configSchema, { file, env });
}

const PIN = `sha256:${'ab'.repeat(32)}`;
const MINIMAL = 'auth: {address: "auth:7420"}\naws: [{regions: [eu-central-1]}]\n';

const ROLE = 'arn:aws:iam::123456789012:role/Tags';
const inBlock = (block: string): string => `auth: {address: "auth:7420"}\naws: [{${block}}]`;

describe('discovery.yaml', () => {
  it('needs the auth service and a region, and fills in the rest', () => {
    const config = load(MINIMAL);
    expect(config).toEqual({
      name: expect.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._@-]*$/),
      auth: { address: { host: 'auth', port: 7420 } },
      tls: { mode: 'mutual' },
      data_dir: '/var/lib/tagplane-discovery',
      diagnostics: { host: '127.0.0.1', port: 7431 },
      poll_interval: 300_000,
      log_level: 'info',
      aws: [{ regions: ['eu-central-1'], tags: {} }],
      events: [],
      quota: { share: 0.25 },
      max_concurrent_scans: 8,
    });
  });

  it('takes tags with one value, several, or any', () => {
    const config = load(
      'auth: {address: "auth:7420"}\naws: [{regions: [us-east-1, us-gov-west-1], tags: {env: prod, team: [a, b], x: []}}]',
    );
    expect(config.aws).toEqual([
      { regions: ['us-east-1', 'us-gov-west-1'], tags: { env: ['prod'], team: ['a', 'b'], x: [] } },
    ]);
  });

  it('takes accounts, organisations and what is to become of the tags', () => {
    const { aws } = load(
      inBlock(
        [
          'organization: {include: {ous: [ou-ab12-12345678], tags: {env: prod}}, exclude: {accounts: ["210987654321"]}}',
          'assume_role: {role_arn: "arn:aws:iam::{account}:role/Tags", external_id: x1, tags: {for: tagplane}, chain: ["arn:aws:iam::123456789012:role/Hub"]}',
          'regions: ["*"], vpcs: [vpc-0123456789abcdef0], states: [running], platforms: [linux]',
          'import: {deny: ["secret*"], rename: {Old Key: new}}, labels: {site: fra}',
        ].join(', '),
      ),
    );
    expect(aws).toEqual([
      {
        organization: {
          include: { ous: ['ou-ab12-12345678'], accounts: [], tags: { env: ['prod'] } },
          exclude: { ous: [], accounts: ['210987654321'], tags: {} },
          poll_interval: 900_000,
        },
        assume_role: {
          role_arn: 'arn:aws:iam::{account}:role/Tags',
          external_id: 'x1',
          tags: { for: 'tagplane' },
          chain: ['arn:aws:iam::123456789012:role/Hub'],
        },
        regions: ['*'],
        tags: {},
        vpcs: ['vpc-0123456789abcdef0'],
        states: ['running'],
        platforms: ['linux'],
        import: { allow: ['*'], deny: ['secret*'], rename: { 'Old Key': 'new' } },
        labels: { site: 'fra' },
      },
    ]);
  });

  it('takes every key from the environment', () => {
    const config = loadConfig(configSchema, {
      file: undefined,
      env: {
        TAGPLANE_NAME: 'main',
        TAGPLANE_AUTH_ADDRESS: '[::1]:7420',
        TAGPLANE_TLS_MODE: 'insecure',
        TAGPLANE_JOIN_TOKEN_FILE: '/run/token',
        TAGPLANE_JOIN_CA_PINS: `${PIN},${PIN}`,
        TAGPLANE_DATA_DIR: '/data',
        TAGPLANE_DIAGNOSTICS: ':0',
        TAGPLANE_POLL_INTERVAL: '30s',
        TAGPLANE_LOG_LEVEL: 'debug',
        TAGPLANE_AWS: '[{regions: [eu-west-1]}]',
        TAGPLANE_QUOTA_SHARE: '0.5',
        TAGPLANE_MAX_CONCURRENT_SCANS: '3',
      },
    });
    expect(config).toEqual({
      name: 'main',
      events: [],
      auth: { address: { host: '::1', port: 7420 } },
      tls: { mode: 'insecure' },
      join: { token_file: '/run/token', ca_pins: [PIN, PIN] },
      data_dir: '/data',
      diagnostics: { host: '127.0.0.1', port: 0 },
      poll_interval: 30_000,
      log_level: 'debug',
      aws: [{ regions: ['eu-west-1'], tags: {} }],
      quota: { share: 0.5 },
      max_concurrent_scans: 3,
    });
  });

  it.each([
    ['auth', 'aws: [{regions: [eu-west-1]}]'],
    ['auth.address', MINIMAL.replace('auth:7420', 'auth')],
    ['aws', 'auth: {address: "auth:7420"}'],
    ['aws', 'auth: {address: "auth:7420"}\naws: []'],
    ['aws.0.regions', 'auth: {address: "auth:7420"}\naws: [{regions: []}]'],
    ['aws.0.regions.0', 'auth: {address: "auth:7420"}\naws: [{regions: [Frankfurt]}]'],
    ['aws.0.tags.env', 'auth: {address: "auth:7420"}\naws: [{regions: [eu-west-1], tags: {env: {a: 1}}}]'],
    [
      'aws.0.tags.__proto__',
      'auth: {address: "auth:7420"}\naws: [{regions: [eu-west-1], tags: {__proto__: prod, env: prod}}]',
    ],
    ['aws.0.assume_role.role_arn', inBlock('regions: [eu-west-1], assume_role: {role_arn: x}')],
    ['aws.0.assume_role', inBlock('regions: [eu-west-1], assume_role: {external_id: secret}')],
    ['aws.0.assume_role', inBlock('regions: [eu-west-1], assume_role: {role_name: Tags}')],
    ['aws.0.assume_role', inBlock("regions: [eu-west-1], accounts: ['123456789012']")],
    ['aws.0.accounts.0', inBlock('regions: [eu-west-1], accounts: [123456789012]')],
    ['aws.0.accounts', inBlock('regions: [eu-west-1], accounts: []')],
    [
      'aws.0.assume_role.role_arn',
      inBlock(
        `regions: [eu-west-1], accounts: ['123456789012', '210987654321'], assume_role: {role_arn: '${ROLE}'}`,
      ),
    ],
    [
      'aws.0.organization',
      inBlock(
        "regions: [eu-west-1], accounts: ['123456789012'], organization: {}, assume_role: {role_name: Tags}",
      ),
    ],
    [
      'aws.0.organization.poll_interval',
      inBlock('regions: ["*"], organization: {poll_interval: 1s}, assume_role: {role_name: Tags}'),
    ],
    [
      'aws.0.organization.include.ous.0',
      inBlock('regions: ["*"], organization: {include: {ous: [Prod]}}, assume_role: {role_name: Tags}'),
    ],
    ['aws.0.regions', inBlock('regions: ["*", eu-west-1]')],
    ['aws.0.regions', inBlock('regions: [cn-north-1], partition: aws-us-gov')],
    ['aws.0.regions', inBlock(`regions: [eu-west-1, cn-north-1], assume_role: {role_arn: '${ROLE}'}`)],
    ['aws.0.assume_role', inBlock(`regions: [cn-north-1], assume_role: {role_arn: '${ROLE}'}`)],
    ['aws.0.vpcs.0', inBlock('regions: [eu-west-1], vpcs: [main]')],
    ['aws.0.states.0', inBlock('regions: [eu-west-1], states: [on]')],
    ['aws.0.platforms.0', inBlock('regions: [eu-west-1], platforms: [bsd]')],
    ['aws.0.import.allow.0', inBlock('regions: [eu-west-1], import: {allow: [""]}')],
    ['aws.0.import.rename.a', inBlock('regions: [eu-west-1], import: {rename: {a: "aws:b"}}')],
    ['aws.0.labels.site', inBlock(`regions: [eu-west-1], labels: {site: ${'x'.repeat(257)}}`)],
    ['aws.0.labels.__proto__', inBlock('regions: [eu-west-1], labels: {__proto__: x}')],
    ['quota.share', `${MINIMAL}quota: {share: 1.5}`],
    ['max_concurrent_scans', `${MINIMAL}max_concurrent_scans: 0`],
    ['poll_interval', `${MINIMAL}poll_interval: 1h`],
    ['poll_interval', `${MINIMAL}poll_interval: soon`],
    ['diagnostics', `${MINIMAL}diagnostics: here`],
    ['name', `${MINIMAL}name: "a/b"`],
    ['name', `${MINIMAL}name: "a@b"`],
    ['tls.mode', `${MINIMAL}tls: {mode: insecure}`],
    ['tls.mode', `${MINIMAL}tls: {mode: none}`],
    ['join.token', `${MINIMAL}join: {ca_pins: "${PIN}"}`],
    ['join.token_file', `${MINIMAL}join: {token: a, token_file: /a, ca_pins: "${PIN}"}`],
    ['join.ca_pins', `${MINIMAL}join: {token: a}`],
    ['join.ca_pin.0', `${MINIMAL}join: {token: a, ca_pin: "sha256:1"}`],
    ['join.method', `${MINIMAL}join: {token: a, method: iam, ca_pin: "${PIN}"}`],
    ['log_level', `${MINIMAL}log_level: loud`],
    ['pol_interval', `${MINIMAL}pol_interval: 5m`],
  ])('is refused by its key %s', (key, yaml) => {
    expect(() => load(yaml)).toThrow(new RegExp(`^${key.replaceAll('.', '\\.')}: [^\n]+$`));
  });
});
