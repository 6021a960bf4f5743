import type { ConnectionOptions } from 'node:tls';

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is, and who asks. */
export interface RedisEndpoint {
  /** `sentinel`: `nodes` are the sentinels; `cluster`: some of its nodes, the rest is found. */
  readonly mode: 'standalone' | 'sentinel' | 'cluster';
  readonly nodes: readonly RedisNode[];
  /** The group of servers that the sentinels watch. */
  readonly masterName?: string;
  readonly username?: string;
  readonly password?: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  /** Number of the database; a Cluster has only 0. */
  readonly db?: number;
  /** True: TLS with the system's authorities; or settings for it. */
  readonly tls?: boolean | ConnectionOptions;
}

const DEFAULT_PORTS = { standalone: 6379, sentinel: 26379, cluster: 6379 } as const;
const URL_FORM = /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^@/]+)(?:\/(.*))?$/;
const NODE_FORM = /^(\[[0-9a-fA-F:.]+\]|[^:\s]+)(?::(\d{1,5}))?$/;

/**
 * Reads `redis://[user:password@]host[:port][/db]`, `redis+cluster://…@host[:port],host[:port]` and
 * `redis+sentinel://…@sentinel[:port],sentinel[:port]/master-name[/db]`; `rediss` instead of `redis`
 * means TLS. User and password are percent-encoded.
 *
 * @throws RangeError when the text has none of these forms; it does not repeat the text, which may hold
 *   a password
 */
export function parseRedisUrl(url: string): RedisEndpoint {
  const [, secure, scheme, user, hosts = '', path = ''] =
    URL_FORM.exec(url) ?? refuse('it has no known form');
  const mode = (scheme as 'sentinel' | 'cluster' | undefined) ?? 'standalone';
  const nodes = hosts.split(',').map((host) => parseNode(host, DEFAULT_PORTS[mode]));
  if (mode === 'standalone' && nodes.length > 1) refuse('several hosts need redis+cluster or redis+sentinel');
  const segments = path === '' ? [] : path.split('/');
  const masterName = mode === 'sentinel' ? segments.shift() : undefined;
  if (mode === 'sentinel' && !masterName) refuse('the name of the master is missing');
  const db = parseDb(segments, mode);
  return {
    mode,
    nodes,
    ...(masterName !== undefined && { masterName: decode(masterName) }),
    ...(user !== undefined && parseUser(user)),
    ...(db !== undefined && { db }),
    ...(secure !== '' && { tls: true }),
  };
}

function parseNode(text: string, defaultPort: number): RedisNode {
  const [, host = '', port] = NODE_FORM.exec(text) ?? refuse('a host is malformed');
  const number = port === undefined ? defaultPort : Number(port);
  if (number < 1 || number > 65_535) refuse('a port is out of range');
  return { host: host.replace(/^\[|\]$/g, ''), port: number };
}

function parseUser(user: string): { username?: string; password?: string } {
  const colon = user.indexOf(':');
  const username = decode(colon < 0 ? user : user.slice(0, colon));
  return {
    ...(username !== '' && { username }),
    ...(colon >= 0 && { password: decode(user.slice(colon + 1)) }),
  };
}

function parseDb(segments: readonly string[], mode: RedisEndpoint['mode']): number | undefined {
  const [db, ...rest] = segments;
  if (db === undefined || (db === '' && rest.length === 0)) return undefined;
  if (rest.length > 0 || !/^\d{1,5}$/.test(db)) refuse('the database is no number');
  if (mode === 'cluster' && Number(db) !== 0) refuse('a cluster has only database 0');
  return Number(db);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return refuse('the percent-encoding is malformed');
  }
}

function refuse(why: string): never {
  throw new RangeError(`the Redis URL cannot be read: ${why}`);
}
