import type { MessageInitShape } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HoldState, UpsertStatus } from '@tagplane/protocol';
import type { NodeLabelChange, PreviewTotals, ServerInfoSchema } from '@tagplane/protocol';
import type { Store } from '@tagplane/store';
import {
  assigned,
  discovered,
  instance,
  instanceKey,
  put,
  selecting as selectingPut,
} from '../testing/fleet.ts';
import { nodePut } from '../testing/nodes.ts';
import { codeOf } from '../testing/samples.ts';
import { startTestApi } from '../testing/test-api.ts';
import type { TestApi, TestClients } from '../testing/test-api.ts';
import { overridden, until } from '../testing/test-stores.ts';

type Item = MessageInitShape<typeof ServerInfoSchema>;

const SIZE = 60;
let api: TestApi;
let ada: TestClients;

/** Sixty nodes: the first forty are `aws/role=web`, the others `aws/role=db`. */
beforeEach(async () => {
  api = startTestApi();
  ada = api.as('operator/ada');
  const numbers = Array.from({ length: SIZE }, (_, n) => n);
  await put(api.stores.nodes, ...numbers.map((n) => nodePut(`node-${n}`, instance(n))));
  await put(
    api.stores.serverInfos,
    ...numbers.map((n) => discovered(n, { role: n < 40 ? 'web' : 'db', Name: `n${n}` })),
  );
  await until(() => api.assigned.index.loaded, 'the assigned ServerInfos');
});
afterEach(async () => {
  await api[Symbol.asyncDispose]();
});

function selecting(name: string, role: string, labels: Record<string, string>): Item {
  const terms = [{ key: 'aws/role', values: [role] }];
  return { name, match: { target: { case: 'selector', value: { terms } } }, labels };
}
function forNode(n: number, labels: Record<string, string>): Item {
  return { name: `for-node-${n}`, match: { target: { case: 'serverId', value: `node-${n}` } }, labels };
}

async function write(...serverInfos: Item[]) {
  return (await ada.serverInfos.upsertServerInfos({ serverInfos })).results;
}
/** Writes, and waits until the process has taken it in. */
async function prepare(item: Item): Promise<void> {
  const [result] = await write(item);
  expect(result?.status).toBe(UpsertStatus.ACCEPTED);
  const known = () => api.assigned.index.set.get(item.name ?? '')?.revision;
  await until(() => known() === Number(result?.revision), 'the write');
}

