import { SECOND, errorMessage, fullJitter, isAbort, sleep } from '@tagplane/runtime';
import type { Logger } from '@tagplane/runtime';
import { createGate } from '../control/wakeup.ts';
import type { AuditEvent } from './event.ts';
import type { LaneMetrics } from './metrics.ts';

/** Events that wait; at 1 KB each, 10 MB. */
export const LANE_LIMIT = 10_000;
/** Events within this become one write. */
const GATHER_MS = 100;
const MAX_BATCH = 500;
const RETRY = { baseMs: 200, maxMs: 5 * SECOND };

export interface LaneOptions {
  /** Where it leads, for the log. */
  readonly name: 'output' | 'store';
  /** Writes all of them or rejects; then they are given to it again, so what is there may come twice. */
  readonly write: (events: readonly AuditEvent[], signal: AbortSignal) => Promise<void>;
  /** Makes the event that says how many were lost. */
  readonly lostEvent: (count: number) => AuditEvent;
  readonly metrics: LaneMetrics;
  readonly log: Logger;
  readonly limit?: number;
}

/**
 * Events on their way to one place, in order and in batches. A place that takes none is tried again; what
 * does not fit meanwhile is counted, and the number follows as an event of its own.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #limit: number;
  readonly #queue: AuditEvent[] = [];
  readonly #gate = createGate();
  #lost = 0;
  #failures = 0;
  /** One write at a time. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#limit = options.limit ?? LANE_LIMIT;
  }

  offer(event: AuditEvent): void {
    if (this.#queue.length >= this.#limit) {
      this.#lost += 1;
      this.#options.metrics.lost.inc();
      return;
    }
    this.#queue.push(event);
    this.#gate.open();
  }

  /** Writes until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      if (this.#queue.length === 0) await this.#gate.passed(signal);
      await sleep(GATHER_MS + (this.#failures === 0 ? 0 : fullJitter(this.#failures, RETRY)), signal);
      try {
        await this.flush(signal);
      } catch (error) {
        // Counted and logged where it happened.
        if (isAbort(error, signal)) throw error;
      }
    }
  }

  /** Writes all that waits, once; rejects as the place does, and keeps what it did not take. */
  flush(signal: AbortSignal): Promise<void> {
    const done = this.#last.then(() => this.#writeAll(signal));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #writeAll(signal: AbortSignal): Promise<void> {
    while (this.#queue.length > 0) {
      signal.throwIfAborted();
      const batch = this.#queue.slice(0, MAX_BATCH);
      try {
        await this.#options.write(batch, signal);
      } catch (error) {
        if (!isAbort(error, signal)) this.#onFailure(error);
        throw error;
      }
      this.#queue.splice(0, batch.length);
      this.#onSuccess();
    }
  }

  #onSuccess(): void {
    if (this.#failures > 0)
      this.#options.log.info({ event: 'audit_write_recovered', to: this.#options.name });
    this.#failures = 0;
    if (this.#lost === 0) return;
    this.#queue.push(this.#options.lostEvent(this.#lost));
    this.#lost = 0;
  }

  #onFailure(error: unknown): void {
    const { metrics, log, name } = this.#options;
    metrics.failures.inc();
    // One line for an outage, not one a second.
    const level = this.#failures === 0 ? 'error' : 'debug';
    log[level]({
      event: 'audit_write_failed',
      to: name,
      waiting: this.#queue.length,
      err: errorMessage(error),
    });
    this.#failures += 1;
  }
}
