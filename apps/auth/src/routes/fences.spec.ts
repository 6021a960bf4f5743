import { ConnectError } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GuardVerdict, ScopeState, UpsertStatus } from '@tagplane/protocol';
import type { Fence } from '@tagplane/protocol';
import { codeOf, discovered, discoveredNameOf, instanceId } from '../testing/samples.ts';
import { startTestApi } from '../testing/test-api.ts';
import type { TestApi, TestClients } from '../testing/test-api.ts';
import { metric } from '../testing/test-stores.ts';

type FenceInit = Pick<Fence, 'group' | 'token'>;

const signal = new AbortController().signal;
const ACCOUNT = '123456789012';
const REGION = 'eu-central-1';
const CHANGE = { scope: `aws/${ACCOUNT}/${REGION}`, fingerprint: 'f', nodesChanged: 1, nodesTotal: 10 };
const INSTANCE = { accountId: ACCOUNT, region: REGION, instanceId: instanceId(1) };

let api: TestApi;
beforeEach(() => {
  api = startTestApi();
});
afterEach(async () => {
  await api[Symbol.asyncDispose]();
});

async function hold(peer: string, group = 'main', token = 0n, replica = `of-${peer.slice(10)}`) {
  const ttl = { seconds: 20n };
  const answer = await api.as(peer).discovery.holdLease({ group, replica, ttl, token, version: '1.2.3' });
  return { ...answer, fence: { group, token: answer.token } };
}

/** Everything that a discovery says under a lease. */
const WRITES: Readonly<Record<string, (clients: TestClients, fence: FenceInit) => Promise<unknown>>> = {
  UpsertServerInfos: ({ serverInfos }, fence) =>
    serverInfos.upsertServerInfos({ serverInfos: [discovered(1)], fence }),
  'UpsertServerInfos of nothing good': ({ serverInfos }, fence) =>
    serverInfos.upsertServerInfos({ serverInfos: [{}], fence }),
  DeleteServerInfos: ({ serverInfos }, fence) =>
    serverInfos.deleteServerInfos({ names: [discoveredNameOf(1)], fence }),
  'DeleteServerInfos of nothing': ({ serverInfos }, fence) =>
    serverInfos.deleteServerInfos({ names: ['aws-'], fence }),
  RequestChange: ({ guard }, fence) => guard.requestChange({ ...CHANGE, fence }),
  ReportScopes: ({ discovery }, fence) =>
    discovery.reportScopes({ scopes: [{ id: 's', state: ScopeState.OK }], fence }),
  ClaimEnrolments: ({ discovery }, fence) =>
    discovery.claimEnrolments({ instances: [INSTANCE], ttl: { seconds: 60n }, fence }),
  RecordEnrolments: ({ discovery }, fence) =>
    discovery.recordEnrolments({ records: [{ instance: INSTANCE }], fence }),
};

describe.each(Object.keys(WRITES))('%s', (name) => {
  const write = (peer: string, fence: FenceInit) =>
    codeOf(WRITES[name]?.(api.as(peer), fence) ?? Promise.resolve());

  it('is for who holds the lease, and refused to a leader that was paused', async () => {
    const { fence } = await hold('discovery/one');
    expect(await write('discovery/one', fence)).toBe('no error');
    await api.as('discovery/one').discovery.releaseLease({ fence });
    const before = await state();
    // It is over, and nobody has it.
    expect(await write('discovery/one', fence)).toBe('FailedPrecondition');
    const next = await hold('discovery/two');
    expect(next.token).toBeGreaterThan(fence.token);
    // It is another's.
    expect(await write('discovery/one', fence)).toBe('FailedPrecondition');
    expect(await state()).toEqual(before);
    expect(await write('discovery/two', next.fence)).toBe('no error');
  });

  it('is refused to who shows the token of another', async () => {
    const { fence } = await hold('discovery/one');
    expect(await write('discovery/two', fence)).toBe('FailedPrecondition');
    expect(await write('discovery/one', { ...fence, token: fence.token + 1n })).toBe('FailedPrecondition');
    expect(await write('discovery/one', { ...fence, group: 'other' })).toBe('FailedPrecondition');
    expect(await write('discovery/one', { ...fence, token: 0n })).toBe('InvalidArgument');
    expect(await write('discovery/one', { ...fence, group: '../x' })).toBe('InvalidArgument');
  });
});

/** All that discoveries have written, without leases. */
async function state(): Promise<unknown> {
  const range = { prefix: '', limit: 1_000 };
  const infos = await api.stores.serverInfos.range({ ...range, prefix: 'discovered/' }, { signal });
  const others = await api.stores.discovery.range(range, { signal });
  return [...infos, ...others.filter(({ key }) => !key.startsWith('replica/'))];
}

describe('the lease of a process that was replaced by another of the same identity', () => {
  it('is no good any more', async () => {
    const first = await hold('discovery/one', 'main', 0n, 'first');
    await api.as('discovery/one').discovery.releaseLease({ fence: first.fence });
    const second = await hold('discovery/one', 'main', 0n, 'second');
    expect(second.held).toBe(true);
    const upsert = (fence: FenceInit) =>
      api.as('discovery/one').serverInfos.upsertServerInfos({ serverInfos: [discovered(1)], fence });
    expect(await codeOf(upsert(first.fence))).toBe('FailedPrecondition');
    expect(await codeOf(upsert(second.fence))).toBe('no error');
  });
});

