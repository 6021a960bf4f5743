import { X509Certificate, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@connectrpc/connect';
import type { Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Credentials } from '@tagplane/credentials';
import { readCredentialFile } from '@tagplane/credentials';
import { publicKeyPin } from '@tagplane/identity';
import {
  NodeService,
  PEER_HEADER,
  ServerInfoService,
  StatusService,
  createClientConnection,
} from '@tagplane/protocol';
import type { ClientSecurity } from '@tagplane/protocol';
import { startRedis } from '@tagplane/store-redis/testing';
import { INSECURE, runAuth, startAuth } from './testing/auth-process.ts';
import type { AuthProcess } from './testing/auth-process.ts';
import { codeOf, discovered, discoveredNameOf } from './testing/samples.ts';

const DEADLINE_MS = 120_000;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tagplane-auth-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function transports({ address }: AuthProcess): Record<string, Transport> {
  const baseUrl = `http://${address.host}:${address.port}`;
  return {
    gRPC: createGrpcTransport({ baseUrl }),
    Connect: createConnectTransport({ baseUrl, httpVersion: '2' }),
    JSON: createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: false }),
  };
}

function transportOf(auth: AuthProcess): Transport {
  return transports(auth)['gRPC'] ?? createGrpcTransport({ baseUrl: '' });
}

async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await delay(50);
}

const ready = (auth: AuthProcess) => until(async () => Object.keys(await auth.problems()).length === 0);
const discovery = { headers: { [PEER_HEADER]: 'discovery/d1' } };
const operator = { headers: { [PEER_HEADER]: 'operator/ada' } };

describe('tagplane-auth without TLS', () => {
  it(
    'becomes ready, answers every protocol on one port, keeps what it was told, and stops at once',
    async () => {
      const env = { ...INSECURE, TAGPLANE_STORE_PATH: join(dir, 'one.db'), TAGPLANE_NAME: 'auth-one' };
      await using first = await startAuth(env);
      await ready(first);
      for (const [index, [name, transport]] of Object.entries(transports(first)).entries()) {
        const client = createClient(ServerInfoService, transport);
        const { results } = await client.upsertServerInfos({ serverInfos: [discovered(index)] }, discovery);
        expect([name, results[0]?.status]).toEqual([name, 1]);
        const status = await createClient(StatusService, transport).getStatus({}, operator);
        expect([name, status.authId, status.problems]).toEqual([name, 'auth-one', []]);
      }
      const watch = createClient(NodeService, transportOf(first))
        .watchNodes({}, operator)
        [Symbol.asyncIterator]();
      await watch.next();
      await watch.next();
      const ended = codeOf(watch.next());
      expect(await first.stop('SIGTERM')).toBe(0);
      expect(await ended).toBe('Unavailable');
      await using second = await startAuth(env);
      const kept = createClient(ServerInfoService, transportOf(second));
      const { serverInfos } = await kept.listServerInfos({}, operator);
      expect(serverInfos.map(({ name }) => name)).toEqual([0, 1, 2].map(discoveredNameOf));
      expect(await second.stop('SIGINT')).toBe(0);
    },
    DEADLINE_MS,
  );

  it(
    'waits for a Redis that is away, and shares it with another',
    async () => {
      await using redis = await startRedis();
      await redis.kill();
      const env = { ...INSECURE, TAGPLANE_STORE_TYPE: 'redis', TAGPLANE_STORE_URL: redis.url };
      await using one = await startAuth(env);
      await using other = await startAuth(env);
      await until(async () => (await one.problems())['store'] !== 'not asked yet');
      expect((await one.problems())['store']).not.toBeUndefined();
      const writer = createClient(ServerInfoService, transportOf(one));
      const upsert = () => writer.upsertServerInfos({ serverInfos: [discovered(1)] }, discovery);
      expect(await codeOf(upsert())).toBe('Unavailable');
      await redis.restart();
      await ready(one);
      await ready(other);
      const { results, storeEpoch } = await upsert();
      expect(results[0]?.status).toBe(1);
      const reader = createClient(ServerInfoService, transportOf(other));
      const { serverInfo } = await reader.getServerInfo({ name: discoveredNameOf(1) }, operator);
      expect(serverInfo?.labels).toEqual({ 'aws/Name': 'web 1' });
      await redis.restart({ empty: true });
      await until(async () => {
        const answer = await reader.listServerInfos({}, operator).catch(() => undefined);
        return answer !== undefined && answer.storeEpoch !== storeEpoch;
      });
      expect(await one.stop('SIGTERM')).toBe(0);
    },
    DEADLINE_MS,
  );

  it(
    'ends with 2 and one line on a bad configuration',
    async () => {
      const file = join(dir, 'bad.yaml');
      await writeFile(file, 'store:\n  type: redis\n');
      const start = await runAuth(['start', '--config', file]);
      expect(start).toEqual({
        code: 2,
        stdout: '',
        stderr: 'tagplane-auth: store.url: required with type: redis\n',
      });
      const check = await runAuth(['config', 'check'], { TAGPLANE_LISTEN: 'x' });
      expect(check).toEqual({ code: 2, stdout: '', stderr: 'tagplane-auth: listen: expected HOST:PORT\n' });
    },
    DEADLINE_MS,
  );

  it(
    'ends with 1 and says why when it cannot listen or open its store',
    async () => {
      const path = join(dir, 'two.db');
      await using first = await startAuth({ ...INSECURE, TAGPLANE_STORE_PATH: path });
      const taken = `127.0.0.1:${first.address.port}`;
      const env = {
        ...INSECURE,
        TAGPLANE_STORE_PATH: path,
        TAGPLANE_DIAGNOSTICS: '127.0.0.1:0',
        TAGPLANE_LISTEN: taken,
      };
      const second = await runAuth(['start'], env);
      expect(second.code).toBe(1);
      expect(second.stderr).toContain(`cannot listen on ${taken}`);
      const third = await runAuth(['start'], { ...env, TAGPLANE_STORE_PATH: join(dir, 'no', 'such') });
      expect(third.code).toBe(1);
      expect(third.stderr).toContain(join(dir, 'no', 'such'));
    },
    DEADLINE_MS,
  );
});

