import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RejectedTagSchema, ScopeState } from '@tagplane/protocol';
import { SECOND, createRegistry, silentLogger } from '@tagplane/runtime';
import { DiscoveryWatch } from '../discovery/discovery-watch.ts';
import { MAX_SCOPES } from '../discovery/scope-reports.ts';
import { codeOf, discovered, discoveredNameOf } from '../testing/samples.ts';
import { startTestApi } from '../testing/test-api.ts';
import type { TestApi } from '../testing/test-api.ts';
import { metric, overridden } from '../testing/test-stores.ts';

const signal = new AbortController().signal;
let counted = 0;
let api: TestApi;
beforeEach(() => {
  counted = 0;
  const count = (prefix: string, inner: () => Promise<number>) =>
    prefix.startsWith('scope/') && counted > 0 ? Promise.resolve(counted) : inner();
  api = startTestApi({
    wrap: (store) =>
      overridden(store, {
        count: (prefix, options) => count(prefix, () => store.count(prefix, options)),
      }),
  });
});
afterEach(async () => {
  await api[Symbol.asyncDispose]();
});

async function fenceOf(group: string) {
  const { discovery } = api.as('discovery/one');
  const { token } = await discovery.holdLease({ group, replica: `r-${group}`, ttl: { seconds: 20n } });
  return { group, token };
}

const report = {
  id: '123456789012/eu-central-1',
  accountId: '123456789012',
  region: 'eu-central-1',
  state: ScopeState.FAILING,
  problem: 'the role cannot be assumed: trust it\u001b[31m',
  instances: 7,
  rejectedTags: 1,
  requests: 12n,
  quotaUsed: 0.25,
  lastCompleteAt: timestampFromMs(1_800_000_000_000),
  behind: { seconds: 3n },
};

describe('ReportScopes', () => {
  it('is shown by group and id, until it is taken back', async () => {
    const { discovery } = api.as('discovery/one');
    const main = await fenceOf('main');
    const other = await fenceOf('other');
    const ok = { id: 'eu-west-1', state: ScopeState.OK };
    await discovery.reportScopes({ fence: other, scopes: [ok] });
    await discovery.reportScopes({ fence: main, scopes: [ok, report] });
    const list = async (pageToken = '') =>
      await api.as('operator/ada').discovery.listScopes({ pageSize: 2, pageToken });
    const first = await list();
    expect(first.scopes.map((scope) => [scope.group, scope.report?.id])).toEqual([
      ['main', report.id],
      ['main', 'eu-west-1'],
    ]);
    const problem = 'the role cannot be assumed: trust it\ufffd[31m';
    expect(first.scopes[0]?.report).toMatchObject({ ...report, problem, behind: { seconds: 3n } });
    expect(Number(first.scopes[0]?.reportedAt?.seconds)).toBeGreaterThan(Date.now() / SECOND - 60);
    const second = await list(first.nextPageToken);
    expect(second.scopes.map(({ group }) => group)).toEqual(['other']);
    await discovery.reportScopes({ fence: main, removed: [report.id, 'unknown'] });
    expect((await list()).scopes.map((scope) => scope.report?.id)).toEqual(['eu-west-1', 'eu-west-1']);
  });

  it('is forgotten half an hour later', async () => {
    const fence = await fenceOf('main');
    await api.as('discovery/one').discovery.reportScopes({ fence, scopes: [report] });
    const [entry] = await api.stores.discovery.range({ prefix: 'scope/', limit: 10 }, { signal });
    const lifeMs = (entry?.expiresAt ?? 0) - Date.now();
    expect(lifeMs).toBeGreaterThan(29 * 60 * SECOND);
    expect(lifeMs).toBeLessThanOrEqual(30 * 60 * SECOND);
  });

  it('takes names that are some, and as many as a group may have', async () => {
    const fence = await fenceOf('main');
    const { discovery } = api.as('discovery/one');
    const send = (scopes: { id: string }[], removed: string[] = []) =>
      codeOf(discovery.reportScopes({ fence, scopes, removed }));
    expect(await send([{ id: 'a b' }])).toBe('InvalidArgument');
    expect(await send([{ id: 'é' }])).toBe('InvalidArgument');
    expect(await send([], ['\n'])).toBe('InvalidArgument');
    expect(await send([{ id: 'old' }])).toBe('no error');
    counted = MAX_SCOPES;
    expect(await send([{ id: 'old' }])).toBe('no error');
    expect(await send([{ id: 'old' }, { id: 'new' }])).toBe('ResourceExhausted');
    counted = MAX_SCOPES - 1;
    expect(await send([{ id: 'old' }, { id: 'new' }])).toBe('no error');
  });
});

describe('the status', () => {
  it('has lines for scopes that fail, ten of them and a number', async () => {
    const fence = await fenceOf('main');
    const { discovery } = api.as('discovery/one');
    const failing = (id: string) => ({ id, state: ScopeState.FAILING, problem: `why ${id}` });
    const problems = async () => {
      await api.discovery.discoveryWatch.look(signal);
      return (await api.as('operator/ada').status.getStatus({})).problems;
    };
    await discovery.reportScopes({ fence, scopes: [failing('s00'), { id: 'ok', state: ScopeState.OK }] });
    expect(await problems()).toEqual(['discovery: the scope s00 of main fails: why s00']);
    const more = Array.from({ length: 12 }, (_, n) => failing(`t${n}`));
    await discovery.reportScopes({ fence, scopes: more });
    const lines = await problems();
    expect(lines).toHaveLength(11);
    expect(lines.at(-1)).toBe('discovery: 3 more scopes fail; tagctl discovery scopes lists them');
    expect(await metric(api.registry, 'discovery_scopes{state="failing"}')).toBe(13);
    expect(await metric(api.registry, 'discovery_scopes{state="ok"}')).toBe(1);
    expect(await metric(api.registry, 'discovery_groups{lease="yes"}')).toBe(1);
  });

  it('has a line for a group that nobody leads for long', async () => {
    const { leases, replicas } = api.discovery;
    let now = Date.now();
    const registry = createRegistry('auth');
    const options = { store: api.stores.discovery, registry, log: silentLogger(), now: () => now };
    const watch = new DiscoveryWatch({ leases, replicas, ...options });
    const fence = await fenceOf('main');
    const look = async () => {
      await watch.look(signal);
      return watch.problems();
    };
    expect(await look()).toEqual([]);
    await api.as('discovery/one').discovery.releaseLease({ fence });
    expect(await look()).toEqual([]);
    now += 29 * SECOND;
    expect(await look()).toEqual([]);
    now += SECOND;
    expect(await look()).toEqual([expect.stringContaining('no replica leads the group main')]);
    expect(await metric(registry, 'discovery_groups{lease="no"}')).toBe(1);
    await fenceOf('main');
    expect(await look()).toEqual([]);
  });
});

describe('ListServerInfos', () => {
  it('can be of those with rejected tags only', async () => {
    const rejectedTags = [create(RejectedTagSchema, { key: 'secret', reason: 'denied' })];
    await api.as('discovery/one').serverInfos.upsertServerInfos({
      serverInfos: [discovered(1), { ...discovered(2), rejectedTags }, discovered(3)],
    });
    const { serverInfos } = await api.as('operator/ada').serverInfos.listServerInfos({ rejectedOnly: true });
    expect(serverInfos.map(({ name }) => name)).toEqual([discoveredNameOf(2)]);
    expect(serverInfos[0]?.rejectedTags).toMatchObject(rejectedTags);
  });
});
