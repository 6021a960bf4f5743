import { MINUTE, SECOND, isAbort } from '@tagplane/runtime';
import type { Logger } from '@tagplane/runtime';
import { followFeed } from '@tagplane/store';
import type { Change, Store } from '@tagplane/store';
import { eventIdFloor } from './event-id.ts';
import { decodeEvent } from './event.ts';
import type { AuditEvent } from './event.ts';
import { createHandover } from './handover.ts';
import type { Handover } from './handover.ts';
import { RecentIds } from './recent-ids.ts';

export interface TailRequest {
  /** How far back, in milliseconds; undefined: from now on. */
  readonly sinceMs: number | undefined;
  /** Go on with new events. */
  readonly follow: boolean;
  /** Only codes that begin with this. */
  readonly codePrefix: string;
}

export interface TailOptions {
  readonly store: Store;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly log: Logger;
  /** Default 16: people, and a few programs that gather logs. */
  readonly maxTails?: number;
}

type Batch = readonly AuditEvent[];

/** Events of one batch: at most 16 KB each. */
const READ_SIZE = 100;
/** A client, or a proxy between, must not take a quiet tail for a dead one. */
const IDLE_MS = 20 * SECOND;
/** A feed that begins anew is read again from so long before its last event: the clocks of auth processes may differ. */
const OVERLAP_MS = MINUTE;

/** The readers of the audit events in the store. */
export class AuditTails {
  readonly #options: TailOptions;
  #open = 0;

  constructor(options: TailOptions) {
    this.#options = options;
  }

  /** Undefined when too many are open. */
  open(request: TailRequest, signal: AbortSignal): AsyncIterable<Batch> | undefined {
    if (this.#open >= (this.#options.maxTails ?? 16)) return undefined;
    return this.#run(request, signal);
  }

  async *#run(request: TailRequest, signal: AbortSignal): AsyncGenerator<Batch, void> {
    this.#open += 1;
    try {
      const reader = new Reader(this.#options, request);
      yield* request.follow ? reader.follow(signal) : reader.past(signal);
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    } finally {
      this.#open -= 1;
    }
  }
}

class Reader {
  readonly #options: TailOptions;
  readonly #request: TailRequest;
  readonly #sent = new RecentIds();
  /** Everything from here on is to be sent. */
  #from: number;

  constructor(options: TailOptions, request: TailRequest) {
    this.#options = options;
    this.#request = request;
    this.#from = options.now() - (request.sinceMs ?? 0);
  }

  async *past(signal: AbortSignal): AsyncGenerator<Batch, void> {
    if (this.#request.sinceMs !== undefined) {
      for await (const batch of this.#range(signal)) yield batch;
    }
    yield [];
  }

  /** The feed waits for the reader: never more than one batch is held. */
  async *follow(signal: AbortSignal): AsyncGenerator<Batch, void> {
    const stop = new AbortController();
    const end = AbortSignal.any([signal, stop.signal]);
    const handover = createHandover<Batch>();
    const following = this.#followFeed(handover, end).finally(() => {
      handover.end();
    });
    try {
      for (;;) {
        const batch = await handover.take(IDLE_MS);
        if (batch === 'ended') break;
        yield batch === 'nothing' ? [] : batch;
      }
      await following;
    } finally {
      stop.abort();
      await following.catch(() => undefined);
    }
  }

  async #followFeed(handover: Handover<Batch>, signal: AbortSignal): Promise<void> {
    let first = true;
    await followFeed(
      this.#options.store,
      {
        reset: async () => {
          if (!first || this.#request.sinceMs !== undefined) {
            for await (const batch of this.#range(signal)) await handover.put(batch, signal);
          }
          if (first) await handover.put([], signal);
          first = false;
        },
        changes: async (changes) => {
          for (const batch of await this.#changed(changes, signal)) await handover.put(batch, signal);
        },
        unavailable: (error) => {
          this.#options.log.debug({ event: 'audit_tail_waits', err: error });
        },
      },
      { signal },
    );
  }

  async *#range(signal: AbortSignal): AsyncGenerator<Batch, void> {
    let after = eventIdFloor(this.#from);
    for (;;) {
      const entries = await this.#options.store.range({ prefix: '', after, limit: READ_SIZE }, { signal });
      const batch = this.#wanted(entries);
      if (batch.length > 0) yield batch;
      const last = entries.at(-1);
      if (last === undefined || entries.length < READ_SIZE) return;
      after = last.key;
    }
  }

  async #changed(changes: readonly Change[], signal: AbortSignal): Promise<Batch[]> {
    const keys = changes.filter(({ type }) => type === 'put').map(({ key }) => key);
    const batches: Batch[] = [];
    for (let start = 0; start < keys.length; start += READ_SIZE) {
      const found = await this.#options.store.getMany(keys.slice(start, start + READ_SIZE), { signal });
      batches.push(this.#wanted(found.filter((item) => item.state === 'live')));
    }
    return batches.filter((batch) => batch.length > 0);
  }

  /** What is new among these and was asked for. */
  #wanted(entries: readonly { readonly key: string; readonly value: string }[]): Batch {
    const events: AuditEvent[] = [];
    for (const { key, value } of entries) {
      const event = this.#sent.add(key) ? decodeEvent(value) : undefined;
      if (event === undefined) continue;
      this.#from = Math.max(this.#from, event.time - OVERLAP_MS);
      if (event.code.startsWith(this.#request.codePrefix)) events.push(event);
    }
    return events;
  }
}
