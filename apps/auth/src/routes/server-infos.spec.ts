import { toBinary } from '@bufbuild/protobuf';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ListServerInfosResponseSchema, MAX_MESSAGE_BYTES, UpsertStatus } from '@tagplane/protocol';
import type { UpsertResult } from '@tagplane/protocol';
import { StoreUnavailableError } from '@tagplane/store';
import { assigned, codeOf, discovered, discoveredNameOf } from '../testing/samples.ts';
import { startTestApi } from '../testing/test-api.ts';
import type { TestApi, TestApiOptions } from '../testing/test-api.ts';

const signal = new AbortController().signal;
const open: TestApi[] = [];

function api(options?: TestApiOptions): TestApi {
  const started = startTestApi(options);
  open.push(started);
  return started;
}

afterEach(async () => {
  for (const started of open.splice(0)) await started[Symbol.asyncDispose]();
});

function statusesOf(results: readonly UpsertResult[]): (string | undefined)[] {
  return results.map(({ status }) => Object.entries(UpsertStatus).find(([, value]) => value === status)?.[0]);
}

describe('UpsertServerInfos', () => {
  it('stores what each role may say, and tells what became of each item', async () => {
    const { as } = api();
    const sent = [discovered(1), assigned('web'), { ...discovered(2), name: 'aws-1' }, { name: 'x' }];
    const { results, storeEpoch } = await as('discovery/d1').serverInfos.upsertServerInfos({
      serverInfos: sent,
    });
    expect(statusesOf(results)).toEqual(['ACCEPTED', 'DENIED', 'INVALID', 'INVALID']);
    expect(results.map(({ revision }) => revision > 0n)).toEqual([true, false, false, false]);
    expect(results.map(({ reason }) => reason !== '')).toEqual([false, true, true, true]);
    expect(storeEpoch).not.toBe('');
    const other = await as('operator/ada').serverInfos.upsertServerInfos({ serverInfos: sent.slice(0, 2) });
    expect(statusesOf(other.results)).toEqual(['DENIED', 'ACCEPTED']);
  });

  it('notes who wrote, and keeps the labels exactly', async () => {
    const { as } = api();
    const labels = Object.fromEntries([
      ['aws/__proto__', 'x'],
      ['aws/constructor', ''],
      ['aws/Patch Group', '🦊 ü\n"'],
      ['aws/kubernetes.io/role', 'a:b=c'],
    ]);
    await as('discovery/d1').serverInfos.upsertServerInfos({ serverInfos: [discovered(1, labels)] });
    const before = Date.now();
    const { serverInfo } = await as('operator/ada').serverInfos.getServerInfo({ name: discoveredNameOf(1) });
    expect(Object.entries(serverInfo?.labels ?? {})).toEqual(Object.entries(labels));
    expect(serverInfo?.origin).toBe('discovery/d1');
    expect(serverInfo?.observedAt?.seconds).toBe(1_800_000_000n);
    const lifetime = Number(serverInfo?.expiresAt?.seconds) * 1_000 - before;
    expect(lifetime).toBeGreaterThan(5_300_000);
    expect(lifetime).toBeLessThan(5_500_000);
    expect(serverInfo?.ttl).toBeUndefined();
  });

  it('leaves an existing name alone when asked to', async () => {
    const { as } = api();
    const { serverInfos } = as('operator/ada');
    const request = { serverInfos: [assigned('a'), assigned('a'), assigned('b')], createOnly: true };
    const { results } = await serverInfos.upsertServerInfos(request);
    expect(statusesOf(results)).toEqual(['ACCEPTED', 'CONFLICT', 'ACCEPTED']);
    const again = await serverInfos.upsertServerInfos({ serverInfos: [assigned('a', { 'dynamic/n': '2' })] });
    expect(again.results[0]?.status).toBe(UpsertStatus.ACCEPTED);
    expect((await serverInfos.getServerInfo({ name: 'a' })).serverInfo?.labels).toEqual({ 'dynamic/n': '2' });
  });

  it('takes 1 to 1,000 items from writers only', async () => {
    const { as } = api();
    const upsert = (peer: string | undefined, count: number) =>
      codeOf(
        as(peer).serverInfos.upsertServerInfos({
          serverInfos: Array.from({ length: count }, (_, n) => discovered(n)),
        }),
      );
    expect(await upsert('discovery/d', 1_000)).toBe('no error');
    expect(await upsert('discovery/d', 1_001)).toBe('InvalidArgument');
    expect(await upsert('discovery/d', 0)).toBe('InvalidArgument');
    expect(await upsert('agent/a', 1)).toBe('PermissionDenied');
    expect(await upsert('auth/a', 1)).toBe('PermissionDenied');
    expect(await upsert(undefined, 1)).toBe('Unauthenticated');
    expect(await upsert('root/x', 1)).toBe('Unauthenticated');
  });

  it('counts by result', async () => {
    const { as, registry } = api();
    await as('discovery/d').serverInfos.upsertServerInfos({
      serverInfos: [discovered(1), discovered(2), {}],
    });
    const { values } = (await registry.getSingleMetric('tagplane_auth_upserts_total')?.get()) ?? {
      values: [],
    };
    const counts = values.map(({ labels, value }) => [labels['result'], value]);
    expect(counts).toEqual([
      ['accepted', 2],
      ['invalid', 1],
    ]);
  });
});

