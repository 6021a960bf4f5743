import { addressField, durationField, logLevelField } from '@tagplane/runtime';
import { z } from 'zod';

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
      .describe('redis: redis://HOST:PORT or rediss://HOST:PORT, with user, password and database as usual'),
  })
  .transform(({ type, path, url }, context) => {
    if (type === 'embedded' && url === undefined) return { type, path: path ?? 'tagplane.db' } as const;
    if (type === 'redis' && url !== undefined && path === undefined) return { type, url } as const;
    const [key, message] =
      type === 'embedded'
        ? ['url', 'only with type: redis']
        : path === undefined
          ? ['url', 'required with type: redis']
          : ['path', 'only with type: embedded'];
    context.addIssue({ code: 'custom', path: [key], message });
    return z.NEVER;
  });

/** The configuration of `tagplane-auth`; durations come out as milliseconds. */
export const authConfig = z.strictObject({
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
  drain_timeout: durationField({ min: '0s', max: '9s' })
    .prefault('8s')
    .describe('how long calls and streams may take to end when the process is asked to stop'),
  log_level: logLevelField.default('info').describe('trace, debug, info, warn, error or silent'),
});

export type AuthConfig = z.output<typeof authConfig>;
export type StoreConfig = AuthConfig['store'];
