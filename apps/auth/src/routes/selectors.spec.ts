import { create } from '@bufbuild/protobuf';
import { afterEach, describe, expect, it } from '@jest/globals';
import { parseSelector } from '@tagplane/labels';
import {
  NodeLabelSource,
  RejectedTagSchema,
  ServerInfoSchema,
  UpsertStatus,
  selectorToMessage,
} from '@tagplane/protocol';
import type { UpsertResult } from '@tagplane/protocol';
import { StoreUnavailableError } from '@tagplane/store';
import { assigned, codeOf, discovered, discoveredNameOf } from '../testing/samples.ts';
import type { ServerInfoInit } from '../testing/samples.ts';
import { startTestApi } from '../testing/test-api.ts';
import type { TestApi, TestApiOptions } from '../testing/test-api.ts';
import { overridden, until } from '../testing/test-stores.ts';

const signal = new AbortController().signal;
const open: TestApi[] = [];

async function api(options?: TestApiOptions): Promise<TestApi> {
  const started = startTestApi(options);
  open.push(started);
  await until(() => started.assigned.index.loaded, 'the ServerInfos of operators are loaded');
  return started;
}

afterEach(async () => {
  for (const started of open.splice(0)) await started[Symbol.asyncDispose]();
});

function selecting(name: string, selector: string, labels: Record<string, string>): ServerInfoInit {
  return { name, match: { target: selectorTarget(selector) }, labels };
}

function selectorTarget(text: string) {
  return { case: 'selector' as const, value: selectorToMessage(parseSelector(text)) };
}

function outcome(results: readonly UpsertResult[]): string[] {
  return results.map(({ status, reason }) => `${statusName(status)} ${reason}`.trim());
}

function statusName(status: UpsertStatus): string {
  return Object.entries(UpsertStatus).find(([, value]) => value === status)?.[0] ?? '';
}

