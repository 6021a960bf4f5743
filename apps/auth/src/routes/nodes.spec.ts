import { afterEach, describe, expect, it } from '@jest/globals';
import { WatchMark } from '@tagplane/protocol';
import type { WatchNodesResponse } from '@tagplane/protocol';
import { codeOf } from '../testing/samples.ts';
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

/** A record as an auth process writes it. */
function record(hostname: string): string {
  const instance = ['123456789012', 'eu-central-1', 'i-0123456789abcdef0'];
  const expiresAt = Date.now() + 60_000;
  const facts = [
    hostname,
    '0.1.0',
    true,
    'auth-1',
    'session-1',
    instance,
    'w2',
    'w1',
    [null, expiresAt],
    null,
    'pending',
    'an update is on its way',
    1_800_000_000_000,
  ];
  return JSON.stringify([1, facts, ['env', 'prod'], [], ['aws/Name', 'web'], null]);
}

async function write(started: TestApi, serverId: string, hostname = serverId): Promise<void> {
  await started.stores.nodes.put([{ key: serverId, value: record(hostname), ttlMs: 60_000 }], { signal });
}

/** An event in a word, so that a sequence reads as one. */
function word({ event }: WatchNodesResponse): string {
  switch (event.case) {
    case 'node':
      return `${event.value.serverId}=${event.value.hostname}`;
    case 'removedServerId':
      return `-${event.value}`;
    case 'mark':
      return event.value === WatchMark.RESTARTED ? 'restarted' : 'synced';
    case undefined:
      return 'nothing';
  }
}

function watch(started: TestApi): {
  next(): Promise<string>;
  until(word: string): Promise<string[]>;
  stop(): void;
} {
  const stop = new AbortController();
  const events = started
    .as('operator/ada')
    .nodes.watchNodes({}, { signal: stop.signal })
    [Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const result = await events.next();
    return result.done === true ? 'end' : word(result.value);
  };
  return {
    next,
    async until(last) {
      const seen = [await next()];
      while (seen.at(-1) !== last) seen.push(await next());
      return seen;
    },
    stop() {
      stop.abort();
    },
  };
}

async function following(started: TestApi): Promise<void> {
  while (!started.nodeHub.readiness().ready) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('GetNode and ListNodes', () => {
  it('show what the record says', async () => {
    const started = api();
    await write(started, 'server-1');
    const { node } = await started.as('operator/ada').nodes.getNode({ serverId: 'server-1' });
    expect(node).toMatchObject({
      serverId: 'server-1',
      hostname: 'server-1',
      connected: true,
      authId: 'auth-1',
      agentVersion: '0.1.0',
      awsInstance: { accountId: '123456789012', region: 'eu-central-1', instanceId: 'i-0123456789abcdef0' },
      labels: { env: 'prod', 'aws/Name': 'web' },
      sync: { state: 2, revision: 'w2', ackedRevision: 'w1', reason: 'an update is on its way' },
      lastSeen: { seconds: 1_800_000_000n },
    });
    expect(node?.recordRevision).toBeGreaterThan(0n);
  });

  it('know no other node', async () => {
    const { nodes } = api().as('operator/ada');
    expect(await codeOf(nodes.getNode({ serverId: 'nobody' }))).toBe('NotFound');
    expect(await codeOf(nodes.getNode({ serverId: 'no id!' }))).toBe('NotFound');
  });

  it('page by server id, past a record that cannot be read', async () => {
    const started = api();
    for (const id of ['c', 'a', 'd', 'b']) await write(started, id);
    await started.stores.nodes.put([{ key: 'bb', value: '[9]', ttlMs: undefined }], { signal });
    const { nodes } = started.as('operator/ada');
    const first = await nodes.listNodes({ pageSize: 3 });
    const rest = await nodes.listNodes({ pageSize: 3, pageToken: first.nextPageToken });
    const seen = [...first.nodes, ...rest.nodes].map(({ serverId }) => serverId);
    expect(seen).toEqual(['a', 'b', 'c', 'd']);
    expect(rest.nextPageToken).toBe('');
  });
});

describe('WatchNodes', () => {
  it('lists, then follows', async () => {
    const started = api();
    await following(started);
    await write(started, 'a');
    await write(started, 'b');
    const { until, next, stop } = watch(started);
    expect(await until('synced')).toEqual(['restarted', 'a=a', 'b=b', 'synced']);
    await write(started, 'a', 'renamed');
    expect(await next()).toBe('a=renamed');
    await started.stores.nodes.delete([{ key: 'b' }], { signal });
    expect(await next()).toBe('-b');
    stop();
  });

  it('gives one that falls behind a fresh list', async () => {
    const started = api({ maxPending: 2 });
    await following(started);
    const other = watch(started);
    await other.until('synced');
    const slow = watch(started);
    await slow.until('synced');
    for (const id of ['a', 'b', 'c', 'd']) {
      await write(started, id);
      expect(await other.next()).toBe(`${id}=${id}`);
    }
    const seen = await slow.until('synced');
    expect(seen.slice(seen.indexOf('restarted'))).toEqual([
      'restarted',
      'a=a',
      'b=b',
      'c=c',
      'd=d',
      'synced',
    ]);
    other.stop();
    slow.stop();
  });

  it('bounds the number of watches, and frees the place of one that ended', async () => {
    const started = api({ maxWatchers: 1 });
    await following(started);
    const first = watch(started);
    await first.until('synced');
    expect(await codeOf(watch(started).next())).toBe('ResourceExhausted');
    const ended = first.next();
    first.stop();
    expect(await codeOf(ended)).toBe('Canceled');
    const gauge = () => started.registry.getSingleMetricAsString('tagplane_auth_node_watchers');
    while (!(await gauge()).includes('watchers 0')) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await watch(started).next()).toBe('restarted');
  });

  it('ends with UNAVAILABLE when the process stops', async () => {
    const started = api();
    await following(started);
    const { until, next } = watch(started);
    await until('synced');
    started.closing.abort();
    expect(await codeOf(next())).toBe('Unavailable');
  });
});

describe('GetStatus', () => {
  it('says who answers, from which store, and what is wrong', async () => {
    const started = api();
    await write(started, 'a');
    started.checks.push({ name: 'fine', ready: true }, { name: 'store', ready: false, reason: 'away' });
    const { status } = started.as('discovery/d');
    const brief = await status.getStatus({});
    expect(brief).toMatchObject({
      authId: 'auth-test',
      storeType: 'embedded',
      connectedAgents: 7,
      nodes: 0n,
      problems: ['store: away'],
    });
    expect(brief.storeEpoch).not.toBe('');
    expect(await status.getStatus({ withCounts: true })).toMatchObject({ serverInfos: 0n, nodes: 1n });
  });
});