describe('a discovery of an earlier version', () => {
  const upsert = (peer: string, serverInfos = [discovered(1)]) =>
    api.as(peer).serverInfos.upsertServerInfos({ serverInfos });

  it('writes while nobody holds the lease of a group of its name', async () => {
    await hold('discovery/two', 'other');
    expect(await codeOf(upsert('discovery/main'))).toBe('no error');
    expect(await api.as('discovery/main').guard.requestChange(CHANGE)).toMatchObject({
      verdict: GuardVerdict.GO,
    });
    const { fence } = await hold('discovery/two', 'main');
    const reason = await upsert('discovery/main').catch((error: unknown) => ConnectError.from(error).message);
    expect(reason).toMatch(/the group main is led by discovery\/two \(replica of-two\).*stop this discovery/);
    expect(await codeOf(api.as('discovery/main').guard.requestChange(CHANGE))).toBe('FailedPrecondition');
    const names = [discoveredNameOf(1)];
    expect(await codeOf(api.as('discovery/main').serverInfos.deleteServerInfos({ names }))).toBe(
      'FailedPrecondition',
    );
    // What it had written is the group's.
    const serverInfos = [discovered(1)];
    const { results } = await api.as('discovery/two').serverInfos.upsertServerInfos({ serverInfos, fence });
    expect(results[0]?.status).toBe(UpsertStatus.ACCEPTED);
  });
});

describe('groups side by side', () => {
  it('leave each other’s ServerInfos alone, and are told whose they are', async () => {
    const main = await hold('discovery/one', 'main');
    const other = await hold('discovery/one', 'other');
    const { serverInfos } = api.as('discovery/one');
    await serverInfos.upsertServerInfos({ serverInfos: [discovered(1)], fence: main.fence });
    const { results } = await serverInfos.upsertServerInfos({
      serverInfos: [discovered(1), discovered(2)],
      fence: other.fence,
    });
    expect(results.map(({ status }) => status)).toEqual([UpsertStatus.DENIED, UpsertStatus.ACCEPTED]);
    expect(results[0]?.reason).toMatch(
      /^it belongs to discovery\/main until \d{4}-.*Z, unless it renews it$/,
    );
    const names = [discoveredNameOf(1), discoveredNameOf(2), discoveredNameOf(3)];
    expect((await serverInfos.deleteServerInfos({ names, fence: other.fence })).deleted).toEqual([names[1]]);
    expect(api.audit.of('server_info.refused')).toEqual([
      expect.objectContaining({ subjects: [names[0]], reason: results[0]?.reason }),
      expect.objectContaining({ subjects: [names[0]], reason: 'it belongs to discovery/main' }),
    ]);
    // Operators clean up after anybody.
    const removed = await api.as('operator/ada').serverInfos.deleteServerInfos({ names });
    expect(removed.deleted).toEqual([names[0]]);
  });
});

describe('a lease', () => {
  it('is seen by operators only as what groups there are', async () => {
    const { fence, token } = await hold('discovery/one');
    expect(await hold('discovery/two')).toMatchObject({ held: false, holder: 'of-one', token });
    await api.as('discovery/one').serverInfos.upsertServerInfos({ serverInfos: [discovered(1)], fence });
    const { groups } = await api.as('operator/ada').discovery.listGroups({});
    const seen = { version: '1.2.3', seenAt: expect.objectContaining({}) };
    expect(groups).toEqual([
      expect.objectContaining({
        name: 'main',
        token,
        replicas: [
          expect.objectContaining({ replica: 'of-one', identity: 'discovery/one', leader: true, ...seen }),
          expect.objectContaining({ replica: 'of-two', identity: 'discovery/two', leader: false, ...seen }),
        ],
      }),
    ]);
    const { serverInfos } = await api.as('operator/ada').serverInfos.listServerInfos({});
    expect(serverInfos.map(({ name, origin }) => [name, origin])).toEqual([
      [discoveredNameOf(1), 'discovery/main'],
    ]);
    const status = await api.as('operator/ada').status.getStatus({ withCounts: true });
    expect(status.serverInfos).toBe(1n);
    expect(await metric(api.registry, 'unreadable_items_total')).toBe(0);
  });

  it('lasts 5 to 60 s, and is asked for by names that are some', async () => {
    const ask = (request: object) =>
      codeOf(
        api.as('discovery/one').discovery.holdLease({
          ...{ group: 'main', replica: 'r', ttl: { seconds: 20n } },
          ...request,
        }),
      );
    for (const seconds of [4n, 61n, -20n]) expect(await ask({ ttl: { seconds } })).toBe('InvalidArgument');
    expect(await ask({ ttl: undefined })).toBe('InvalidArgument');
    expect(await ask({ group: 'a/b' })).toBe('InvalidArgument');
    expect(await ask({ replica: 'a/b' })).toBe('InvalidArgument');
    expect(await ask({ ttl: { seconds: 5n } })).toBe('no error');
    expect(await ask({ ttl: { seconds: 60n } })).toBe('no error');
  });

  it('is no event; a write without it is one, and is counted', async () => {
    const { fence } = await hold('discovery/one');
    await hold('discovery/one', 'main', fence.token);
    await hold('discovery/two');
    expect(api.audit.records).toEqual([]);
    const late = { ...fence, token: fence.token - 1n };
    const upsert = api.as('discovery/two').serverInfos.upsertServerInfos({
      serverInfos: [discovered(1)],
      fence: late,
    });
    expect(await codeOf(upsert)).toBe('FailedPrecondition');
    expect(api.audit.records).toEqual([
      {
        code: 'discovery.fenced',
        result: 'refused',
        actor: 'discovery/two',
        remoteAddress: undefined,
        reason:
          'the lease of the group main is held by discovery/one (replica of-one) now: do not write until it is yours',
        details: { group: 'main' },
      },
    ]);
    expect(await metric(api.registry, 'discovery_fenced_total')).toBe(1);
  });
});
