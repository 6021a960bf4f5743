import { MINUTE, SECOND, fullJitter, isAbort, sleep } from '@tagplane/runtime';
import type { Logger } from '@tagplane/runtime';
import { DISCOVERED_PREFIX, sweepPageSize } from '@tagplane/serverinfo';
import type { Entry, Store } from '@tagplane/store';
import type { ControlMetrics } from '../control/metrics.ts';
import { createGate } from '../control/wakeup.ts';

export interface SweepOptions {
  readonly store: Store;
  /** Takes over one ServerInfo; false: it failed for a node, which is tried again elsewhere. */
  readonly apply: (entry: Entry) => boolean;
  readonly metrics: ControlMetrics;
  readonly log: Logger;
  readonly now: () => number;
}

/** RFD 105: one page a second, start to start. */
const PAGE_INTERVAL_MS = SECOND;
/** A small fleet is swept once a minute, not once a second. */
const MIN_SWEEP_INTERVAL_MS = MINUTE;
/** As for all readers of a store that was away: it is swept again within 5 s of its return. */
const RETRY = { baseMs: SECOND, maxMs: 5 * SECOND };
/** A read that fails for longer than this leaves the change feed without its safety net. */
const MAX_FAILING_MS = MINUTE;
/** What one range may read; reached at 900,000 ServerInfos. */
const MAX_PAGE = 1_000;

/**
 * Ranges over all discovered ServerInfos for ever, a page a second, so that each comes by within 15
 * minutes whatever the change feed may have missed. A page that cannot be read is tried again; a node
 * that fails is left behind; neither stops the sweep or starts it over.
 */
export class Sweep {
  readonly #options: SweepOptions;
  readonly #kicked = createGate();
  /** Since when no read has succeeded, in Unix milliseconds, and why. */
  #failing: { readonly since: number; readonly reason: string } | undefined;

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  /** The next sweep begins at once, or when the one under way ends. */
  kick(): void {
    this.#kicked.open();
  }

  /** Why it does not get on; undefined when it does, or has only just stopped to. */
  get problem(): string | undefined {
    const failing = this.#failing;
    if (failing === undefined || this.#options.now() - failing.since < MAX_FAILING_MS) return undefined;
    return `ServerInfos cannot be swept: ${failing.reason}`;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { metrics, now, log } = this.#options;
    for (;;) {
      const startedAt = now();
      const swept = await this.#sweepOnce(signal);
      metrics.sweepSeconds.observe((now() - startedAt) / 1_000);
      log.debug({ event: 'sweep_completed', server_infos: swept, seconds: (now() - startedAt) / 1_000 });
      await this.#pause(startedAt + MIN_SWEEP_INTERVAL_MS - now(), signal);
    }
  }

  async #sweepOnce(signal: AbortSignal): Promise<number> {
    const { store, metrics } = this.#options;
    const count = await this.#retry('count', signal, () => store.count(DISCOVERED_PREFIX, { signal }));
    const limit = Math.min(MAX_PAGE, sweepPageSize(count));
    let swept = 0;
    let after: string | undefined;
    for (;;) {
      const startedAt = this.#options.now();
      const range = { prefix: DISCOVERED_PREFIX, limit, ...(after === undefined ? {} : { after }) };
      const page = await this.#retry('page', signal, () => store.range(range, { signal }));
      metrics.sweepPages.inc();
      swept += page.length;
      for (const entry of page) if (!this.#options.apply(entry)) metrics.sweepErrors('node');
      after = page.at(-1)?.key;
      if (page.length < limit || after === undefined) return swept;
      await sleep(Math.max(0, startedAt + PAGE_INTERVAL_MS - this.#options.now()), signal);
    }
  }

  async #retry<Result>(
    what: 'count' | 'page',
    signal: AbortSignal,
    read: () => Promise<Result>,
  ): Promise<Result> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const result = await read();
        this.#failing = undefined;
        return result;
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        const reason = error instanceof Error ? error.message : String(error);
        this.#failing = { since: this.#failing?.since ?? this.#options.now(), reason };
        this.#options.metrics.sweepErrors(what);
        const level = attempt === 0 ? 'warn' : 'debug';
        this.#options.log[level]({ event: 'sweep_read_failed', what, attempt, err: error });
        await sleep(fullJitter(attempt, RETRY), signal);
      }
    }
  }

  /** Until the time has passed or the sweep is kicked. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const onAbort = (): void => {
      stop.abort(signal.reason);
    };
    signal.throwIfAborted();
    signal.addEventListener('abort', onAbort, { once: true });
    const ended = (error: unknown): void => {
      if (!isAbort(error, stop.signal)) throw error;
    };
    const waits = [sleep(Math.max(0, ms), stop.signal), this.#kicked.passed(stop.signal)];
    try {
      await Promise.race(waits);
    } finally {
      signal.removeEventListener('abort', onAbort);
      stop.abort();
      await Promise.all(waits.map((wait) => wait.catch(ended)));
    }
    signal.throwIfAborted();
  }
}