describe('the audit of ServerInfos', () => {
  it('has one event a call of discovery, with names and numbers, and one for each reason of a refusal', async () => {
    const { as, audit } = api();
    const serverInfos = [discovered(1), discovered(2), assigned('web'), assigned('db'), { name: 'x' }];
    await as('discovery/d1').serverInfos.upsertServerInfos({ serverInfos });
    expect(audit.records).toEqual([
      {
        code: 'server_info.upserted',
        result: 'ok',
        actor: 'discovery/d1',
        remoteAddress: undefined,
        subjects: [discoveredNameOf(1), discoveredNameOf(2)],
        details: { accepted: '2', refused: '3', conflicts: '0' },
      },
      expect.objectContaining({ code: 'server_info.refused', result: 'refused', subjects: ['web', 'db'] }),
      expect.objectContaining({ code: 'server_info.refused', reason: 'no match, or a malformed one' }),
    ]);
    expect(JSON.stringify(audit.records)).not.toContain('core');
  });

  it('has one event for each change of an operator, and none for what did not change', async () => {
    const { as, audit } = api();
    const { serverInfos } = as('operator/ada');
    const request = { serverInfos: [assigned('a'), assigned('a'), assigned('b')], createOnly: true };
    await serverInfos.upsertServerInfos(request);
    await serverInfos.deleteServerInfos({ names: ['a', 'nothing', 'b'] });
    expect(audit.records.map(({ code, actor, subjects }) => [code, actor, subjects])).toEqual([
      ['server_info.upserted', 'operator/ada', ['a']],
      ['server_info.upserted', 'operator/ada', ['b']],
      ['server_info.deleted', 'operator/ada', ['a']],
      ['server_info.deleted', 'operator/ada', ['b']],
    ]);
  });

  it('has one event a deletion of discovery, and one for what is not discovery’s to delete', async () => {
    const { as, audit } = api();
    const { serverInfos } = as('discovery/d1');
    await serverInfos.upsertServerInfos({ serverInfos: [discovered(1), discovered(2)] });
    await serverInfos.deleteServerInfos({ names: [discoveredNameOf(1), discoveredNameOf(2)] });
    await codeOf(serverInfos.deleteServerInfos({ names: [discoveredNameOf(1), 'web'] }));
    expect(audit.of('server_info.deleted').map(({ subjects }) => subjects)).toEqual([
      [discoveredNameOf(1), discoveredNameOf(2)],
    ]);
    expect(audit.of('server_info.refused')).toMatchObject([{ actor: 'discovery/d1', subjects: ['web'] }]);
  });

  it('tells ten reasons of one call apart', async () => {
    const { as, audit } = api();
    const swapped = Array.from({ length: 50 }, (_, n) => ({
      ...discovered(n),
      name: discoveredNameOf(n + 1),
    }));
    await as('discovery/d1').serverInfos.upsertServerInfos({ serverInfos: swapped });
    expect(audit.records).toHaveLength(11);
    expect(audit.records.at(-1)).toMatchObject({ reason: 'for other reasons' });
    expect(audit.records.flatMap(({ subjects }) => subjects)).toHaveLength(50);
  });

  it.each([
    ['discovery', 'an operator’s labels', { ...discovered(1), labels: { 'dynamic/team': 'x' } }],
    ['discovery', 'labels of no namespace', { ...discovered(1), labels: { team: 'x' } }],
    ['operator', 'discovery’s labels', assigned('a', { 'aws/Name': 'x' })],
    ['operator', 'discovery’s names', discovered(1)],
  ])('shows a %s that writes %s', async (role, _, item) => {
    const { as, audit } = api();
    await as(`${role}/x`).serverInfos.upsertServerInfos({ serverInfos: [item] });
    expect(audit.records.map(({ code }) => code)).toEqual(['server_info.refused']);
  });
});

describe('a store that cannot be reached', () => {
  it('is UNAVAILABLE to the caller', async () => {
    const fail = () => Promise.reject(new StoreUnavailableError('redis://secret is away'));
    const { as } = api({ wrap: (store) => ({ ...store, put: fail, range: fail, getMany: fail }) });
    const { serverInfos } = as('operator/ada');
    const calls = [
      serverInfos.upsertServerInfos({ serverInfos: [assigned('a')] }),
      serverInfos.getServerInfo({ name: 'a' }),
      serverInfos.listServerInfos({}),
    ];
    for (const call of calls) {
      await expect(call).rejects.toThrow('[unavailable] the store cannot be reached');
    }
  });
});

describe('GetServerInfo', () => {
  it.each(['nobody', 'aws-1', 'no name at all!', `aws-${'x'.repeat(200)}`])('finds no %s', async (name) => {
    expect(await codeOf(api().as('operator/ada').serverInfos.getServerInfo({ name }))).toBe('NotFound');
  });
});