describe('a write of an operator', () => {
  it('that only adds labels goes on, on however many nodes', async () => {
    await prepare(selecting('team', '*', { 'dynamic/team': 'core' }));
    expect((await ada.guard.listHolds({})).holds).toEqual([]);
  });

  it('that changes labels on too many nodes is held, and nothing of it is written', async () => {
    await prepare(selecting('team', 'web', { 'dynamic/team': 'core' }));
    const results = await write(
      selecting('team', 'web', { 'dynamic/team': 'other' }),
      { name: 'x y', match: { target: { case: 'serverId', value: 'node-1' } } },
      forNode(50, { 'dynamic/team': 'new' }),
    );
    expect(results.map(({ status }) => status)).toEqual([
      UpsertStatus.HELD,
      UpsertStatus.INVALID,
      UpsertStatus.HELD,
    ]);
    const { holds } = await ada.guard.listHolds({});
    expect(holds).toEqual([
      expect.objectContaining({
        id: results[0]?.holdId,
        scope: 'dynamic/',
        nodesChanged: 40,
        nodesTotal: SIZE,
        state: HoldState.HELD,
        requestedBy: 'operator/ada',
      }),
    ]);
    const { serverInfo } = await ada.serverInfos.getServerInfo({ name: 'team' });
    expect(serverInfo?.labels).toEqual({ 'dynamic/team': 'core' });
    expect(api.audit.of('guard.held')).toHaveLength(1);
    await until(async () => (await ada.status.getStatus({})).problems.length === 1, 'a line in the status');
  });

  it('is carried out on release as it was asked, with both names in the audit', async () => {
    await prepare(selecting('team', 'web', { 'dynamic/team': 'core' }));
    const change = selecting('team', 'web', { 'dynamic/team': 'other' });
    const [held] = await write(change);
    const again = await write(change);
    expect(again[0]?.holdId).toBe(held?.holdId);
    const { hold } = await api.as('operator/bob').guard.releaseHold({ id: held?.holdId ?? '' });
    expect(hold).toMatchObject({ state: HoldState.RELEASED, decidedBy: 'operator/bob' });
    expect(hold?.description).toMatch(/1 ServerInfos written: 40 nodes .*; 1 written$/);
    const { serverInfo } = await ada.serverInfos.getServerInfo({ name: 'team' });
    expect(serverInfo).toMatchObject({ labels: { 'dynamic/team': 'other' }, origin: 'operator/ada' });
    expect(api.audit.of('server_info.upserted').at(-1)).toMatchObject({
      actor: 'operator/bob',
      subjects: ['team'],
      details: { requested_by: 'operator/ada' },
    });
  });

  it('says on release when it is refused by now', async () => {
    await prepare(selecting('team', 'web', { 'dynamic/team': 'core' }));
    const revision = BigInt(api.assigned.index.set.get('team')?.revision ?? 0);
    const [held] = await write({
      ...selecting('team', 'web', { 'dynamic/team': 'b' }),
      expectedRevision: revision,
    });
    await prepare(selecting('team', 'web', { 'dynamic/team': 'core', 'dynamic/more': 'x' }));
    const { hold } = await ada.guard.releaseHold({ id: held?.holdId ?? '' });
    expect(hold?.description).toMatch(/0 written, 1 refused: its revision is \d+, and \d+ was expected$/);
  });

  it('is not carried out after a drop, and may be asked for anew', async () => {
    await prepare(selecting('team', 'web', { 'dynamic/team': 'core' }));
    const change = selecting('team', 'web', { 'dynamic/team': 'other' });
    const [held] = await write(change);
    await ada.guard.dropHold({ id: held?.holdId ?? '' });
    const [anew] = await write(change);
    expect(anew?.status).toBe(UpsertStatus.HELD);
    expect(anew?.holdId).not.toBe(held?.holdId);
  });

  it('of one node at a time goes on until they add up to too many', async () => {
    for (let n = 0; n < 25; n += 1) await prepare(forNode(n, { 'dynamic/a': '1' }));
    const statuses: UpsertStatus[] = [];
    for (let n = 0; n < 25; n += 1) {
      statuses.push(...(await write(forNode(n, { 'dynamic/a': '2' }))).map(({ status }) => status));
    }
    expect(statuses.filter((status) => status === UpsertStatus.ACCEPTED)).toHaveLength(19);
    expect(statuses.at(-1)).toBe(UpsertStatus.HELD);
  });

  it('of the same node again and again goes on', async () => {
    for (let round = 0; round < 25; round += 1) {
      const [result] = await write(forNode(1, { 'dynamic/a': String(round) }));
      expect(result?.status).toBe(UpsertStatus.ACCEPTED);
    }
  });

  it('that a create-only flag refuses anyway is refused, not held', async () => {
    await prepare(selecting('team', 'web', { 'dynamic/team': 'core' }));
    const serverInfos = [selecting('team', 'web', { 'dynamic/team': 'other' })];
    const { results } = await ada.serverInfos.upsertServerInfos({ serverInfos, createOnly: true });
    expect(results[0]?.status).toBe(UpsertStatus.CONFLICT);
  });
});

