import { createClient, createRouterTransport } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LockService, PEER_HEADER, instanceToMessage, rpcOptions } from '@tagplane/protocol';
import { Registry, silentLogger } from '@tagplane/runtime';
import { createLocks } from '../locks/create-locks.ts';
import { instance } from '../testing/fleet.ts';
import { RecordingAudit } from '../testing/recording-audit.ts';
import { codeOf } from '../testing/samples.ts';
import { testStores } from '../testing/test-stores.ts';
import type { TestStores } from '../testing/test-stores.ts';
import { addLock } from './add-lock.ts';
import { listLocks } from './list-locks.ts';
import { removeLock } from './remove-lock.ts';

let stores: TestStores;
let audit: RecordingAudit;
let ada: Client<typeof LockService>;

beforeEach(() => {
  stores = testStores();
  audit = new RecordingAudit();
  const log = silentLogger();
  const locks = createLocks({ store: stores.security, audit, log, registry: new Registry() });
  const routes = { locks, audit, cluster: 'test' };
  const transport = createRouterTransport(
    (router) => {
      router.service(LockService, {
        addLock: addLock(routes),
        listLocks: listLocks(routes),
        removeLock: removeLock(routes),
      });
    },
    {
      router: rpcOptions({ log, authorise: () => undefined }),
      transport: {
        interceptors: [
          (next) => (request) => {
            request.header.set(PEER_HEADER, 'operator/ada');
            return next(request);
          },
        ],
      },
    },
  );
  ada = createClient(LockService, transport);
});
afterEach(async () => {
  await stores[Symbol.asyncDispose]();
});

const agent = (value: string) => ({ target: { case: 'agent', value } }) as const;
const identity = (value: string) => ({ target: { case: 'identity', value } }) as const;
const ofInstance = { target: { case: 'instance', value: instanceToMessage(instance(1)) } } as const;

describe('AddLock', () => {
  it('locks each kind of target under an id of its own', async () => {
    const targets = [agent('web-1'), ofInstance, identity('spiffe://test/discovery/d1')];
    const ids: (string | undefined)[] = [];
    for (const target of targets) ids.push((await ada.addLock({ target })).lock?.id);
    expect(ids).toEqual([
      'agent:web-1',
      `instance:123456789012/eu-central-1/${instance(1).instance}`,
      'identity:spiffe://test/discovery/d1',
    ]);
    const { locks } = await ada.listLocks({});
    expect(locks.map(({ target }) => target?.target.case)).toEqual(['agent', 'identity', 'instance']);
    expect(audit.of('lock.added').map(({ subjects }) => subjects?.[0])).toEqual(ids);
  });

  it('says who, why and for how long', async () => {
    const request = { target: agent('web-1'), message: 'stolen\u001b[2J', ttl: { seconds: 90n } };
    const { lock } = await ada.addLock(request);
    expect(lock).toMatchObject({ message: 'stolen\ufffd[2J', createdBy: 'operator/ada' });
    const lifetime = Number(lock?.expiresAt?.seconds) - Number(lock?.createdAt?.seconds);
    expect([89, 90, 91]).toContain(lifetime);
    expect(audit.records).toMatchObject([
      {
        code: 'lock.added',
        result: 'ok',
        actor: 'operator/ada',
        details: { message: 'stolen\ufffd[2J', ttl: '1m30s' },
      },
    ]);
  });

  it.each([
    ['no target', {}],
    ['no server id', { target: agent('a b') }],
    [
      'a malformed instance',
      { target: { target: { case: 'instance', value: { accountId: '1' } } } as const },
    ],
    ['another cluster', { target: identity('spiffe://other/agent/web-1') }],
    ['no SPIFFE ID', { target: identity('web-1') }],
    ['an auth service', { target: identity('spiffe://test/auth/auth-1') }],
    ['less than a second', { target: agent('web-1'), ttl: { nanos: 1 } }],
    ['no end for oneself', { target: identity('spiffe://test/operator/ada') }],
  ])('refuses %s', async (_, request) => {
    expect(await codeOf(ada.addLock(request))).toBe('InvalidArgument');
    expect((await ada.listLocks({})).locks).toEqual([]);
    expect(audit.records).toEqual([]);
  });

  it('lets operators lock themselves for a time', async () => {
    const request = { target: identity('spiffe://test/operator/ada'), ttl: { seconds: 43_200n } };
    expect((await ada.addLock(request)).lock?.id).toBe('identity:spiffe://test/operator/ada');
  });
});

describe('RemoveLock', () => {
  it('ends a lock, and says whether there was one', async () => {
    await ada.addLock({ target: agent('web-1') });
    expect(await ada.removeLock({ id: 'agent:web-1' })).toMatchObject({ removed: true });
    expect(await ada.removeLock({ id: 'agent:web-1' })).toMatchObject({ removed: false });
    expect(await ada.removeLock({ id: '../ca/current' })).toMatchObject({ removed: false });
    expect((await ada.listLocks({})).locks).toEqual([]);
    expect(audit.of('lock.removed')).toMatchObject([{ actor: 'operator/ada', subjects: ['agent:web-1'] }]);
  });
});
