import { describe, expect, it } from '@jest/globals';
import { parseRedisUrl } from './endpoint.ts';

describe('parseRedisUrl', () => {
  it.each([
    ['redis://localhost', { mode: 'standalone', nodes: [{ host: 'localhost', port: 6379 }] }],
    ['redis://10.0.0.1:7000/', { mode: 'standalone', nodes: [{ host: '10.0.0.1', port: 7000 }] }],
    [
      'rediss://r.example/3',
      { mode: 'standalone', nodes: [{ host: 'r.example', port: 6379 }], db: 3, tls: true },
    ],
    ['redis://[::1]:6380', { mode: 'standalone', nodes: [{ host: '::1', port: 6380 }] }],
    [
      'redis://me:p%40ss%3A%2F@h',
      { mode: 'standalone', nodes: [{ host: 'h', port: 6379 }], username: 'me', password: 'p@ss:/' },
    ],
    ['redis://:secret@h', { mode: 'standalone', nodes: [{ host: 'h', port: 6379 }], password: 'secret' }],
    [
      'redis+cluster://a,b:7001',
      {
        mode: 'cluster',
        nodes: [
          { host: 'a', port: 6379 },
          { host: 'b', port: 7001 },
        ],
      },
    ],
    [
      'rediss+sentinel://u:p@a,b:1/main/2',
      {
        mode: 'sentinel',
        nodes: [
          { host: 'a', port: 26379 },
          { host: 'b', port: 1 },
        ],
        masterName: 'main',
        username: 'u',
        password: 'p',
        db: 2,
        tls: true,
      },
    ],
  ])('reads %s', (url, endpoint) => {
    expect(parseRedisUrl(url)).toEqual(endpoint);
  });

  it.each([
    '',
    'localhost:6379',
    'http://h',
    'redis://',
    'redis://a,b',
    'redis://h:0',
    'redis://h:65536',
    'redis://h:port',
    'redis://h/db',
    'redis://h/1/2',
    'redis://%zz@h',
    'redis+cluster://h/1',
    'redis+sentinel://h',
    'redis+sentinel://h/main/x',
    'redis+other://h',
  ])('refuses %j', (url) => {
    expect(() => parseRedisUrl(url)).toThrow(RangeError);
  });

  it('does not repeat a password', () => {
    expect(() => parseRedisUrl('redis://:secret@h:99999')).toThrow(/^(?!.*secret)/);
  });
});