describe('a removal by an operator', () => {
  it('of what many nodes have is held, and carried out on release', async () => {
    await prepare(selecting('team', 'web', { 'dynamic/team': 'core' }));
    const { deleted, holdId } = await ada.serverInfos.deleteServerInfos({ names: ['team', 'nothing'] });
    expect([deleted, holdId]).toEqual([[], expect.stringMatching(/./)]);
    const { hold } = await ada.guard.releaseHold({ id: holdId });
    expect(hold?.description).toMatch(/1 of 2 were there and are removed$/);
    expect(await codeOf(ada.serverInfos.getServerInfo({ name: 'team' }))).toBe('NotFound');
    expect(api.audit.of('server_info.deleted').at(-1)).toMatchObject({
      details: { requested_by: 'operator/ada' },
    });
  });

  it('of many discovered ServerInfos is held; of one it is not', async () => {
    const names = Array.from({ length: 30 }, (_, n) => instanceKey(n).replace('discovered/', ''));
    expect((await ada.serverInfos.deleteServerInfos({ names })).holdId).not.toBe('');
    const [one = ''] = names;
    expect((await ada.serverInfos.deleteServerInfos({ names: [one] })).deleted).toEqual([one]);
  });

  it('of a ServerInfo for one node does not read all nodes', async () => {
    const surveys: number[] = [];
    const wrap = (store: Store): Store =>
      overridden(store, {
        range: (range, options) => {
          if (range.limit === 200) surveys.push(range.limit);
          return store.range(range, options);
        },
      });
    await using other = startTestApi({ wrap });
    await put(
      other.stores.serverInfos,
      assigned('one', 3, { a: '1' }),
      selectingPut('all', '*=*', { b: '1' }),
    );
    await until(() => other.assigned.index.set.size === 2, 'both');
    const { serverInfos } = other.as('operator/ada');
    expect((await serverInfos.deleteServerInfos({ names: ['one'] })).deleted).toEqual(['one']);
    expect(surveys).toEqual([]);
    await serverInfos.deleteServerInfos({ names: ['all'] });
    expect(surveys).toEqual([200]);
  });
});

describe('with the guard off', () => {
  it('everything goes on', async () => {
    await using free = startTestApi({ thresholds: { enabled: false } });
    const bob = free.as('operator/bob');
    const serverInfos = [selecting('team', '*', { 'dynamic/team': 'core' })];
    const { results } = await bob.serverInfos.upsertServerInfos({ serverInfos });
    expect(results[0]?.status).toBe(UpsertStatus.ACCEPTED);
  });
});

describe('a preview', () => {
  async function preview(request: { serverInfos?: Item[]; deleteNames?: string[] }) {
    const changes: NodeLabelChange[] = [];
    let totals: PreviewTotals | undefined;
    for await (const { event } of ada.explain.previewServerInfos(request)) {
      if (event.case === 'change') changes.push(event.value);
      if (event.case === 'totals') totals = event.value;
    }
    return { changes, totals };
  }

  it('lists the nodes that would change, and what the guard would say, and changes nothing', async () => {
    await prepare(selecting('team', 'web', { 'dynamic/team': 'core', 'dynamic/x': '1' }));
    const serverInfos = [selecting('team', 'web', { 'dynamic/team': 'other', 'dynamic/y': '2' })];
    const { changes, totals } = await preview({ serverInfos });
    expect(changes).toHaveLength(40);
    expect(changes.find(({ serverId }) => serverId === 'node-7')).toMatchObject({
      hostname: 'node-7.example',
      gained: { 'dynamic/y': '2' },
      lost: { 'dynamic/x': '1' },
      changed: { 'dynamic/team': 'other' },
    });
    expect(totals).toMatchObject({ nodes: SIZE, changed: 40, wouldHold: true });
    expect((await ada.guard.listHolds({})).holds).toEqual([]);
  });

  it('finds the node of an instance', async () => {
    const awsInstance = {
      accountId: '123456789012',
      region: 'eu-central-1',
      instanceId: instance(5).instance,
    };
    const match: Item['match'] = { target: { case: 'awsInstance', value: awsInstance } };
    const { changes, totals } = await preview({
      serverInfos: [{ name: 'five', match, labels: { 'dynamic/a': '1' } }],
      deleteNames: [instanceKey(6).replace('discovered/', '')],
    });
    expect(changes.map(({ serverId, gained, lost }) => [serverId, gained, lost])).toEqual([
      ['node-5', { 'dynamic/a': '1' }, {}],
      ['node-6', {}, { 'aws/Name': 'n6', 'aws/role': 'web' }],
    ]);
    expect(totals).toMatchObject({ changed: 2, wouldHold: false });
  });

  it('refuses what would be refused', async () => {
    expect(await codeOf(preview({ serverInfos: [forNode(1, { 'aws/x': '1' })] }))).toBe('InvalidArgument');
  });
});
