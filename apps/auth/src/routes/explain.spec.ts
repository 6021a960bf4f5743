import { timestampMs } from '@bufbuild/protobuf/wkt';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LabelSource, LabelState, instanceToMessage } from '@tagplane/protocol';
import type { ExplainNodeResponse, ExplainedLabel } from '@tagplane/protocol';
import { decodeServerInfo, encodeServerInfo, packLabels } from '@tagplane/serverinfo';
import { encodeLock } from '../locks/lock.ts';
import { assigned, discovered, instance, instanceKey, put, selecting } from '../testing/fleet.ts';
import { nodePut } from '../testing/nodes.ts';
import { codeOf } from '../testing/samples.ts';
import { startTestApi } from '../testing/test-api.ts';
import type { TestApi, TestClients } from '../testing/test-api.ts';
import { until } from '../testing/test-stores.ts';

const MINUTE = 60_000;
const packed = (labels: Record<string, string>): string => packLabels(new Map(Object.entries(labels)));

let api: TestApi;
let ada: TestClients;
beforeEach(() => {
  api = startTestApi();
  ada = api.as('operator/ada');
});
afterEach(async () => {
  await api[Symbol.asyncDispose]();
});

async function loaded(size: number): Promise<void> {
  await until(() => api.assigned.index.loaded && api.assigned.index.set.size === size, 'the index');
}
function label(answer: ExplainNodeResponse, key: string): ExplainedLabel | undefined {
  return answer.labels.find((each) => each.key === key);
}