describe('tagplane-auth as it is by default', () => {
  const listening = { TAGPLANE_LISTEN: '127.0.0.1:0', TAGPLANE_DIAGNOSTICS: '127.0.0.1:0' };

  async function bootstrapped(name: string) {
    const out = join(dir, `${name}.json`);
    const env = {
      TAGPLANE_STORE_PATH: join(dir, `${name}.db`),
      TAGPLANE_CA_KEY_FILE: join(dir, `${name}.key`),
      TAGPLANE_AUDIT_PATH: join(dir, `${name}.jsonl`),
    };
    const run = await runAuth(['bootstrap', '--name', 'ada', '--out', out], env);
    expect(run.code).toBe(0);
    const credentials = await readCredentialFile(out);
    if (credentials === undefined) throw new Error(`no credentials in ${out}`);
    return { env, credentials };
  }

  async function authIdAs(auth: AuthProcess, security: ClientSecurity): Promise<string> {
    using connection = createClientConnection({ address: auth.address, security });
    return (await createClient(StatusService, connection.transport).getStatus({})).authId;
  }

  function mutual(credentials: Credentials): ClientSecurity {
    return { mode: 'mutual', credentials: () => credentials };
  }

  it(
    'ends with 2 and names the key when there is no key file',
    async () => {
      const env = { ...listening, TAGPLANE_STORE_PATH: join(dir, 'keyless.db') };
      const unnamed = await runAuth(['start'], env);
      expect(unnamed).toMatchObject({ code: 2, stdout: '' });
      expect(unnamed.stderr).toMatch(/^tagplane-auth: ca\.key_file: required/m);
      const missing = await runAuth(['start'], { ...env, TAGPLANE_CA_KEY_FILE: join(dir, 'no.key') });
      expect(missing).toMatchObject({ code: 2, stdout: '' });
      expect(missing.stderr).toMatch(
        /^tagplane-auth: ca\.key_file: there is no .*'tagplane-auth bootstrap'/m,
      );
    },
    DEADLINE_MS,
  );

  it(
    'is bootstrapped, and answers its operator and nobody else',
    async () => {
      const { env, credentials } = await bootstrapped('mutual');
      await using auth = await startAuth({ ...env, TAGPLANE_NAME: 'auth-one' });
      await ready(auth);
      expect(await authIdAs(auth, mutual(credentials))).toBe('auth-one');
      const [authority = ''] = credentials.trust.authorities;
      const pins = [publicKeyPin(new X509Certificate(authority))];
      expect(await codeOf(authIdAs(auth, { mode: 'pinned', pins }))).toBe('Unauthenticated');
      const other = await bootstrapped('elsewhere');
      await expect(authIdAs(auth, mutual(other.credentials))).rejects.toThrow();
      expect(await auth.stop('SIGTERM')).toBe(0);
    },
    DEADLINE_MS,
  );

  it(
    'ends with 2 when the authority was sealed with another key',
    async () => {
      const { env } = await bootstrapped('sealed');
      const key = randomBytes(32).toString('base64');
      const { TAGPLANE_CA_KEY_FILE: file } = env;
      await writeFile(file, `${key}\n`);
      const { code, stderr } = await runAuth(['start'], { ...listening, ...env });
      expect(code).toBe(2);
      expect(stderr).toMatch(/^tagplane-auth: ca\.key_file: not the key/m);
      expect(stderr).not.toContain(key);
    },
    DEADLINE_MS,
  );
});
