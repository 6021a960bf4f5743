import { hostname } from 'node:os';
import { tlsField, tokenJoinFields, tokenJoinProblem } from '@tagplane/credentials';
import { isCertifiedName, parsePeerClaim } from '@tagplane/identity';
import { addressField, durationField, formatAddress, isLoopback, logLevelField } from '@tagplane/runtime';
import { z } from 'zod';
import { enrollIssues } from './enroll/config.ts';
import { estateFields } from './estate/config.ts';
import { eventFields } from './events/config.ts';
import { groupField } from './lease/config.ts';

export const DEFAULT_DATA_DIR = '/var/lib/tagplane-discovery';

const schema = z.strictObject({
  name: z
    .string()
    .default(defaultName)
    .refine((name) => parsePeerClaim(`discovery/${name}`) !== undefined, {
      message: 'expected 1 to 128 of letters, digits, ".", "_", "@", "-", beginning with a letter or digit',
    })
    .describe(
      'Name of this discovery, unless its join token carries another. Keep it over restarts: what is written under it is not sent again.',
    ),
  group: groupField,
  auth: z.strictObject({
    address: addressField.describe('The auth service, HOST:PORT.'),
  }),
  tls: tlsField,
  join: z
    .strictObject(tokenJoinFields)
    .superRefine((join, context) => {
      const problem = tokenJoinProblem(join);
      if (problem === undefined) return;
      context.addIssue({ code: 'custom', path: [problem.key], message: problem.message });
    })
    .optional()
    .describe('How the first certificate is got; not needed once it is in data_dir, nor without TLS.'),
  data_dir: z
    .string()
    .min(1)
    .default(DEFAULT_DATA_DIR)
    .describe('Where the credentials are kept; not needed without TLS.'),
  diagnostics: addressField
    .prefault('127.0.0.1:7431')
    .describe('Where /healthz, /readyz and /metrics are served.'),
  // Twenty minutes and their jitter stay below the 30 min that a scan's word is good for a renewal.
  poll_interval: durationField({ min: '1s', max: '20m' })
    .prefault('5m')
    .describe('Pause between the scans of a region, give or take a tenth.'),
  log_level: logLevelField.default('info').describe('The least severe log lines to write.'),
  ...estateFields,
  ...eventFields,
});

/** `discovery.yaml`. */
export const configSchema = schema.superRefine(({ name, tls, auth, aws }, context) => {
  const { address } = auth;
  if (tls.mode === 'insecure' && !isLoopback(address.host)) {
    const message = `insecure is for loopback addresses only, and ${formatAddress(address)} is none`;
    context.addIssue({ code: 'custom', path: ['tls', 'mode'], message });
  }
  if (tls.mode === 'mutual' && !isCertifiedName(name)) {
    context.addIssue({ code: 'custom', path: ['name'], message: 'no certificate can carry "@"' });
  }
  for (const issue of enrollIssues(tls.mode, aws)) context.addIssue({ code: 'custom', ...issue });
});

export type DiscoveryConfig = z.output<typeof configSchema>;

/** The host's name, made to fit; a container's changes with every restart, so better configure one. */
function defaultName(): string {
  return (
    hostname()
      .replace(/[^A-Za-z0-9._-]/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 128) || 'discovery'
  );
}
