import { SECOND, deadline, isAbort, sleep } from '@tagplane/runtime';
import { LeaseLostError } from './fence.ts';
import type { Fence } from './fence.ts';
import { Inbox } from './inbox.ts';
import type { LeaseClient } from './lease-client.ts';
import { dueAt, firstLease, isUsable, next } from './lease-state.ts';
import type { Lease, LeaseEffect, LeaseEvent } from './lease-state.ts';
import type { LeaseReporter } from './lease-reporter.ts';

/** Of a question that is under way when the process is told to stop. */
const HURRY_MS = SECOND;
/** Nothing is due: something else will happen first. */
const LONG_MS = 60 * SECOND;

export interface LeaseLoopParts {
  readonly client: LeaseClient;
  /** Does the group's work, all of it, until the signal aborts; a fence of undefined: under no lease. */
  readonly runTerm: (fence: Fence | undefined, signal: AbortSignal) => Promise<void>;
  readonly reporter: LeaseReporter;
  /** Milliseconds of a clock that nobody sets; default that of the process. */
  readonly clock?: () => number;
}

/**
 * Has the group's work done while this replica holds its lease, and waits while another does. When the
 * signal aborts, the term ends first, and then the lease is given back.
 *
 * @throws what a term failed with; the lease has been given back then, too
 */
export async function runLeaseLoop(parts: LeaseLoopParts, signal: AbortSignal): Promise<void> {
  const loop = new LeaseLoop(parts);
  const onAbort = (): void => {
    loop.stop();
  };
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await loop.run();
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

interface Term {
  readonly token: bigint | undefined;
  readonly stop: AbortController;
}

class LeaseLoop {
  readonly #parts: LeaseLoopParts;
  readonly #clock: () => number;
  readonly #inbox = new Inbox<LeaseEvent>();
  /** Questions and terms under way; each puts an event when it ends. */
  readonly #tasks = new Set<Promise<void>>();
  #lease: Lease;
  #term: Term | undefined;
  #question: AbortController | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(parts: LeaseLoopParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? (() => performance.now());
    this.#lease = firstLease(this.#clock());
  }

  stop(): void {
    this.#inbox.put({ type: 'stop' });
  }

  async run(): Promise<void> {
    while (this.#lease.phase !== 'over') {
      const event = await this.#nextEvent();
      const before = this.#lease;
      const { lease, effects } = next(before, event, this.#clock());
      this.#lease = lease;
      for (const effect of effects) this.#carryOut(effect);
      this.#parts.reporter.changed(before, lease);
    }
    await Promise.all(this.#tasks);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #nextEvent(): Promise<LeaseEvent> {
    const due = dueAt(this.#lease);
    const wait = due === undefined ? LONG_MS : Math.max(0, due - this.#clock());
    using limit = deadline(new AbortController().signal, wait);
    return (await this.#inbox.take(limit.signal)) ?? { type: 'due' };
  }

  #carryOut(effect: LeaseEffect): void {
    switch (effect.do) {
      case 'ask':
        this.#start(this.#ask(effect.token));
        return;
      case 'hurry':
        this.#start(this.#hurry(this.#question));
        return;
      case 'begin':
        this.#start(this.#runTerm(effect.token));
        return;
      case 'end':
        this.#endTerm(effect.reason);
        return;
      case 'release':
        this.#start(this.#release(effect.token));
    }
  }

  #start(task: Promise<void>): void {
    const owned = task.finally(() => this.#tasks.delete(owned));
    this.#tasks.add(owned);
  }

  async #ask(token: bigint): Promise<void> {
    const question = new AbortController();
    this.#question = question;
    const askedAt = this.#clock();
    const answer = await this.#parts.client.hold(token, question.signal);
    this.#question = undefined;
    question.abort(new Error('answered'));
    this.#inbox.put(answer.type === 'held' ? { ...answer, askedAt } : answer);
  }

  async #hurry(question: AbortController | undefined): Promise<void> {
    if (question === undefined) return;
    await sleep(HURRY_MS, question.signal).catch(() => undefined);
    question.abort(new Error('the process stops'));
  }

  async #release(token: bigint): Promise<void> {
    this.#parts.reporter.released(await this.#parts.client.release(token));
    this.#inbox.put({ type: 'released' });
  }

  async #runTerm(token: bigint | undefined): Promise<void> {
    const term: Term = { token, stop: new AbortController() };
    this.#term = term;
    this.#parts.reporter.begun(token);
    try {
      await this.#parts.runTerm(token === undefined ? undefined : this.#fence(token, term), term.stop.signal);
    } catch (error) {
      if (!isAbort(error, term.stop.signal)) this.#failure = { error };
    }
    this.#term = undefined;
    this.#inbox.put({ type: 'term-ended' });
    if (this.#failure !== undefined) this.stop();
  }

  #endTerm(reason: (LeaseEffect & { do: 'end' })['reason']): void {
    this.#parts.reporter.ended(reason);
    this.#term?.stop.abort(new LeaseLostError(`the lease is over: ${reason}`));
  }

  #fence(token: bigint, term: Term): Fence {
    const { signal } = term.stop;
    const end = (reason: 'refused' | 'overdue', cause?: unknown): void => {
      if (signal.aborted) return;
      term.stop.abort(new LeaseLostError(`the lease is over: ${reason}`, { cause }));
      this.#inbox.put({ type: 'void', reason });
    };
    return {
      group: this.#parts.client.group,
      token,
      check: () => {
        if (!isUsable(this.#lease, token, this.#clock())) end('overdue');
        signal.throwIfAborted();
      },
      refused: (cause) => {
        end('refused', cause);
        return signal.reason as unknown;
      },
    };
  }
}
