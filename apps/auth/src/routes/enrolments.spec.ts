import { createClient, createRouterTransport } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { instanceKeyText } from '@tagplane/identity';
import {
  DiscoveryService,
  EnrolmentClaimStatus,
  EnrolmentState,
  PEER_HEADER,
  instanceToMessage,
  rpcOptions,
} from '@tagplane/protocol';
import { Registry, silentLogger } from '@tagplane/runtime';
import { authorise } from '../authorise.ts';
import { MAX_CLAIMS } from '../discovery/claim-rate.ts';
import type { ClaimRate } from '../discovery/claim-rate.ts';
import { createDiscovery } from '../discovery/create-discovery.ts';
import { encodeInstanceRecord, instanceRecordKey } from '../join/record-codec.ts';
import { parseToken } from '../join/token/token-text.ts';
import { Tokens } from '../join/token/tokens.ts';
import { discovered, instance } from '../testing/fleet.ts';
import { nodePut } from '../testing/nodes.ts';
import { RecordingAudit } from '../testing/recording-audit.ts';
import { codeOf } from '../testing/samples.ts';
import { testStores, until } from '../testing/test-stores.ts';
import type { TestStores } from '../testing/test-stores.ts';
import { discoveryRoutes } from './discovery-routes.ts';

const { CLAIMED, HAS_AGENT, TAKEN, UNSPECIFIED } = EnrolmentClaimStatus;
const signal = new AbortController().signal;
const TTL = { seconds: 600n };

let stores: TestStores;
let audit: RecordingAudit;
let tokens: Tokens;
let fence: { readonly group: string; readonly token: bigint };
let claimRate: ClaimRate;
let as: (peer: string, secure?: boolean) => Client<typeof DiscoveryService>;

beforeEach(async () => {
  stores = testStores();
  audit = new RecordingAudit();
  tokens = new Tokens({ store: stores.security, now: () => Date.now() });
  const log = silentLogger();
  const discovery = createDiscovery({ stores, audit, registry: new Registry(), log });
  ({ claimRate } = discovery);
  as = (peer, secure = true) => {
    const routes = discoveryRoutes({ ...discovery, stores, audit, tokens: secure ? tokens : undefined });
    const transport = createRouterTransport((router) => router.service(DiscoveryService, routes), {
      router: rpcOptions({ log, authorise }),
      transport: {
        interceptors: [
          (next) => (request) => {
            request.header.set(PEER_HEADER, peer);
            return next(request);
          },
        ],
      },
    });
    return createClient(DiscoveryService, transport);
  };
  // What the samples are of.
  fence = await hold('discovery/one', 'test');
});
afterEach(async () => {
  await stores[Symbol.asyncDispose]();
});

async function hold(peer: string, group: string) {
  const { token } = await as(peer).holdLease({ group, replica: 'r', ttl: { seconds: 60n } });
  return { group, token };
}

function claim(numbers: readonly number[], options: { withTokens?: boolean; secure?: boolean } = {}) {
  const { withTokens = false, secure = true } = options;
  const instances = numbers.map((n) => instanceToMessage(instance(n)));
  return as('discovery/one', secure).claimEnrolments({ fence, instances, ttl: TTL, withTokens });
}

async function statuses(numbers: readonly number[]): Promise<EnrolmentClaimStatus[]> {
  return (await claim(numbers)).claims.map(({ status }) => status);
}

function record(n: number, state: EnrolmentState, more: object = {}) {
  const records = [{ instance: instanceToMessage(instance(n)), state, ...more }];
  return as('discovery/one').recordEnrolments({ fence, records });
}

async function discover(...numbers: readonly number[]): Promise<void> {
  await stores.serverInfos.put(
    numbers.map((n) => discovered(n, { Name: `web ${n}` })),
    { signal },
  );
}

