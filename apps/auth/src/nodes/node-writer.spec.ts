import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRegistry, silentLogger } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';
import { StoreUnavailableError } from '@tagplane/store';
import type { Put, Store } from '@tagplane/store';
import { NO_SPANS } from '@tagplane/session';
import { createControlMetrics } from '../control/metrics.ts';
import { metric, nodeRecord, overridden, testStores } from '../testing/test-plane.ts';
import type { TestStores } from '../testing/test-plane.ts';
import { encodeNodeRecord } from './node-codec.ts';
import { NodeWriter } from './node-writer.ts';
import type { RecordSource, Successor } from './node-writer.ts';

class Source implements RecordSource {
  readonly serverId: string;
  readonly sessionId: string;
  ended = false;
  recordRevision: number | undefined = undefined;
  hostname = 'first';
  encoded = 0;
  owners: string[] = [];

  constructor(serverId: string, sessionId = `session-${serverId}`) {
    this.serverId = serverId;
    this.sessionId = sessionId;
  }

  encodeRecord(): string {
    this.encoded += 1;
    return encodeNodeRecord({
      serverId: this.serverId,
      hostname: this.hostname,
      agentVersion: '',
      connected: !this.ended,
      authId: `auth of ${this.sessionId}`,
      sessionId: this.sessionId,
      instance: undefined,
      own: '[]',
      imported: '[]',
      acked: { revision: '', spans: NO_SPANS, sets: { 'aws/': undefined, 'dynamic/': undefined } },
      wantedRevision: '',
      sync: { state: 'synced', reason: '' },
      rolesRevision: '',
      lastSeen: 1,
    });
  }

  superseded(by: Successor): void {
    this.owners.push(by.authId);
  }
}

let stores: TestStores;
let registry: Registry;
let puts: (readonly Put[])[];
const { signal } = new AbortController();

beforeEach(() => {
  stores = testStores();
  registry = createRegistry('auth');
  puts = [];
});

afterEach(async () => {
  await stores[Symbol.asyncDispose]();
});

function writer(put?: Store['put'], heartbeatMs = 300_000): NodeWriter {
  const store = overridden(stores.nodes, {
    put: (items, options) => {
      puts.push(items);
      return (put ?? ((...args) => stores.nodes.put(...args)))(items, options);
    },
  });
  registry = createRegistry('auth');
  return new NodeWriter({ store, heartbeatMs, metrics: createControlMetrics(registry), log: silentLogger() });
}

describe('NodeWriter', () => {
  it('writes the latest of each node, in batches of 100, for 15 minutes', async () => {
    const records = writer();
    const sources = Array.from({ length: 250 }, (_, index) => new Source(`s${index}`));
    for (const source of [...sources, ...sources]) records.mark(source);
    for (const source of sources) source.hostname = 'latest';
    await records.flush(signal);
    expect(puts.map((batch) => batch.length)).toEqual([100, 100, 50]);
    expect(puts[0]?.[0]?.ttlMs).toBe(900_000);
    expect(sources.every((source) => source.encoded === 1)).toBe(true);
    expect((await nodeRecord(stores.nodes, 's7'))?.hostname).toBe('latest');
    await records.flush(signal);
    expect(puts.length).toBe(3);
  });

  it('takes a record over with a session’s first write and keeps off it once another session has', async () => {
    const first = new Source('s', 'one');
    const second = new Source('s', 'two');
    const [a, b] = [writer(), writer()];
    a.mark(first);
    await a.flush(signal);
    b.mark(second);
    await b.flush(signal);
    first.hostname = 'late';
    a.mark(first);
    await a.flush(signal);
    expect(first.owners).toEqual(['auth of two']);
    expect(second.owners).toEqual([]);
    expect(await nodeRecord(stores.nodes, 's')).toMatchObject({ sessionId: 'two', hostname: 'first' });
  });

  it('recognises its own write when the answer was lost', async () => {
    const source = new Source('s');
    const records = writer();
    records.mark(source);
    await records.flush(signal);
    await stores.nodes.put([{ key: 's', value: source.encodeRecord(), ttlMs: 1_000 }], { signal });
    source.hostname = 'next';
    records.mark(source);
    await records.flush(signal);
    expect([source.owners, (await nodeRecord(stores.nodes, 's'))?.hostname]).toEqual([[], 'next']);
  });

  it('writes a record again that the store has lost', async () => {
    const source = new Source('s');
    const records = writer();
    records.mark(source);
    await records.flush(signal);
    await stores.nodes.delete([{ key: 's' }], { signal });
    records.mark(source);
    await records.flush(signal);
    expect(await nodeRecord(stores.nodes, 's')).toMatchObject({ sessionId: 'session-s' });
  });

  it('gives way to a record of a newer version, and does not ask for ever whose it is', async () => {
    const [over, live] = [new Source('over'), new Source('live')];
    const records = writer();
    for (const source of [over, live]) records.mark(source);
    await records.flush(signal);
    over.ended = true;
    for (const key of ['over', 'live'])
      await stores.nodes.put([{ key, value: '[99]', ttlMs: 60_000 }], { signal });
    for (const source of [over, live]) records.mark(source);
    await records.flush(AbortSignal.timeout(10_000));
    expect([over.owners.length, live.owners.length]).toEqual([1, 1]);
    const found = await stores.nodes.getMany(['over', 'live'], { signal });
    expect(found).toMatchObject([{ value: '[99]' }, { value: '[99]' }]);
  });

  it('keeps a record for three heartbeats, however rare they are', async () => {
    const source = new Source('s');
    const records = writer(undefined, 60 * 60_000);
    records.mark(source);
    await records.flush(signal);
    expect(puts[0]?.[0]?.ttlMs).toBe(3 * 60 * 60_000);
  });

  it('takes nothing over for a session that is over', async () => {
    const [old, young] = [new Source('s', 'old'), new Source('s', 'young')];
    const records = writer();
    records.mark(young);
    await records.flush(signal);
    old.ended = true;
    records.mark(old);
    await records.flush(signal);
    expect(await nodeRecord(stores.nodes, 's')).toMatchObject({ sessionId: 'young', connected: true });
  });

  it('keeps what the store does not take, unless something newer waits by then', async () => {
    let away = true;
    const records = writer((items, options) =>
      away ? Promise.reject(new StoreUnavailableError('away')) : stores.nodes.put(items, options),
    );
    const sources = ['a', 'b'].map((id) => new Source(id));
    for (const source of sources) records.mark(source);
    const flushing = records.flush(signal);
    const newer = new Source('a', 'newer');
    records.mark(newer);
    await expect(flushing).rejects.toThrow('away');
    away = false;
    await records.flush(signal);
    expect(await nodeRecord(stores.nodes, 'a')).toMatchObject({ sessionId: 'newer' });
    expect(await nodeRecord(stores.nodes, 'b')).toMatchObject({ sessionId: 'session-b' });
  });

  it('is bounded: beyond 30,000 nodes, sessions that are over give way', async () => {
    const records = writer();
    for (let index = 0; index < 30_000; index += 1) {
      const source = new Source(`s${index}`);
      source.ended = index === 5;
      records.mark(source);
    }
    records.mark(new Source('s1'));
    expect(await metric(registry, 'node_records_dropped_total')).toBe(0);
    records.mark(new Source('one-more'));
    expect(await metric(registry, 'node_records_dropped_total')).toBe(1);
    expect(await metric(registry, 'node_record_queue_length')).toBe(30_000);
  });
});
