import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, createContextValues } from '@connectrpc/connect';
import type { HandlerContext } from '@connectrpc/connect';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createKey } from '@tagplane/credentials';
import { JoinRequestSchema, Role } from '@tagplane/protocol';
import { StoreUnavailableError } from '@tagplane/store';
import { openEmbeddedStore } from '@tagplane/store-embedded';
import { denied } from '../join/verifier.ts';
import type { JoinVerifier } from '../join/verifier.ts';
import { TestJoin } from '../testing/test-join.ts';
import type { JoinRequestInit, MethodInit, TestJoinOptions } from '../testing/test-join.ts';
import { overridden, until } from '../testing/test-stores.ts';

const open: TestJoin[] = [];

function testJoin(options?: TestJoinOptions): TestJoin {
  const joining = new TestJoin(options);
  open.push(joining);
  return joining;
}

afterEach(async () => {
  for (const joining of open.splice(0)) await joining[Symbol.asyncDispose]();
});

const TOKEN: MethodInit = { case: 'token', value: { token: 'anything' } };

/** Lets everybody in, and counts. */
function openDoor(): JoinVerifier<unknown> & { asked: number } {
  const door = {
    asked: 0,
    verify: () => {
      door.asked += 1;
      return Promise.resolve({ ok: true as const, proof: 'none', instance: undefined });
    },
  };
  return door;
}

async function refusal(call: Promise<unknown>): Promise<string> {
  return await call.then(
    () => 'let in',
    (error: unknown) => {
      const { code, rawMessage } = ConnectError.from(error);
      return `${Code[code]}: ${rawMessage}`;
    },
  );
}

async function joins(joining: TestJoin): Promise<string[]> {
  const text = await joining.registry.getSingleMetricAsString('tagplane_auth_joins_total');
  return text.split('\n').filter((line) => !line.startsWith('#'));
}