describe('ClaimEnrolments', () => {
  it('gives instances of its own group, without an agent, to one attempt at a time', async () => {
    await discover(1, 2, 3, 4);
    await stores.nodes.put([nodePut('web-2', instance(2))], { signal });
    await stores.serverInfos.put([{ ...discovered(3, {}), value: foreign(3) }], { signal });
    const { claims } = await claim([1, 2, 3, 9, 4, 4]);
    expect(claims.map(({ status, reason }) => [status, reason])).toEqual([
      [CLAIMED, ''],
      [HAS_AGENT, 'a node speaks for it already'],
      [UNSPECIFIED, 'its ServerInfo belongs to discovery/elsewhere'],
      [UNSPECIFIED, 'it has no ServerInfo: a discovery enrols what it has discovered'],
      [CLAIMED, ''],
      [TAKEN, expect.stringMatching(/^another attempt has it until \d{4}-/)],
    ]);
    expect(claims.every(({ token }) => token === '')).toBe(true);
    expect(await statuses([1, 4])).toEqual([TAKEN, TAKEN]);
    expect(audit.records).toEqual([
      {
        code: 'enrolment.claimed',
        result: 'ok',
        actor: 'discovery/one',
        remoteAddress: undefined,
        subjects: [1, 4].map((n) => instanceKeyText(instance(n))),
        details: { group: 'test', tokens: 'no' },
      },
    ]);
  });

  it('knows who has joined as the instance since nodes were read', async () => {
    await discover(1, 2);
    expect(await statuses([2])).toEqual([CLAIMED]);
    const joined = { name: 'web-1', method: 'token', joinedAt: 1, remoteAddress: '' };
    const key = instanceRecordKey(instance(1));
    await stores.security.put([{ key, value: encodeInstanceRecord(joined), ttlMs: undefined }], { signal });
    // It has joined once, and no node says that it is there.
    await stores.nodes.put([nodePut('web-1', undefined)], { signal });
    expect(await statuses([1])).toEqual([HAS_AGENT]);
    await stores.nodes.delete([{ key: 'web-1' }], { signal });
    expect(await statuses([1])).toEqual([CLAIMED]);
  });

  it('is over when the attempt is, and stands while it is pending', async () => {
    await discover(1);
    expect(await statuses([1])).toEqual([CLAIMED]);
    await record(1, EnrolmentState.PENDING);
    expect(await statuses([1])).toEqual([TAKEN]);
    await record(1, EnrolmentState.FAILED, { attempts: 1 });
    expect(await statuses([1])).toEqual([CLAIMED]);
    // What was said before is not lost by a claim.
    const { instances } = await as('operator/ada').listInstances({});
    expect(instances[0]?.enrolment).toMatchObject({ state: EnrolmentState.FAILED, attempts: 1 });
  });

  it('makes a token for each: of an agent, bound to the instance, for one use, as long as the claim', async () => {
    await discover(1, 2);
    await claim([2]);
    const before = Date.now();
    const { claims } = await claim([1, 2, 3], { withTokens: true });
    expect(claims.map(({ token }) => token !== '')).toEqual([true, false, false]);
    const secret = claims[0]?.token ?? '';
    const token = await tokens.get(parseToken(secret)?.id ?? '', signal);
    expect(token).toMatchObject({
      role: 'agent',
      name: '',
      instance: instance(1),
      usesLeft: 1,
      createdBy: 'discovery/one',
    });
    expect((token?.expiresAt ?? 0) - before).toBeGreaterThanOrEqual(600_000);
    expect((token?.expiresAt ?? 0) - Date.now()).toBeLessThanOrEqual(600_000);
    expect(audit.of('token.added')).toMatchObject([
      { actor: 'discovery/one', subjects: [token?.id], details: { instance: instanceKeyText(instance(1)) } },
    ]);
    expect(JSON.stringify(audit.records)).not.toContain(parseToken(secret)?.secret);
    const range = { prefix: '', limit: 1_000 };
    const kept = [
      ...(await stores.security.range(range, { signal })),
      ...(await stores.discovery.range(range, { signal })),
    ];
    expect(JSON.stringify(kept)).not.toContain(parseToken(secret)?.secret);
  });

  it('is refused without TLS where tokens are asked for, and for a time that is none', async () => {
    await discover(1);
    expect(await codeOf(claim([1], { withTokens: true, secure: false }))).toBe('FailedPrecondition');
    expect(await codeOf(claim([1], { secure: false }))).toBe('no error');
    const ask = (seconds: bigint, instances = [instanceToMessage(instance(1))]) =>
      codeOf(as('discovery/one').claimEnrolments({ fence, instances, ttl: { seconds } }));
    expect(await ask(59n)).toBe('InvalidArgument');
    expect(await ask(3_601n)).toBe('InvalidArgument');
    expect(await ask(60n, [])).toBe('InvalidArgument');
    expect(await ask(60n, [{ ...instanceToMessage(instance(1)), region: 'x' }])).toBe('InvalidArgument');
    expect(await ask(60n)).toBe('no error');
  });

  it('is bounded by the minute', async () => {
    // Another minute may begin in between.
    await until(async () => {
      claimRate.take('test', MAX_CLAIMS, Date.now());
      return (await codeOf(claim([1]))) === 'ResourceExhausted';
    }, 'it is refused');
  });
});

/** The value of an instance that another group has discovered. */
function foreign(n: number): string {
  return discovered(n, {}).value.replace('discovery/test', 'discovery/elsewhere');
}

describe('ListAgentInstances', () => {
  it('is a page of instances that nodes were proven to be, and nothing else of them', async () => {
    await stores.nodes.put([nodePut('a', instance(1)), nodePut('b', undefined), nodePut('c', instance(2))], {
      signal,
    });
    const { instances, nextPageToken } = await as('discovery/one').listAgentInstances({});
    expect(instances).toEqual([1, 2].map((n) => instanceToMessage(instance(n))));
    expect(nextPageToken).toBe('');
    const first = await as('discovery/one').listAgentInstances({ pageSize: 1 });
    expect(first.instances).toHaveLength(1);
    const pageToken = first.nextPageToken;
    const second = await as('discovery/one').listAgentInstances({ pageSize: 1, pageToken });
    expect(second.instances).toEqual([instanceToMessage(instance(2))]);
  });
});