describe('a ServerInfo that matches by selector', () => {
  it('is stored and read as it was written', async () => {
    const { as } = await api();
    const { serverInfos } = as('operator/ada');
    const sent = selecting('tier', 'aws/team=[db, web-*], dynamic/ring=^c.*$', { 'dynamic/tier': 'back' });
    expect(outcome((await serverInfos.upsertServerInfos({ serverInfos: [sent] })).results)).toEqual([
      'ACCEPTED',
    ]);
    const { serverInfo } = await serverInfos.getServerInfo({ name: 'tier' });
    expect(serverInfo?.match?.target).toMatchObject(
      selectorTarget('aws/team=[db, web-*], dynamic/ring=^c.*$'),
    );
    const { serverInfos: listed } = await serverInfos.listServerInfos({});
    expect(listed.map(({ match }) => match?.target.case)).toEqual(['selector']);
  });

  it('may not be discovery’s, nor name what a node says of itself, nor be no selector', async () => {
    const { as } = await api();
    const bad: ServerInfoInit = { name: 'c', match: { target: { case: 'selector', value: {} } } };
    const { results } = await as('operator/ada').serverInfos.upsertServerInfos({
      serverInfos: [selecting('a', 'env=prod', { 'dynamic/k': '1' }), bad],
    });
    expect(outcome(results)).toEqual([
      expect.stringMatching(/^INVALID the selector names "env": it sees labels under aws\//),
      expect.stringMatching(/^INVALID /),
    ]);
    const byDiscovery = await as('discovery/d').serverInfos.upsertServerInfos({
      serverInfos: [
        selecting(discoveredNameOf(1), 'aws/a=b', { 'aws/k': '1' }),
        selecting('a', 'aws/a=b', { 'aws/k': '1' }),
      ],
    });
    expect(byDiscovery.results.map(({ status }) => statusName(status))).toEqual(['INVALID', 'DENIED']);
  });

  it('may not depend on what selectors assign: within a batch, at once after it, and against the index', async () => {
    const { as, assigned: known } = await api();
    const { serverInfos } = as('operator/ada');
    const first = selecting('first', 'aws/team=db', { 'dynamic/k': '1' });
    const second = selecting('second', 'dynamic/k=1', { 'dynamic/l': '1' });
    const chain =
      'INVALID the selector of "second" depends on "dynamic/k", which "first" assigns by a selector; ' +
      'a selector may not depend on a label that selectors assign';
    const both = await serverInfos.upsertServerInfos({ serverInfos: [first, second, assigned('named')] });
    expect(outcome(both.results)).toEqual(['ACCEPTED', chain, 'ACCEPTED']);
    // The feed may or may not have come by.
    expect(outcome((await serverInfos.upsertServerInfos({ serverInfos: [second] })).results)).toEqual([
      chain,
    ]);
    await until(() => known.index.set.get('first') !== undefined, 'the feed came by');
    expect(outcome((await serverInfos.upsertServerInfos({ serverInfos: [second] })).results)).toEqual([
      chain,
    ]);
    await serverInfos.deleteServerInfos({ names: ['first'] });
    expect(outcome((await serverInfos.upsertServerInfos({ serverInfos: [second] })).results)).toEqual([
      'ACCEPTED',
    ]);
    expect(outcome((await serverInfos.upsertServerInfos({ serverInfos: [first] })).results)).toEqual([chain]);
    const cycle = selecting('first', 'dynamic/l=1', { 'dynamic/k': '1' });
    const closed = await serverInfos.upsertServerInfos({ serverInfos: [cycle] });
    expect(outcome(closed.results)).toEqual([expect.stringMatching(/^INVALID a cycle: .*"first".*"second"/)]);
  });

  it('waits for the ServerInfos of operators to be loaded, as discovery does not', async () => {
    const wrap: TestApiOptions['wrap'] = (store) =>
      overridden(store, {
        range: ({ prefix }, options) =>
          prefix === 'assigned/'
            ? Promise.reject(new StoreUnavailableError('away'))
            : store.range({ prefix, limit: 1 }, options),
      });
    const started = startTestApi({ wrap });
    open.push(started);
    const upsert = (peer: string, item: ServerInfoInit) =>
      codeOf(started.as(peer).serverInfos.upsertServerInfos({ serverInfos: [item] }));
    const selector = selecting('a', 'aws/a=b', { 'dynamic/k': '1' });
    expect(await upsert('operator/ada', selector)).toBe('Unavailable');
    expect(await upsert('discovery/d', discovered(1))).toBe('no error');
  });
});

describe('an expected revision', () => {
  it('is what the one there is must have', async () => {
    const { as } = await api();
    const { serverInfos } = as('operator/ada');
    const write = async (item: ServerInfoInit, createOnly = false) =>
      (await serverInfos.upsertServerInfos({ serverInfos: [item], createOnly })).results;
    const [written] = await write(assigned('a'));
    const revision = written?.revision ?? 0n;
    expect(outcome(await write({ ...assigned('a'), expectedRevision: revision - 1n }))).toEqual([
      `CONFLICT its revision is ${revision}, and ${revision - 1n} was expected`,
    ]);
    expect(outcome(await write({ ...assigned('b'), expectedRevision: 7n }))).toEqual([
      'CONFLICT there is none of this name, and revision 7 was expected',
    ]);
    expect(outcome(await write({ ...assigned('a'), expectedRevision: revision }, true))).toEqual([
      'INVALID create_only and expected_revision exclude each other',
    ]);
    const [again] = await write({ ...assigned('a'), expectedRevision: revision });
    expect(again?.status).toBe(UpsertStatus.ACCEPTED);
    expect(again?.revision).toBeGreaterThan(revision);
  });
});

describe('rejected tags', () => {
  it('are kept with what discovery wrote', async () => {
    const { as } = await api();
    const rejectedTags = [{ key: 'long', reason: 'its value is too long' }];
    const sent = create(ServerInfoSchema, discovered(1));
    sent.rejectedTags = rejectedTags.map((tag) => create(RejectedTagSchema, tag));
    await as('discovery/d').serverInfos.upsertServerInfos({ serverInfos: [sent] });
    const { serverInfo } = await as('operator/ada').serverInfos.getServerInfo({ name: discoveredNameOf(1) });
    expect(serverInfo?.rejectedTags).toMatchObject(rejectedTags);
  });
});

/** A record with these labels, as an auth process writes it; `aws` null: no ServerInfo speaks for the node. */
function record(own: readonly string[], imported: readonly string[], aws: readonly string[] | null): string {
  const span = [1_800_000_000_000, 1_900_000_000_000];
  const facts = ['host', '1', true, 'auth-1', 's', null, 'w', 'w', span, [null, null], 'synced', '', 1];
  return JSON.stringify([1, facts, own, imported, aws, ['dynamic/ring', 'canary']]);
}

describe('ListNodes by selector', () => {
  it('picks nodes by all their labels, page by page', async () => {
    const { as, stores } = await api();
    for (let number = 0; number < 600; number += 1) {
      const team = number % 3 === 0 ? 'db' : 'web';
      const value = record(['env', number < 300 ? 'prod' : 'test'], [], ['aws/team', team]);
      await stores.nodes.put([{ key: `n${String(number).padStart(3, '0')}`, value, ttlMs: 60_000 }], {
        signal,
      });
    }
    await stores.nodes.put([{ key: 'n001x', value: '[9]', ttlMs: undefined }], { signal });
    const { nodes } = as('operator/ada');
    const selector = selectorToMessage(parseSelector('aws/team=d*, env=prod, dynamic/ring=canary'));
    const seen: string[] = [];
    let pageToken = '';
    let pages = 0;
    do {
      const page = await nodes.listNodes({ selector, pageSize: 30, pageToken });
      expect(page.nodes.length).toBeLessThanOrEqual(30);
      seen.push(...page.nodes.map(({ serverId }) => serverId));
      pageToken = page.nextPageToken;
      pages += 1;
    } while (pageToken !== '');
    expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => `n${String(3 * index).padStart(3, '0')}`));
    expect(pages).toBe(4);
    const none = await nodes.listNodes({ selector: selectorToMessage(parseSelector('aws/team=ops')) });
    expect([none.nodes, none.nextPageToken]).toEqual([[], '']);
  });

  it('says what is wrong with a selector', async () => {
    const { as } = await api();
    const selector = { terms: [{ key: 'aws/team', values: ['^(db$'] }] };
    const call = as('operator/ada').nodes.listNodes({ selector });
    expect(await codeOf(call)).toBe('InvalidArgument');
    await expect(call).rejects.toThrow(/selector: .*\^\(db\$/);
  });
});

