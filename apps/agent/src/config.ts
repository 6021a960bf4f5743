import { join } from 'node:path';
import type { AccountId, InstanceId, InstanceKey, Region, ServerId } from '@tagplane/identity';
import { parseAccountId, parseInstanceId, parseRegion, parseServerId } from '@tagplane/identity';
import type { Labels } from '@tagplane/labels';
import { NO_LABELS } from '@tagplane/labels';
import type { Address, LogLevel } from '@tagplane/runtime';
import {
  MINUTE,
  SECOND,
  addressField,
  durationField,
  formatAddress,
  isLoopback,
  logLevelField,
} from '@tagplane/runtime';
import * as z from 'zod';
import { tlsField } from '@tagplane/credentials';
import { ownLabelsField, parsedField } from './config-fields.ts';
import { commandsField, commandsProblem } from './own/command-field.ts';
import type { LabelCommand } from './own/command-field.ts';
import { joinField, joinSettings } from './join/config.ts';
import type { JoinConfig } from './join/config.ts';
import type { SecuritySettings } from './security.ts';
import { sshField } from './ssh/config.ts';
import type { SshConfig } from './ssh/config.ts';

export const DEFAULT_DATA_DIR = '/var/lib/tagplane-agent';
export const SOCKET_NAME = 'agent.sock';

/** `sun_path` of a Unix socket address, less its closing zero. */
const MAX_SOCKET_PATH_BYTES = 107;

const awsField = z.strictObject({
  account_id: parsedField(parseAccountId, 'expected twelve digits, in quotes').describe(
    'Twelve digits, quoted.',
  ),
  region: parsedField(parseRegion, 'expected a region such as eu-central-1').describe(
    'Such as eu-central-1.',
  ),
  instance_id: parsedField(parseInstanceId, 'expected i- and 17 hexadecimal digits').describe(
    'Such as i-0abc….',
  ),
});

const addressesField = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value),
  z.array(addressField).min(1, 'expected at least one address').max(32, 'expected at most 32 addresses'),
);

/** `agent.yaml`, read: durations in milliseconds. */
export interface AgentConfig {
  readonly auth: { readonly addresses: readonly Address[] };
  readonly tls: { readonly mode: 'mutual' | 'insecure' };
  readonly join?: JoinConfig | undefined;
  readonly diagnostics: Address;
  readonly server_id?: ServerId | undefined;
  readonly data_dir: string;
  readonly socket?: string | undefined;
  readonly ssh?: SshConfig | undefined;
  readonly labels?: Labels | undefined;
  readonly commands?: readonly LabelCommand[] | undefined;
  readonly aws?:
    { readonly account_id: AccountId; readonly region: Region; readonly instance_id: InstanceId } | undefined;
  readonly reconnect: { readonly first: number; readonly longest: number };
  readonly log_level: LogLevel;
}

const schema = z.strictObject({
  auth: z.strictObject({
    addresses: addressesField.describe(
      'Auth services, HOST:PORT, tried in turn; in the variable, comma-separated.',
    ),
  }),
  tls: tlsField,
  join: joinField
    .optional()
    .describe('How the first certificate is got; not needed once it is in data_dir, nor without TLS.'),
  diagnostics: addressField
    .prefault('127.0.0.1:7441')
    .describe('Where /healthz, /readyz and /metrics are served.'),
  server_id: parsedField(parseServerId, 'expected letters, digits, ".", "_" or "-", at most 128')
    .optional()
    .describe('Unique in the cluster; otherwise the auth service gives it one when it joins.'),
  data_dir: z
    .string()
    .min(1)
    .default(DEFAULT_DATA_DIR)
    .describe('Where credentials, labels and the server id are kept; its own for each agent.'),
  socket: z
    .string()
    .min(1)
    .refine(
      (path) => Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES,
      'too long for a Unix socket (107 bytes)',
    )
    .optional()
    .describe(`The local Unix socket; otherwise ${SOCKET_NAME} in data_dir.`),
  ssh: sshField.optional(),
  labels: ownLabelsField
    .optional()
    .describe("The node's own labels, KEY: TEXT; keys under aws/ and dynamic/ are not its to set."),
  aws: awsField
    .optional()
    .describe('The EC2 instance this is; otherwise asked of instance metadata (IMDSv2).'),
  commands: commandsField
    .optional()
    .describe('Labels that programs say, each {name, command: [PROGRAM, ARGUMENT…], period, timeout}.'),
  reconnect: z
    .strictObject({
      first: durationField({ min: '10ms', max: '1m' })
        .prefault('10s')
        .describe('Ceiling of the first, random delay before connecting again.'),
      longest: durationField({ min: '10ms', max: '10m' })
        .prefault('90s')
        .describe('Ceiling of any such delay.'),
    })
    .prefault({}),
  log_level: logLevelField.default('info').describe('trace, debug, info, warn, error or silent.'),
});