describe('ListServerInfos', () => {
  it('pages through assigned ones, then discovered ones, each by name', async () => {
    const { as } = api();
    const names = ['alpha', 'web', 'z'];
    await as('operator/ada').serverInfos.upsertServerInfos({
      serverInfos: [...names].reverse().map((n) => assigned(n)),
    });
    await as('discovery/d').serverInfos.upsertServerInfos({
      serverInfos: [3, 1, 2, 0].map((n) => discovered(n)),
    });
    const { serverInfos } = as('discovery/d');
    const seen: string[] = [];
    let pageToken = '';
    do {
      const page = await serverInfos.listServerInfos({ pageSize: 2, pageToken });
      expect(page.serverInfos.length).toBeLessThanOrEqual(2);
      expect(page.storeEpoch).not.toBe('');
      seen.push(...page.serverInfos.map(({ name }) => name));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(seen).toEqual([...names, ...[0, 1, 2, 3].map(discoveredNameOf)]);
  });

  it('filters by writer, with a bounded look at each call', async () => {
    const { as } = api();
    const batches = [0, 1_000, 2_000].map((from) =>
      Array.from({ length: 1_000 }, (_, n) => discovered(from + n)),
    );
    for (const serverInfos of batches)
      await as('discovery/big').serverInfos.upsertServerInfos({ serverInfos });
    await as('discovery/small').serverInfos.upsertServerInfos({ serverInfos: [discovered(5_000)] });
    const { serverInfos } = as('discovery/small');
    const first = await serverInfos.listServerInfos({ origin: 'discovery/small' });
    expect(first.serverInfos).toHaveLength(0);
    expect(first.nextPageToken).not.toBe('');
    const second = await serverInfos.listServerInfos({
      origin: 'discovery/small',
      pageToken: first.nextPageToken,
    });
    expect(second.serverInfos.map(({ name }) => name)).toEqual([discoveredNameOf(5_000)]);
    expect(second.nextPageToken).toBe('');
  });

  it('keeps a page of large items within a message', async () => {
    const { as } = api();
    const labels = Object.fromEntries(
      Array.from({ length: 50 }, (_, n) => [`aws/${'k'.repeat(100)}${n}`, '語'.repeat(256)]),
    );
    for (const from of [0, 50]) {
      const serverInfos = Array.from({ length: 50 }, (_, n) => discovered(from + n, labels));
      await as('discovery/d').serverInfos.upsertServerInfos({ serverInfos });
    }
    const { serverInfos } = as('discovery/d');
    const pages: number[] = [];
    let pageToken = '';
    do {
      const page = await serverInfos.listServerInfos({ pageSize: 1_000, pageToken });
      expect(toBinary(ListServerInfosResponseSchema, page).length).toBeLessThan(MAX_MESSAGE_BYTES);
      pages.push(page.serverInfos.length);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.reduce((sum, count) => sum + count)).toBe(100);
  });

  it('leaves out what it cannot read, and counts it', async () => {
    const { as, stores, registry } = api();
    await stores.serverInfos.put([{ key: 'assigned/new', value: '[2]', ttlMs: undefined }], { signal });
    await as('operator/ada').serverInfos.upsertServerInfos({ serverInfos: [assigned('web')] });
    const page = await as('operator/ada').serverInfos.listServerInfos({});
    expect(page.serverInfos.map(({ name }) => name)).toEqual(['web']);
    const text = await registry.getSingleMetricAsString('tagplane_auth_unreadable_items_total');
    expect(text).toContain('{kind="server-info"} 1');
  });

  it.each(['x', '!!', 'MQ', 'MQ=='])('refuses the token %s', async (pageToken) => {
    const { serverInfos } = api().as('operator/ada');
    expect(await codeOf(serverInfos.listServerInfos({ pageToken }))).toBe('InvalidArgument');
  });
});

describe('DeleteServerInfos', () => {
  it('removes what is there and names it', async () => {
    const { as } = api();
    await as('operator/ada').serverInfos.upsertServerInfos({ serverInfos: [assigned('a'), assigned('b')] });
    await as('discovery/d').serverInfos.upsertServerInfos({ serverInfos: [discovered(1), discovered(2)] });
    const byOperator = await as('operator/ada').serverInfos.deleteServerInfos({
      names: ['b', 'b', 'nope', 'no name!', discoveredNameOf(1)],
    });
    expect(byOperator.deleted).toEqual(['b', discoveredNameOf(1)]);
    const byDiscovery = await as('discovery/d').serverInfos.deleteServerInfos({
      names: [discoveredNameOf(2), 'aws-nothing'],
    });
    expect(byDiscovery.deleted).toEqual([discoveredNameOf(2)]);
    const left = await as('operator/ada').serverInfos.listServerInfos({});
    expect(left.serverInfos.map(({ name }) => name)).toEqual(['a']);
  });

  it('lets discovery remove discovered ones only', async () => {
    const { serverInfos } = api().as('discovery/d');
    const call = serverInfos.deleteServerInfos({ names: [discoveredNameOf(1), 'web'] });
    expect(await codeOf(call)).toBe('PermissionDenied');
  });
});