function stateOf(state: EnrolmentState | undefined): string | undefined {
  return Object.entries(EnrolmentState).find(([, value]) => value === state)?.[0];
}

/** Number of the instance, state, server ids and origin. */
type Line = readonly [number, string | undefined, string, string];

describe('ListInstances', () => {
  async function list(peer: string, request: object = {}) {
    const { instances, nextPageToken } = await as(peer).listInstances(request);
    const lines = instances.map(({ enrolment, serverIds, origin }): Line => [
      Number(`0x${enrolment?.instance?.instanceId.slice(2) ?? ''}`),
      stateOf(enrolment?.state),
      serverIds.join(),
      origin,
    ]);
    return { lines, nextPageToken };
  }

  it('merges what was discovered, what was said and who is there, in order', async () => {
    await discover(1, 3, 5);
    const nextAttemptAt = timestampFromMs(1_800_000_000_000);
    await record(2, EnrolmentState.NO_SSM_AGENT, { reason: 'install it\u0007' });
    await record(3, EnrolmentState.FAILED, { reason: 'no', attempts: 2, commandId: 'c', nextAttemptAt });
    await record(5, EnrolmentState.FAILED, { reason: 'late' });
    await stores.nodes.put([nodePut('web-4', instance(4)), nodePut('web-5', instance(5))], { signal });
    const all = [
      [1, 'UNSPECIFIED', '', 'discovery/test'],
      [2, 'NO_SSM_AGENT', '', ''],
      [3, 'FAILED', '', 'discovery/test'],
      [4, 'ENROLLED', 'web-4', ''],
      [5, 'ENROLLED', 'web-5', 'discovery/test'],
    ];
    expect((await list('operator/ada')).lines).toEqual(all);
    const { instances } = await as('operator/ada').listInstances({});
    expect(instances[1]?.enrolment?.reason).toBe('install it\ufffd');
    expect(instances[2]?.enrolment).toMatchObject({
      reason: 'no',
      attempts: 2,
      commandId: 'c',
      nextAttemptAt,
    });
    expect(Number(instances[2]?.enrolment?.recordedAt?.seconds)).toBeGreaterThan(Date.now() / 1_000 - 60);
    expect(instances[4]?.enrolment?.reason).toBe('');
    const failed = { states: [EnrolmentState.FAILED, EnrolmentState.NO_SSM_AGENT] };
    expect((await list('operator/ada', failed)).lines.map(([n]) => n)).toEqual([2, 3]);
    // A discovery sees no nodes.
    expect((await list('discovery/one')).lines[4]).toEqual([5, 'ENROLLED', '', 'discovery/test']);
    const removed = [instanceToMessage(instance(2))];
    await as('discovery/one').recordEnrolments({ fence, removed });
    expect((await list('operator/ada')).lines.map(([n]) => n)).toEqual([1, 3, 4, 5]);
  });

  it('can be of an account and a region, if these are some', async () => {
    await discover(1);
    const count = async (request: object) => (await list('operator/ada', request)).lines.length;
    expect(await count({ accountId: '123456789012' })).toBe(1);
    expect(await count({ accountId: '123456789012', region: 'eu-central-1' })).toBe(1);
    expect(await count({ region: 'eu-central-1' })).toBe(1);
    expect(await count({ region: 'eu-central-2' })).toBe(0);
    expect(await count({ accountId: '123456789013' })).toBe(0);
    expect(await count({ accountId: '123456789012', region: 'eu-central-2' })).toBe(0);
    const bad = (request: object) => codeOf(as('operator/ada').listInstances(request));
    expect(await bad({ accountId: '1234' })).toBe('InvalidArgument');
    expect(await bad({ region: '../x' })).toBe('InvalidArgument');
    expect(await bad({ pageToken: 'nonsense' })).toBe('InvalidArgument');
  });

  it('comes page by page, each instance once, with bounded work', async () => {
    const numbers = Array.from({ length: 2_600 }, (_, n) => n);
    const third = (rest: number) => numbers.filter((n) => n % 3 === rest);
    for (const part of [third(0).slice(0, 500), third(0).slice(500)]) await discover(...part);
    const records = third(1).map((n) => ({ instance: instanceToMessage(instance(n)) }));
    await as('discovery/one').recordEnrolments({ fence, records });
    await stores.nodes.put(
      third(2).map((n) => nodePut(`node-${n}`, instance(n))),
      { signal },
    );
    for (const pageSize of [700, 1_000]) {
      const seen: unknown[] = [];
      let pageToken = '';
      do {
        const page = await list('operator/ada', { pageSize, pageToken });
        expect(page.lines.length).toBeLessThanOrEqual(pageSize);
        seen.push(...page.lines.map(([n]) => n));
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
      expect(seen).toEqual(numbers);
    }
    const none = await list('operator/ada', { states: [EnrolmentState.FAILED] });
    expect(none.lines).toEqual([]);
    expect(none.nextPageToken).not.toBe('');
  });
});
