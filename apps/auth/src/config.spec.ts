import { describe, expect, it } from '@jest/globals';
import { configKeys, loadConfig } from '@tagplane/runtime';
import { authConfig } from './config.ts';

function load(env: Record<string, string>): unknown {
  return loadConfig(authConfig, { file: undefined, env });
}

describe('auth configuration', () => {
  it('works without any', () => {
    expect(load({})).toEqual({
      listen: { host: '127.0.0.1', port: 7_420 },
      diagnostics: { host: '127.0.0.1', port: 7_421 },
      store: { type: 'embedded', path: 'tagplane.db' },
      heartbeat_interval: 300_000,
      idle_timeout: 90_000,
      admission_rate: 500,
      drain_timeout: 8_000,
      log_level: 'info',
      cluster: 'tagplane',
      tls: { mode: 'mutual', min_version: '1.3' },
      certificate_ttl: 43_200_000,
      ca: {},
      join: { exchanges: 256 },
      audit: { path: '-', retention: 604_800_000 },
      guard: { enabled: true, share: 0.3, nodes: 20, windowMs: 900_000 },
      limits: {
        handshakes_per_second: 1_000,
        handshakes_per_address: 200,
        unidentified_connections: 4_096,
      },
    });
  });

  it('is without TLS on loopback only', () => {
    const insecure = { TAGPLANE_TLS_MODE: 'insecure' };
    expect(load(insecure)).toMatchObject({ tls: { mode: 'insecure' } });
    expect(load({ ...insecure, TAGPLANE_LISTEN: '[::1]:1' })).toMatchObject({ tls: { mode: 'insecure' } });
    expect(() => load({ ...insecure, TAGPLANE_LISTEN: '0.0.0.0:7420' })).toThrow(
      'tls.mode: insecure is for loopback addresses only, not for 0.0.0.0:7420',
    );
  });

  it.each([
    ['redis://u:p@db:6380/2'],
    ['rediss://db'],
    ['redis+sentinel://s1,s2/main'],
    ['redis+cluster://c1:7000,c2:7000'],
  ])('takes the store %s', (url) => {
    expect(load({ TAGPLANE_STORE_TYPE: 'redis', TAGPLANE_STORE_URL: url })).toMatchObject({
      store: { type: 'redis', url },
    });
  });

  it.each([
    ['store.url: required with type: redis', { TAGPLANE_STORE_TYPE: 'redis' }],
    [
      'store.url: the Redis URL cannot be read',
      { TAGPLANE_STORE_TYPE: 'redis', TAGPLANE_STORE_URL: 'http://x' },
    ],
    ['store.url: only with type: redis', { TAGPLANE_STORE_URL: 'redis://x' }],
    [
      'store.path: only with type: embedded',
      { TAGPLANE_STORE_TYPE: 'redis', TAGPLANE_STORE_URL: 'redis://x', TAGPLANE_STORE_PATH: 'x' },
    ],
    ['store.type: ', { TAGPLANE_STORE_TYPE: 'etcd' }],
    ['listen: expected HOST:PORT', { TAGPLANE_LISTEN: 'nowhere' }],
    ['drain_timeout: expected between 0s and 9s', { TAGPLANE_DRAIN_TIMEOUT: '10s' }],
    ['cluster: expected 1 to 63', { TAGPLANE_CLUSTER: 'A b' }],
    ['tls.min_version: ', { TAGPLANE_TLS_MIN_VERSION: '1.1' }],
    ['certificate_ttl: expected between 10s and 30d', { TAGPLANE_CERTIFICATE_TTL: '1s' }],
    ['name: expected 1 to 64', { TAGPLANE_NAME: 'a/b' }],
    ['guard.share: ', { TAGPLANE_GUARD_SHARE: '0' }],
    ['guard.share: ', { TAGPLANE_GUARD_SHARE: '1.1' }],
    ['guard.nodes: ', { TAGPLANE_GUARD_NODES: '0' }],
    ['guard.window: expected between 1s and 1d', { TAGPLANE_GUARD_WINDOW: '2d' }],
  ])('says %s', (message, env) => {
    expect(() => load(env)).toThrow(message);
  });

  it('keeps a password out of its messages', () => {
    const env = { TAGPLANE_STORE_TYPE: 'redis', TAGPLANE_STORE_URL: 'redis://u:hunter2@a b/x' };
    expect(() => load(env)).toThrow(/^(?!.*hunter2)/);
  });

  it('describes every key', () => {
    expect(configKeys(authConfig).filter(({ description }) => description === '')).toEqual([]);
  });
});
