import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { readCredentialFile, writeCredentialFile } from '@tagplane/credentials';
import { StatusService, peerOf } from '@tagplane/protocol';
import { TestAuthority, TestIssuer, startTestServer, until } from '@tagplane/protocol/testing';
import type { TestServer } from '@tagplane/protocol/testing';
import { Registry, SECOND, runTasks, silentLogger } from '@tagplane/runtime';
import type { Address } from '@tagplane/runtime';
import { configSchema } from '../config.ts';
import { planIdentity } from './identity.ts';
import type { DiscoveryIdentity, IdentityPlan } from './identity.ts';

jest.setTimeout(120_000);

let authority: TestAuthority;
let issuer: TestIssuer;
let directory: string;
let file: string;
/** Who called, in order. */
let callers: string[];

beforeAll(async () => {
  authority = await TestAuthority.create();
});

beforeEach(async () => {
  issuer = new TestIssuer(authority);
  callers = [];
  directory = await mkdtemp(join(tmpdir(), 'discovery-identity-'));
  file = join(directory, 'credentials.json');
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

function serve(port = 0): Promise<TestServer> {
  return startTestServer(authority, {
    listen: { host: '127.0.0.1', port },
    routes: (router) => {
      issuer.routes(router);
      router.service(StatusService, {
        getStatus: (_, context) => {
          const { role, name } = peerOf(context);
          callers.push(`${role}/${name}`);
          return {};
        },
      });
    },
  });
}

function plan({ host, port }: Address, changes: Record<string, unknown> = {}): Promise<IdentityPlan> {
  const config = configSchema.parse({
    name: 'eu',
    auth: { address: `${host}:${port}` },
    join: { token: 'tp-secret', ca_pins: authority.pin },
    data_dir: directory,
    aws: [{ regions: ['eu-central-1'] }],
    ...changes,
  });
  return planIdentity({ config, registry: new Registry(), log: silentLogger() });
}

const never = new AbortController().signal;

/** Runs what keeps an identity, until it is disposed. */
function keep(identity: DiscoveryIdentity): AsyncDisposable {
  const stop = new AbortController();
  const running = runTasks(stop.signal, identity.tasks);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test is over'));
      await running;
    },
  };
}

async function call({ transport }: DiscoveryIdentity): Promise<void> {
  await createClient(StatusService, transport).getStatus({});
}

describe('a discovery with TLS', () => {
  it('joins once by its token and name, and calls as what it is certified', async () => {
    await using server = await serve();
    for (let start = 0; start < 2; start += 1) {
      const planned = await plan(server.address);
      using identity = await planned.establish(never);
      expect(identity.origin).toBe('discovery/eu');
      await call(identity);
      expect(planned.readiness()).toMatchObject([{ name: 'credentials', ready: true }]);
    }
    expect(callers).toEqual(['discovery/eu', 'discovery/eu']);
    expect(issuer.joins).toMatchObject([
      { start: { name: 'eu' }, method: { case: 'token', value: { token: 'tp-secret' } } },
    ]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('takes the name that its token carries', async () => {
    issuer.admit = () => ({ name: 'of-the-token' });
    await using server = await serve();
    using identity = await (await plan(server.address)).establish(never);
    expect(identity.origin).toBe('discovery/of-the-token');
  });

  it('says why it has not joined yet', async () => {
    issuer.admit = () => {
      throw new ConnectError('no such token', Code.PermissionDenied);
    };
    await using server = await serve();
    const planned = await plan(server.address);
    expect(planned.readiness()).toEqual([{ name: 'credentials', ready: false, reason: 'joining' }]);
    const stop = new AbortController();
    const establishing = planned.establish(stop.signal);
    await until(() => planned.readiness()[0]?.reason !== 'joining');
    expect(planned.readiness()).toEqual([
      {
        name: 'credentials',
        ready: false,
        reason: 'not joined yet: PermissionDenied: no such token',
      },
    ]);
    stop.abort(new Error('enough'));
    await expect(establishing).rejects.toThrow('enough');
  });

  it.each([
    ['there are none, and no way to get any', () => Promise.resolve(), /^join: .*tagctl tokens add/],
    [
      'others may read them',
      async () => {
        await writeCredentialFile(file, await authority.credentials({ role: 'discovery', name: 'eu' }));
        await chmod(file, 0o640);
      },
      /^data_dir: .*chmod 600/,
    ],
  ])('does not start when %s', async (_, prepare, message) => {
    await prepare();
    const planning = plan({ host: '127.0.0.1', port: 1 }, { join: undefined });
    await expect(planning).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ['of an agent', () => authority.credentials({ role: 'agent', name: 'web-1' })],
    ['broken', () => Promise.resolve(undefined)],
  ])('sets credentials aside that are %s', async (_, make) => {
    await using server = await serve();
    const credentials = await make();
    if (credentials === undefined) await writeFile(file, '{}', { mode: 0o600 });
    else await writeCredentialFile(file, credentials);
    using identity = await (await plan(server.address)).establish(never);
    await call(identity);
    expect(callers).toEqual(['discovery/eu']);
    expect((await stat(`${file}.bad`)).isFile()).toBe(true);
  });
});

describe('the credentials of a discovery', () => {
  it('are renewed on the connection there is', async () => {
    issuer.lifeMs = 4 * SECOND;
    await using server = await serve();
    using identity = await (await plan(server.address)).establish(never);
    await using _kept = keep(identity);
    await until(() => issuer.renewals.length >= 2);
    await call(identity);
    expect(issuer.joins).toHaveLength(1);
    expect(server.refusals.filter(({ reason }) => reason === 'certificate_expired')).toEqual([]);
  });

  it('follow the authorities, say so at once, and are renewed when they are told', async () => {
    issuer.generation = 3;
    issuer.renew = true;
    await using server = await serve();
    await writeCredentialFile(file, await authority.credentials({ role: 'discovery', name: 'eu' }));
    using identity = await (await plan(server.address)).establish(never);
    await using _kept = keep(identity);
    await until(() => issuer.held.length >= 2);
    expect(issuer.held.slice(0, 2)).toEqual([1, 3]);
    expect((await readCredentialFile(file))?.trust.generation).toBe(3);
    await until(() => issuer.renewals.length > 0);
    expect(issuer.joins).toHaveLength(0);
  });

  it('that have ended are joined for again, under the same name', async () => {
    issuer.lifeMs = 3 * SECOND;
    issuer.refuseRenewals = Code.Unavailable;
    await using server = await serve();
    using identity = await (await plan(server.address)).establish(never);
    await using _kept = keep(identity);
    await until(() => issuer.joins.length > 1);
    issuer.refuseRenewals = undefined;
    issuer.lifeMs = 60 * 60 * SECOND;
    // What is on its way meanwhile may find the connection of before.
    for (let tries = 0; callers.length === 0 && tries < 100; tries += 1) {
      await call(identity).catch(() => delay(100));
    }
    expect(callers[0]).toBe('discovery/eu');
    expect(issuer.joins.map(({ start }) => start.name)).toEqual(issuer.joins.map(() => 'eu'));
  });
});

describe('a discovery without TLS', () => {
  it('has its own word, and nothing to keep', async () => {
    const planned = await plan({ host: '127.0.0.1', port: 1 }, { tls: { mode: 'insecure' } });
    using identity = await planned.establish(never);
    expect(identity).toMatchObject({ origin: 'discovery/eu', tasks: {} });
    expect(planned.readiness()).toEqual([]);
  });
});