describe('the labels of a node by who says them', () => {
  const OWN = { source: NodeLabelSource.OWN, labels: { env: 'prod' } };
  const ASSIGNED = { source: NodeLabelSource.ASSIGNED, labels: { 'dynamic/ring': 'canary' } };

  it.each<[string, readonly string[] | null, object[]]>([
    [
      'a ServerInfo stands in the place of what was imported',
      ['aws/team', 'db'],
      [
        OWN,
        {
          source: NodeLabelSource.DISCOVERED,
          labels: { 'aws/team': 'db' },
          observedAt: { seconds: 1_800_000_000n },
          expiresAt: { seconds: 1_900_000_000n },
        },
        ASSIGNED,
      ],
    ],
    [
      'what was imported stands without one',
      null,
      [OWN, { source: NodeLabelSource.IMPORTED, labels: { 'aws/team': 'old' } }, ASSIGNED],
    ],
    ['an emptied set leaves nothing', [], [OWN, ASSIGNED]],
  ])('%s', async (_, aws, sets) => {
    const { as, stores } = await api();
    const value = record(['env', 'prod'], ['aws/team', 'old'], aws);
    await stores.nodes.put([{ key: 'n', value, ttlMs: 60_000 }], { signal });
    const { node } = await as('operator/ada').nodes.getNode({ serverId: 'n' });
    expect(node?.labelSets).toMatchObject(sets);
    expect(node?.labelSets).toHaveLength(sets.length);
    const together = Object.assign({}, ...(node?.labelSets ?? []).map(({ labels }) => labels)) as object;
    expect(together).toEqual(node?.labels);
    expect(node?.labelSets.at(-1)?.expiresAt).toBeUndefined();
  });
});
