import { MINUTE, SECOND, fullJitter, isAbort, sleep } from '@tagplane/runtime';
import type { Logger } from '@tagplane/runtime';
import { StoreUnavailableError } from '@tagplane/store';
import type { Put, Store, WriteResult } from '@tagplane/store';
import { createGate } from '../control/wakeup.ts';
import type { ControlMetrics } from '../control/metrics.ts';
import { decodeNodeRecord } from './node-codec.ts';

/** One lost heartbeat does not hide a node: 15 min with heartbeats every 5. */
const HEARTBEATS_OF_A_RECORD = 3;
/** Agents that heartbeat every few seconds may still be away for a restart. */
const MIN_TTL_MS = 15 * MINUTE;
/** Changes of one node within this become one write. */
const FLUSH_INTERVAL_MS = 100;
const MAX_BATCH = 100;
const RETRY = { baseMs: 200, maxMs: 5 * SECOND };
/** 15,000 live nodes and as many that just left; beyond, the oldest of those are left to their TTL. */
const MAX_WAITING = 30_000;

/** A session, as far as its node's record goes. What it says is asked for when it is written. */
export interface RecordSource {
  readonly serverId: string;
  readonly sessionId: string;
  readonly ended: boolean;
  /** The store's revision of the record that this session wrote last; undefined: none yet. */
  recordRevision: number | undefined;
  encodeRecord(): string;
  /** Another session of this server id wrote the record. */
  superseded(by: Successor): void;
}

/** The session that took the place of another one, as far as that is known. */
export interface Successor {
  readonly authId: string;
  readonly sessionId: string | undefined;
  readonly remoteAddress: string | undefined;
}

export interface NodeWriterOptions {
  readonly store: Store;
  /** How often agents heartbeat; a record lives for three of these, and 15 min at least. */
  readonly heartbeatMs: number;
  readonly metrics: ControlMetrics;
  readonly log: Logger;
}

/**
 * Writes nodes' records: the latest of each node, in batches. A session's first write takes the record
 * over whoever wrote it (the newer session wins); each later one only holds if nobody else has.
 */
export class NodeWriter {
  readonly #store: Store;
  readonly #ttlMs: number;
  readonly #metrics: ControlMetrics;
  readonly #log: Logger;
  readonly #dirty = new Map<string, RecordSource>();
  readonly #gate = createGate();

  constructor({ store, heartbeatMs, metrics, log }: NodeWriterOptions) {
    this.#store = store;
    this.#ttlMs = Math.max(MIN_TTL_MS, HEARTBEATS_OF_A_RECORD * heartbeatMs);
    this.#metrics = metrics;
    this.#log = log;
    metrics.recordQueue(() => this.#dirty.size);
  }

  /** The source's record is to be written; a newer session's takes the place of an older one's. */
  mark(source: RecordSource): void {
    if (this.#dirty.size >= MAX_WAITING && !this.#dirty.has(source.serverId)) this.#dropEnded();
    this.#dirty.set(source.serverId, source);
    this.#gate.open();
  }

  /** Forgets what this source has not written yet. */
  forget(source: RecordSource): void {
    if (this.#dirty.get(source.serverId) === source) this.#dirty.delete(source.serverId);
  }

  /** Writes until the signal aborts; outages of the store are waited out. */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      if (this.#dirty.size === 0) await this.#gate.passed(signal);
      await sleep(
        failures === 0 ? FLUSH_INTERVAL_MS : fullJitter(failures, RETRY) + FLUSH_INTERVAL_MS,
        signal,
      );
      failures = (await this.#tryFlush(signal)) ? 0 : failures + 1;
    }
  }

  /** Writes everything that waits, once; rejects as the store does. */
  async flush(signal: AbortSignal): Promise<void> {
    while (this.#dirty.size > 0) await this.#writeBatch(this.#take(), signal);
  }

  async #tryFlush(signal: AbortSignal): Promise<boolean> {
    try {
      await this.flush(signal);
      return true;
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      this.#metrics.recordFailures.inc();
      if (!(error instanceof StoreUnavailableError))
        this.#log.error({ event: 'node_write_failed', err: error });
      return false;
    }
  }

  #take(): RecordSource[] {
    const batch: RecordSource[] = [];
    for (const source of this.#dirty.values()) {
      batch.push(source);
      if (batch.length === MAX_BATCH) break;
    }
    for (const source of batch) this.#dirty.delete(source.serverId);
    return batch;
  }

  async #writeBatch(batch: readonly RecordSource[], signal: AbortSignal): Promise<void> {
    let results: readonly WriteResult[];
    try {
      results = await this.#store.put(
        batch.map((source) => putOf(source, this.#ttlMs)),
        { signal },
      );
    } catch (error) {
      // Whatever was marked meanwhile is newer.
      for (const source of batch)
        if (!this.#dirty.has(source.serverId)) this.#dirty.set(source.serverId, source);
      throw error;
    }
    const conflicts: RecordSource[] = [];
    for (const [index, source] of batch.entries()) {
      const result = results[index];
      if (result?.written === true) source.recordRevision = result.revision;
      else conflicts.push(source);
    }
    this.#metrics.recordWrites.inc(batch.length - conflicts.length);
    if (conflicts.length > 0) await this.#resolve(conflicts, signal);
  }

  /** Finds out who wrote: another session, or this one in a write whose answer was lost. */
  async #resolve(conflicts: readonly RecordSource[], signal: AbortSignal): Promise<void> {
    this.#metrics.recordConflicts.inc(conflicts.length);
    for (const source of conflicts) source.recordRevision = undefined;
    for (const source of await this.checkOwners(conflicts, signal)) {
      if (!this.#dirty.has(source.serverId)) this.mark(source);
    }
  }

  /**
   * Reads the records of these sessions, each of which has written its own, and tells each one whose
   * record is another session's. One that this version cannot read is: it was written by a newer one.
   *
   * @returns the others; those whose record the store has lost without a revision
   */
  async checkOwners(sources: readonly RecordSource[], signal: AbortSignal): Promise<RecordSource[]> {
    const keys = sources.map((source) => source.serverId);
    const found = await this.#store.getMany(keys, { signal });
    return sources.filter((source, index) => {
      const item = found[index];
      if (item?.state !== 'live') {
        source.recordRevision = undefined;
        return true;
      }
      const owner = this.#ownerOf(item);
      const own = owner?.sessionId === source.sessionId;
      if (own) source.recordRevision = item.revision;
      else {
        const authId = owner?.authId ?? 'an auth process of another version';
        source.superseded({ authId, sessionId: owner?.sessionId, remoteAddress: undefined });
      }
      return own;
    });
  }

  #ownerOf(item: {
    readonly key: string;
    readonly value: string;
  }): { readonly sessionId: string; readonly authId: string } | undefined {
    try {
      return decodeNodeRecord(item);
    } catch (error) {
      this.#log.warn({ event: 'node_record_unreadable', server_id: item.key, err: error });
      return undefined;
    }
  }

  #dropEnded(): void {
    for (const source of this.#dirty.values()) {
      if (!source.ended) continue;
      this.#dirty.delete(source.serverId);
      this.#metrics.recordsDropped.inc();
      return;
    }
  }
}

function putOf(source: RecordSource, ttlMs: number): Put {
  const put = { key: source.serverId, value: source.encodeRecord(), ttlMs };
  if (source.recordRevision !== undefined) return { ...put, expected: { revision: source.recordRevision } };
  // A session that is over takes nothing from a newer one.
  return source.ended ? { ...put, expected: { live: false } } : put;
}
