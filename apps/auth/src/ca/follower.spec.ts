import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CertificateIdentity, Role } from '@tagplane/identity';
import type { Store } from '@tagplane/store';
import { openEmbeddedStore } from '@tagplane/store-embedded';
import { identityOf } from '../testing/identities.ts';
import { countFollowers, readFollowers, removeFollower, writeFollower } from './follower.ts';

const { signal } = new AbortController();
const [OLD, NEW] = ['sha256:old', 'sha256:new'];

function peer(
  role: Role,
  name: string,
  issuer = NEW,
  trustGeneration = 3,
): { readonly identity: CertificateIdentity; readonly trustGeneration: number } {
  return { identity: { ...identityOf(role, name), issuer }, trustGeneration };
}

describe('countFollowers', () => {
  const count = (connections: Parameters<typeof countFollowers>[2]): ReturnType<typeof countFollowers> =>
    countFollowers('a1', { generation: 3, signer: NEW }, connections);

  it('counts agents and discoveries, and names who lacks the bundle or a certificate', () => {
    const connections = [
      peer('agent', 'good'),
      peer('discovery', 'good'),
      peer('agent', 'untold', NEW, 2),
      peer('agent', 'old', OLD),
      peer('discovery', 'neither', OLD, 0),
      peer('operator', 'admin', OLD, 0),
      peer('auth', 'a2', OLD, 0),
      { identity: undefined, trustGeneration: 0 },
    ];
    expect(count(connections)).toEqual({
      authId: 'a1',
      generation: 3,
      peers: 5,
      trusting: 3,
      renewed: 3,
      waitingFor: [
        'spiffe://test/agent/untold',
        'spiffe://test/agent/old',
        'spiffe://test/discovery/neither',
      ],
    });
  });

  it('names no more than ten, each once', () => {
    const many = Array.from({ length: 30 }, (_, i) => peer('agent', `a${i % 15}`, OLD));
    const { waitingFor, peers } = count(many);
    expect([peers, waitingFor.length, new Set(waitingFor).size]).toEqual([30, 10, 10]);
  });
});

describe('reports of followers', () => {
  let store: Store & AsyncDisposable;
  beforeEach(() => {
    store = openEmbeddedStore({ path: ':memory:', kind: 'security' });
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
  });

  it('are read as they were written, and gone once they are taken back', async () => {
    const report = countFollowers('a1', { generation: 3, signer: NEW }, [peer('agent', 'old', OLD)]);
    await writeFollower(store, report, { ttlMs: 30_000, signal });
    await writeFollower(store, { ...report, authId: 'a2' }, { ttlMs: 30_000, signal });
    expect(await readFollowers(store, signal)).toEqual([report, { ...report, authId: 'a2' }]);
    await removeFollower(store, 'a1', signal);
    expect(await readFollowers(store, signal)).toEqual([{ ...report, authId: 'a2' }]);
  });

  it.each(['no JSON', '{}', '[]', '{"generation":"3"}'])(
    'that cannot be read do not follow: %s',
    async (value) => {
      await store.put([{ key: 'ca/follow/a3', value, ttlMs: undefined }], { signal });
      expect(await readFollowers(store, signal)).toMatchObject([{ authId: 'a3', generation: 0 }]);
    },
  );
});
