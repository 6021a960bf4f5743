import { isClusterName } from '@tagplane/identity';
import { DEFAULT_CONNECTION_LIMITS } from '@tagplane/protocol';
import { addressField, durationField, formatAddress, isLoopback, logLevelField } from '@tagplane/runtime';
import { parseRedisUrl } from '@tagplane/store-redis';
import { z } from 'zod';
import { auditField } from './audit/audit-log.ts';
import { caField } from './ca/sealing-key.ts';
import { guardField } from './guard/config.ts';
import { joinField } from './join/config.ts';

const storeField = z
  .strictObject({
    type: z
      .enum(['embedded', 'redis'])
      .default('embedded')
      .describe('where everything is kept: embedded (a file, for one auth process) or redis'),
    path: z
      .string()
      .min(1)
      .optional()
      .describe('embedded: the file, made when it is not there; default tagplane.db'),
    url: z
      .string()
      .min(1)
      .optional()
      .describe(
        'redis: redis://[USER:PASSWORD@]HOST[:PORT][/DB], redis+sentinel://HOST,HOST/MASTER or redis+cluster://HOST,HOST; rediss for TLS',
      ),
  })
  .transform(({ type, path, url }, context) => {
    if (type === 'embedded' && url === undefined) return { type, path: path ?? 'tagplane.db' } as const;
    const problem = storeProblem(type, path, url);
    if (problem === undefined && url !== undefined) return { type: 'redis', url } as const;
    context.addIssue({ code: 'custom', ...problem });
    return z.NEVER;
  });

interface Problem {
  readonly path: string[];
  readonly message: string;
}

function storeProblem(type: string, path: string | undefined, url: string | undefined): Problem | undefined {
  if (type === 'embedded') return { path: ['url'], message: 'only with type: redis' };
  if (path !== undefined) return { path: ['path'], message: 'only with type: embedded' };
  if (url === undefined) return { path: ['url'], message: 'required with type: redis' };
  try {
    parseRedisUrl(url);
    return undefined;
  } catch (error) {
    return { path: ['url'], message: error instanceof Error ? error.message : String(error) };
  }
}

const tlsField = z.strictObject({
  mode: z
    .enum(['mutual', 'insecure'])
    .default('mutual')
    .describe('mutual, or insecure: no TLS, every caller is believed; on a loopback address only'),
  min_version: z.enum(['1.3', '1.2']).default('1.3').describe('the oldest TLS version that is spoken'),
});

const limitsField = z.strictObject({
  handshakes_per_second: limitField(
    DEFAULT_CONNECTION_LIMITS.handshakesPerSecond,
    'TLS handshakes a second, from everybody',
  ),
  handshakes_per_address: limitField(
    DEFAULT_CONNECTION_LIMITS.handshakesPerAddress,
    'TLS handshakes a second from one address; behind a balancer that hides addresses, as many as from everybody',
  ),
  unidentified_connections: limitField(
    DEFAULT_CONNECTION_LIMITS.unidentified,
    'connections at once that have not proven who they are',
  ),
});

function limitField(fallback: number, description: string) {
  return z.int().min(1).max(100_000).default(fallback).describe(description);
}

const fields = z.strictObject({
  listen: addressField.prefault('127.0.0.1:7420').describe('where the API listens'),
  diagnostics: addressField
    .prefault('127.0.0.1:7421')
    .describe('where /healthz, /readyz and /metrics are served'),
  store: storeField.prefault({}),
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'expected 1 to 64 of letters, digits, ".", "_", "-"')
    .optional()
    .describe('the name of this process in records and answers; default: the host name and a random suffix'),
  heartbeat_interval: durationField({ min: '1s', max: '1h' })
    .prefault('5m')
    .describe('how often agents heartbeat when nothing changes, before jitter'),
  idle_timeout: durationField({ min: '3s', max: '10m' })
    .prefault('90s')
    .describe('an agent that answers nothing for this long is taken for gone'),
  admission_rate: z
    .int()
    .min(1)
    .max(100_000)
    .default(500)
    .describe('how many agents a second may begin a session; the others wait their turn'),
  drain_timeout: durationField({ min: '0s', max: '9s' })
    .prefault('8s')
    .describe('how long calls and streams may take to end when the process is asked to stop'),
  log_level: logLevelField.default('info').describe('trace, debug, info, warn, error or silent'),
  cluster: z
    .string()
    .refine(isClusterName, 'expected 1 to 63 of lower-case letters, digits, ".", "_", "-"')
    .default('tagplane')
    .describe("the cluster's name; in every certificate, and fixed once the authority is made"),
  tls: tlsField.prefault({}),
  certificate_ttl: durationField({ min: '10s', max: '30d' })
    .prefault('12h')
    .describe('how long certificates are good for; they are renewed at two thirds of it'),
  ca: caField.prefault({}),
  join: joinField.prefault({}),
  audit: auditField.prefault({}),
  guard: guardField.prefault({}),
  limits: limitsField.prefault({}),
});

/** The configuration of `tagplane-auth`; durations come out as milliseconds. */
export const authConfig = fields.superRefine(({ tls, listen }, context) => {
  if (tls.mode === 'mutual' || isLoopback(listen.host)) return;
  context.addIssue({
    code: 'custom',
    path: ['tls', 'mode'],
    message: `insecure is for loopback addresses only, not for ${formatAddress(listen)}`,
  });
});

export type AuthConfig = z.output<typeof authConfig>;
export type StoreConfig = AuthConfig['store'];
