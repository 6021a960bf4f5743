import type { Writable } from 'node:stream';
import { SECOND, durationField, errorMessage, runTasks, sleep } from '@tagplane/runtime';
import type { Logger, Registry } from '@tagplane/runtime';
import type { Store } from '@tagplane/store';
import { z } from 'zod';
import type { Audit, AuditRecord } from './audit.ts';
import { createEventIds } from './event-id.ts';
import { cleanRecord, eventLine, storedEvent } from './event.ts';
import type { AuditEvent, CleanRecord } from './event.ts';
import { Lane } from './lane.ts';
import type { LaneOptions } from './lane.ts';
import { LikeEvents } from './like-events.ts';
import type { Counted } from './like-events.ts';
import { createAuditMetrics } from './metrics.ts';
import type { AuditMetrics } from './metrics.ts';
import { openOutput } from './output.ts';
import { AuditTails } from './tail.ts';
import type { TailRequest } from './tail.ts';

/** The configuration of the audit log: `audit: {path, retention}`; the retention comes out as milliseconds. */
export const auditField = z.strictObject({
  path: z
    .string()
    .min(1)
    .default('-')
    .describe('where audit events are written, one line of JSON each: a file, or - for standard output'),
  retention: durationField({ min: '1m', max: '365d' })
    .prefault('7d')
    .describe('how long the store keeps a copy of audit events, for tagctl audit tail'),
});

export interface AuditLogOptions {
  /** Of audit events. */
  readonly store: Store;
  /** Name of this auth process. */
  readonly authId: string;
  /** `-`: standard output; else a file. */
  readonly output: string;
  /** How long the store keeps its copies; milliseconds. */
  readonly retentionMs: number;
  readonly log: Logger;
  readonly registry: Registry;
  /** Unix milliseconds; default Date.now. */
  readonly now?: () => number;
  /** What `-` stands for; default process.stdout. */
  readonly stdout?: Writable;
  /** Events that may wait for each of output and store; default 10,000. */
  readonly queueLength?: number;
}

export interface AuditLog extends Audit {
  /** Writes events until the signal aborts; outages are waited out. */
  run(signal: AbortSignal): Promise<void>;
  /** Writes all that is there, counted repeats included: for the end. Never rejects; what fails is logged. */
  flush(signal: AbortSignal): Promise<void>;
  /**
   * Events of every auth process, in batches, until the signal aborts or, without `follow`, the past has
   * been read. An empty batch: the past has been sent, or nothing happened for a while. Undefined: too
   * many tails are open. Rejects with StoreUnavailableError while the past cannot be read.
   */
  tail(request: TailRequest, signal: AbortSignal): AsyncIterable<readonly AuditEvent[]> | undefined;
}

/** How often counted repeats are looked at. */
const REPEATS_INTERVAL_MS = SECOND;

/** @throws ConfigError that names `audit.path` when the file cannot be opened */
export function createAuditLog(options: AuditLogOptions): AuditLog {
  return new Log(options);
}

class Log implements AuditLog {
  readonly #options: AuditLogOptions;
  readonly #now: () => number;
  readonly #nextId = createEventIds();
  readonly #metrics: AuditMetrics;
  readonly #like: LikeEvents;
  readonly #lanes: readonly Lane[];
  readonly #tails: AuditTails;

  constructor(options: AuditLogOptions) {
    const { store, log, now = () => Date.now() } = options;
    this.#options = options;
    this.#now = now;
    this.#metrics = createAuditMetrics(options.registry);
    this.#like = new LikeEvents(now());
    const write = openOutput(options.output, options.stdout);
    this.#lanes = [
      this.#lane('output', (events) => write(events.map(eventLine).join(''))),
      this.#lane('store', (events, signal) => this.#put(events, signal)),
    ];
    this.#tails = new AuditTails({ store, now, log });
  }

  record(event: AuditRecord): void {
    try {
      const clean = cleanRecord(event);
      this.#metrics.event(clean.code);
      const now = this.#now();
      if (!isRepeatable(clean) || this.#like.offer(clean, now)) this.#write({ record: clean, count: 1 });
    } catch (error) {
      this.#options.log.error({ event: 'audit_record_failed', code: event.code, err: errorMessage(error) });
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    const [output, store] = this.#lanes;
    await runTasks(signal, {
      output: async (stop) => output?.run(stop),
      store: async (stop) => store?.run(stop),
      repeats: (stop) => this.#countRepeats(stop),
    });
  }

  async flush(signal: AbortSignal): Promise<void> {
    for (const counted of this.#like.takeAll()) this.#write(counted);
    // A lane that fails has logged it.
    await Promise.all(this.#lanes.map((lane) => lane.flush(signal).catch(() => undefined)));
  }

  tail(request: TailRequest, signal: AbortSignal): AsyncIterable<readonly AuditEvent[]> | undefined {
    return this.#tails.open(request, signal);
  }

  #lane(name: 'output' | 'store', write: LaneOptions['write']): Lane {
    const { log, queueLength } = this.#options;
    return new Lane({
      name,
      write,
      lostEvent: (count) => this.#event({ record: lostRecord(name), count }),
      metrics: this.#metrics[name],
      log,
      ...(queueLength === undefined ? {} : { limit: queueLength }),
    });
  }

  async #put(events: readonly AuditEvent[], signal: AbortSignal): Promise<void> {
    const { store, retentionMs: ttlMs } = this.#options;
    await store.put(
      events.map((event) => ({ key: event.id, value: storedEvent(event), ttlMs })),
      { signal },
    );
  }

  async #countRepeats(signal: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(REPEATS_INTERVAL_MS, signal);
      for (const counted of this.#like.due(this.#now())) this.#write(counted);
    }
  }

  #write(counted: Counted): void {
    const event = this.#event(counted);
    for (const lane of this.#lanes) lane.offer(event);
  }

  #event({ record, count }: Counted): AuditEvent {
    const time = this.#now();
    return { ...record, id: this.#nextId(time), time, authId: this.#options.authId, count };
  }
}

/** Whatever a stranger can cause as often as he likes, and what agents, of which there are many, cause. */
function isRepeatable({ code, result }: CleanRecord): boolean {
  return result !== 'ok' || code.startsWith('agent.');
}

function lostRecord(to: string): CleanRecord {
  return {
    code: 'audit.lost',
    result: 'failed',
    actor: '',
    remoteAddress: '',
    reason: 'they could not be written fast enough',
    subjects: [],
    details: { to },
  };
}