describe('ExplainNode', () => {
  it('says where each label comes from, who wrote it, and how far it got', async () => {
    const now = Date.now();
    await put(api.stores.serverInfos, discovered(1, { team: 'db', Name: 'x' }, { observedAt: now - MINUTE }));
    await put(
      api.stores.serverInfos,
      selecting('by-team', 'aws/team=db', { level: 'low', on: 'call' }),
      assigned('own-word', 'web-1', { level: 'high' }),
    );
    await put(
      api.stores.nodes,
      nodePut('web-1', instance(1), {
        own: new Map([['rack', '7']]),
        imported: new Map([
          ['aws/Name', 'old'],
          ['aws/gone', 'y'],
        ]),
        acked: {
          revision: 'r',
          spans: {
            'aws/': { observedAt: now, expiresAt: now + MINUTE },
            'dynamic/': { observedAt: undefined, expiresAt: now - MINUTE },
          },
          sets: {
            'aws/': packed({ 'aws/team': 'db', 'aws/Name': 'earlier' }),
            'dynamic/': packed({ 'dynamic/level': 'high', 'dynamic/left': '1' }),
          },
        },
        delivery: { pushedBy: 'auth-7', pushedAt: now - 2, ackedAt: now - 1 },
      }),
    );
    await loaded(2);
    const answer = await ada.explain.explainNode({ subject: { case: 'serverId', value: 'web-1' } });
    expect(answer.node?.serverId).toBe('web-1');
    expect(answer.discovered?.name).toContain('aws-123456789012');
    expect(answer.assigned.map(({ name }) => name)).toEqual(['by-team', 'own-word']);
    expect(answer.delivery).toMatchObject({ pushedBy: 'auth-7' });
    expect(answer.labels.map(({ key, value, state }) => [key, value, state])).toEqual([
      ['aws/Name', 'x', LabelState.PENDING],
      ['aws/gone', 'y', LabelState.REJECTED],
      ['aws/team', 'db', LabelState.HELD],
      ['dynamic/left', '1', LabelState.STALE],
      ['dynamic/level', 'high', LabelState.STALE],
      ['dynamic/on', 'call', LabelState.PENDING],
      ['rack', '7', LabelState.HELD],
    ]);
    expect(label(answer, 'aws/team')?.origin).toMatchObject({
      source: LabelSource.DISCOVERED,
      writtenBy: 'discovery/test',
      serverInfo: answer.discovered?.name,
    });
    const { observedAt, storedAt } = label(answer, 'aws/team')?.origin ?? {};
    expect(observedAt && timestampMs(observedAt)).toBe(now - MINUTE);
    expect(Math.abs((storedAt ? timestampMs(storedAt) : 0) - now)).toBeLessThan(MINUTE);
    expect(label(answer, 'dynamic/level')?.overruled).toMatchObject([
      {
        value: 'low',
        origin: { source: LabelSource.ASSIGNED, serverInfo: 'by-team' },
        reason: 'own-word comes after it',
      },
    ]);
    expect(label(answer, 'aws/Name')).toMatchObject({
      reason: 'not acknowledged yet; the agent holds "earlier"',
      overruled: [{ value: 'old', origin: { source: LabelSource.IMPORTED } }],
    });
    expect(label(answer, 'aws/gone')?.reason).toMatch(/discovery speaks for the instance/);
    expect(answer.problems).toEqual([
      expect.stringMatching(/not acknowledged/),
      expect.stringMatching(/dynamic\/ labels ran out 60 s ago/),
    ]);
  });

  it('works for an instance without an agent, with the tags that cannot be carried', async () => {
    await put(api.stores.serverInfos, discovered(1, { a: '1' }));
    const [live] = await api.stores.serverInfos.getMany([instanceKey(1)], {
      signal: new AbortController().signal,
    });
    if (live?.state !== 'live') throw new Error('it is there');
    const rejected = [{ key: 'long', reason: 'longer than 256 characters' }];
    const value = encodeServerInfo({ ...decodeServerInfo(live), rejected });
    await put(api.stores.serverInfos, { key: instanceKey(1), value, ttlMs: 90 * MINUTE });
    await loaded(0);
    const subject = { case: 'awsInstance', value: instanceToMessage(instance(1)) } as const;
    const answer = await ada.explain.explainNode({ subject });
    expect(answer.node).toBeUndefined();
    expect(answer.labels.map(({ key, state, reason }) => [key, state, reason])).toEqual([
      ['aws/a', LabelState.PENDING, 'no agent speaks for the node'],
      ['aws/long', LabelState.REJECTED, 'longer than 256 characters'],
    ]);
    expect(answer.problems).toEqual([
      expect.stringMatching(/no agent speaks for this instance/),
      expect.stringMatching(/^of its tags, 1 cannot be carried/),
    ]);
  });

  it('finds the node of an instance, and its locks and holds', async () => {
    const nodes = Array.from({ length: 3 }, (_, n) => nodePut(`web-${n}`, instance(n)));
    await put(api.stores.nodes, ...nodes);
    const lock = encodeLock({ message: 'stolen', createdBy: 'operator/ada', createdAt: 1 });
    await put(api.stores.security, { key: 'lock/agent:web-2', value: lock, ttlMs: undefined });
    const scope = 'aws/123456789012/eu-central-1';
    const large = { scope, fingerprint: 'f', nodesChanged: 30, nodesTotal: 90, samples: [] };
    await api.as('discovery/main').guard.requestChange(large);
    await loaded(0);
    const subject = { case: 'awsInstance', value: instanceToMessage(instance(2)) } as const;
    const answer = await ada.explain.explainNode({ subject });
    expect(answer.node?.serverId).toBe('web-2');
    expect(answer.problems).toEqual([
      expect.stringMatching(/^locked \(agent:web-2\): stolen/),
      expect.stringMatching(/not discovered, and neither/),
      expect.stringMatching(/waits for an operator/),
    ]);
  });

  it('answers for a server id that nobody has, and refuses what is none', async () => {
    await loaded(0);
    const answer = await ada.explain.explainNode({ subject: { case: 'serverId', value: 'nobody' } });
    expect(answer.problems).toEqual([expect.stringMatching(/no agent speaks for this server id/)]);
    const malformed = ada.explain.explainNode({ subject: { case: 'serverId', value: 'a/b' } });
    expect(await codeOf(malformed)).toBe('InvalidArgument');
    expect(await codeOf(ada.explain.explainNode({}))).toBe('InvalidArgument');
  });
});