export const agentConfig: z.ZodType<AgentConfig> = schema.superRefine((config, context) => {
  const { tls, auth, commands = [], labels = NO_LABELS } = config;
  const problem = commandsProblem(commands, labels);
  if (problem !== undefined) context.addIssue({ code: 'custom', ...problem, path: [...problem.path] });
  const outside = auth.addresses.find(({ host }) => !isLoopback(host));
  if (tls.mode === 'mutual' || outside === undefined) return;
  const message = `insecure is for loopback addresses only, and ${formatAddress(outside)} is none`;
  context.addIssue({ code: 'custom', path: ['tls', 'mode'], message });
});

/** What one agent runs with. A part that is undefined is left out. */
export interface AgentSettings {
  readonly addresses: readonly [Address, ...Address[]];
  readonly security: SecuritySettings;
  readonly serverId?: ServerId | undefined;
  /** The instance this is. */
  readonly instance?: InstanceKey | undefined;
  /** Ask instance metadata: for its tags, and which it is when `instance` is undefined. */
  readonly metadata?: boolean;
  readonly ownLabels?: Labels;
  readonly commands?: readonly LabelCommand[];
  /** Whether it takes roles and decides by them. Default: it does. */
  readonly decides?: boolean;
  /** Undefined: nothing is kept on disk. */
  readonly dataDir?: string;
  readonly socket?: string;
  /** Undefined: there is no socket for logins. */
  readonly ssh?: SshConfig | undefined;
  readonly diagnostics?: Address;
  readonly reconnect?: { readonly firstMs: number; readonly longestMs: number };
}

/** The RFD's fleet: 10,000 agents over 10 s are 1,000 handshakes a second. */
export const DEFAULT_RECONNECT = { firstMs: 10 * SECOND, longestMs: 1.5 * MINUTE } as const;

export function settingsOf(config: AgentConfig): AgentSettings {
  const [first, ...others] = config.auth.addresses;
  // The schema asks for at least one.
  if (first === undefined) throw new TypeError('no address');
  return {
    addresses: [first, ...others],
    security:
      config.tls.mode === 'insecure'
        ? { mode: 'insecure' }
        : { mode: 'mutual', join: config.join && joinSettings(config.join) },
    serverId: config.server_id,
    instance: config.aws && {
      account: config.aws.account_id,
      region: config.aws.region,
      instance: config.aws.instance_id,
    },
    metadata: true,
    ownLabels: config.labels ?? NO_LABELS,
    commands: config.commands ?? [],
    dataDir: config.data_dir,
    socket: socketPath(config),
    ssh: config.ssh,
    diagnostics: config.diagnostics,
    reconnect: { firstMs: config.reconnect.first, longestMs: config.reconnect.longest },
  };
}

export function socketPath(config: Pick<AgentConfig, 'socket' | 'data_dir'>): string {
  return config.socket ?? join(config.data_dir, SOCKET_NAME);
}