describe('a join', () => {
  it('is start, challenge, proof, issued; and audited', async () => {
    const joining = testJoin({ verifiers: { token: openDoor() } });
    const key = createKey();
    const issued = await joining.join({ name: 'web-1', method: TOKEN, key });
    expect(issued).toMatchObject({
      identity: 'spiffe://test/agent/web-1',
      trust: { generation: 1n, authorities: [Buffer.from('authority')] },
      certificates: [Buffer.from('certificate of spiffe://test/agent/web-1')],
    });
    expect(issued.awsInstance).toBeUndefined();
    expect(Buffer.from(joining.authority.subjects[0]?.publicKey ?? [])).toEqual(key.publicKey);
    expect(joining.audit.records).toEqual([
      {
        code: 'join.ok',
        result: 'ok',
        actor: 'agent/web-1',
        remoteAddress: '192.0.2.1',
        subjects: ['spiffe://test/agent/web-1'],
        details: { method: 'token', role: 'agent', name: 'web-1', proof: 'none' },
      },
    ]);
    expect(await joins(joining)).toEqual([
      'tagplane_auth_joins_total{method="token",role="agent",result="ok"} 1',
    ]);
  });

  it('gives each challenge another nonce', async () => {
    const joining = testJoin({ verifiers: { token: openDoor() } });
    const nonces: string[] = [];
    for (let n = 0; n < 2; n += 1) {
      await joining.join({
        method: ({ nonce }) => {
          nonces.push(nonce);
          return TOKEN;
        },
      });
    }
    expect(new Set(nonces).size).toBe(2);
    expect(nonces.map((nonce) => Buffer.from(nonce, 'base64url').length)).toEqual([32, 32]);
  });

  it('asks no method before the possession of the key is proven', async () => {
    const door = openDoor();
    const joining = testJoin({ verifiers: { token: door } });
    const attempt = joining.join({ name: 'web-1', method: TOKEN, possession: new Uint8Array(64) });
    expect(await refusal(attempt)).toBe('PermissionDenied: the possession of the key is not proven');
    expect(door.asked).toBe(0);
    expect(joining.audit.records).toMatchObject([
      { code: 'join.refused', result: 'refused', actor: 'agent/web-1', remoteAddress: '192.0.2.1' },
    ]);
  });

  it('is refused where its method is not set up', async () => {
    const joining = testJoin();
    const method: MethodInit = { case: 'iam', value: { host: 'h', headers: { a: 'b' } } };
    expect(await refusal(joining.join({ method }))).toBe(
      'PermissionDenied: joining by iam is not set up here',
    );
  });

  it('is refused to whoever is locked, before anything is used up', async () => {
    const joining = testJoin();
    const { secretToken } = await joining.tokens.addToken({ role: Role.AGENT });
    const method: MethodInit = { case: 'token', value: { token: secretToken } };
    joining.locks.reasons.set('spiffe://test/agent/web-1', 'stolen');
    expect(await refusal(joining.join({ name: 'web-1', method }))).toBe('PermissionDenied: it is locked');
    expect(joining.audit.of('join.refused')).toMatchObject([
      { details: { locked: 'stolen', name: 'web-1' } },
    ]);
    joining.locks.reasons.clear();
    joining.locks.loaded = false;
    expect(await refusal(joining.join({ name: 'web-1', method }))).toBe(
      'Unavailable: the locks are not known yet',
    );
    joining.locks.loaded = true;
    expect((await joining.join({ name: 'web-1', method })).identity).toBe('spiffe://test/agent/web-1');
  });

  it.each([
    [
      'a proof first',
      [{ message: { case: 'proof', value: { possession: new Uint8Array(1), method: TOKEN } } }],
    ],
    ['nothing at all', []],
    ['a start twice', [startOf('a'), startOf('a')]],
    ['no proof', [startOf('a')]],
    [
      'an auth service',
      [{ message: { case: 'start', value: { role: Role.AUTH, publicKey: new Uint8Array(1) } } }],
    ],
  ] as [string, JoinRequestInit[]][])('is refused and audited after %s', async (_what, messages) => {
    const joining = testJoin();
    async function* requests() {
      for (const message of messages) yield await Promise.resolve(message);
    }
    const call = (async () => {
      for await (const _ of joining.client().join(requests()));
    })();
    expect(await refusal(call)).toMatch(/^InvalidArgument: /);
    expect(joining.audit.records).toMatchObject([{ code: 'join.refused', result: 'failed' }]);
  });

  it('ends when it takes too long, and frees its place', async () => {
    const joining = testJoin({ deadlineMs: 50, maxExchanges: 1, verifiers: { token: openDoor() } });
    const never = joining.join({ method: () => new Promise<MethodInit>(() => undefined) });
    expect(await refusal(never)).toBe('DeadlineExceeded: the exchange took too long');
    expect(joining.audit.records).toMatchObject([{ result: 'failed', reason: 'the exchange took too long' }]);
    expect(await joining.registry.getSingleMetricAsString('tagplane_auth_join_exchanges')).toContain(' 0');
  });

  it('ends when the method takes too long', async () => {
    const joining = testJoin({
      deadlineMs: 50,
      verifiers: { token: { verify: () => new Promise(() => undefined) } },
    });
    expect(await refusal(joining.join({ method: TOKEN }))).toMatch(/^DeadlineExceeded/);
  });

  it('is one of a bounded number', async () => {
    const joining = testJoin({ maxExchanges: 1, verifiers: { token: openDoor() } });
    const held = Promise.withResolvers<MethodInit>();
    let challenged = false;
    const first = joining.join({
      method: () => {
        challenged = true;
        return held.promise;
      },
    });
    await until(() => challenged, 'a challenge');
    expect(await refusal(joining.join({ method: TOKEN }))).toBe(
      'ResourceExhausted: too many joins are under way',
    );
    held.resolve(TOKEN);
    await first;
    const gauge = () => joining.registry.getSingleMetricAsString('tagplane_auth_join_exchanges');
    await until(async () => (await gauge()).includes(' 0'), 'a free place');
    expect((await joining.join({ method: TOKEN })).identity).toMatch(/^spiffe:/);
    expect(joining.audit.of('join.refused')).toHaveLength(1);
  });

  it('fails with the store, and keeps errors of ours to itself', async () => {
    const store = openEmbeddedStore({ path: ':memory:', kind: 'security' });
    const failures: Error[] = [new StoreUnavailableError('away'), new Error('the secret is 42')];
    const failing = overridden(store, {
      getMany: (keys, options) => {
        const failure = failures.shift();
        return failure === undefined ? store.getMany(keys, options) : Promise.reject(failure);
      },
    });
    const joining = testJoin({ store: failing, verifiers: { token: openDoor() } });
    expect(await refusal(joining.join({ method: TOKEN }))).toBe('Unavailable: the store cannot be reached');
    expect(await refusal(joining.join({ method: TOKEN }))).toBe('Internal: internal error');
    expect(JSON.stringify(joining.audit.records)).not.toContain('42');
    expect(joining.audit.records.map(({ reason }) => reason)).toEqual([
      'the store cannot be reached',
      'internal error',
    ]);
    await store[Symbol.asyncDispose]();
  });

  it('tells the caller no more than the reason, and the audit the rest', async () => {
    const verify = () => Promise.resolve(denied('no rule lets it in', { arn: 'arn:aws:sts::1:x' }));
    const joining = testJoin({ verifiers: { token: { verify } } });
    expect(await refusal(joining.join({ method: TOKEN }))).toBe('PermissionDenied: no rule lets it in');
    expect(joining.audit.records).toMatchObject([
      { code: 'join.refused', details: { arn: 'arn:aws:sts::1:x' }, reason: 'no rule lets it in' },
    ]);
  });
});

function startOf(name: string): JoinRequestInit {
  return {
    message: { case: 'start', value: { role: Role.AGENT, name, publicKey: createKey().publicKey } },
  };
}

describe('a caller that reads no further', () => {
  it('holds its place for as long as an exchange may take, and is reported when it is cut off', async () => {
    const joining = testJoin({ deadlineMs: 50, maxExchanges: 1, verifiers: { token: openDoor() } });
    const context = { signal: new AbortController().signal, values: createContextValues() };
    async function* requests() {
      const { message } = startOf('web-1');
      yield create(JoinRequestSchema, message === undefined ? {} : { message });
      await new Promise(() => undefined);
    }
    const answers = joining.handler(requests(), context as HandlerContext)[Symbol.asyncIterator]();
    expect((await answers.next()).value).toMatchObject({ message: { case: 'challenge' } });
    const gauge = () => joining.registry.getSingleMetricAsString('tagplane_auth_join_exchanges');
    expect(await gauge()).toContain(' 1');
    await until(async () => (await gauge()).includes(' 0'), 'a free place');
    expect((await joining.join({ method: TOKEN })).identity).toMatch(/^spiffe:/);
    expect(joining.audit.of('join.refused')).toEqual([]);
    await answers.return?.();
    expect(joining.audit.of('join.refused')).toMatchObject([
      { result: 'failed', actor: 'agent/web-1', reason: 'the caller left' },
    ]);
    expect(await gauge()).toContain(' 0');
  });
});
