import {
  EXPRESS_BATCH_SIZE,
  MIN_BATCH_SIZE,
  RETRY_REFUSED_MS,
  UpsertQueue,
  draftOf,
  drawTtl,
  isOutdated,
  nextBatchSize,
} from '@tagplane/serverinfo';
import type { Batch, KnownServerInfos, Sent, Upsert, Work } from '@tagplane/serverinfo';
import { fitting } from './batch-bytes.ts';
import type { Dispatch, DispatchItem, ItemResult } from './dispatch.ts';
import { Latch } from './latch.ts';
import type { LossGate } from './loss-gate.ts';

interface OutboxParts {
  readonly known: KnownServerInfos;
  readonly losses: LossGate;
  readonly random: () => number;
}

/** What waits to be sent, the requests made of it, and what their answers mean. No I/O. */
export class Outbox {
  /** Opened when there may be something to send at the usual pace … */
  readonly work = new Latch();
  /** … and by the express lane. */
  readonly urgentWork = new Latch();
  readonly #queue = new UpsertQueue();
  readonly #known: KnownServerInfos;
  readonly #losses: LossGate;
  readonly #random: () => number;
  #era = 0;
  #batchSize = MIN_BATCH_SIZE;

  constructor({ known, losses, random }: OutboxParts) {
    this.#known = known;
    this.#losses = losses;
    this.#random = random;
  }

  get length(): number {
    return this.#queue.length;
  }
  /** Of those, what is not in the express lane. */
  get pacedLength(): number {
    return this.#queue.length - this.#queue.expressLength;
  }
  get expressLength(): number {
    return this.#queue.expressLength;
  }
  get inFlight(): number {
    return this.#queue.inFlight;
  }
  /** The store's life in which is planned now. */
  get era(): number {
    return this.#era;
  }

  /** The store has begun another life: answers from the one before say nothing. */
  beginEra(): void {
    this.#era += 1;
  }

  has(name: string): boolean {
    return this.#queue.has(name);
  }

  offer(work: Work): void {
    this.#queue.offer(work);
  }

  drop(name: string): void {
    this.#queue.drop(name);
  }

  wake(): void {
    if (this.pacedLength > 0) this.work.open();
    if (this.expressLength > 0) this.urgentWork.open();
  }

  /** The next request, with times to live drawn for it; undefined when nothing waits that may leave. */
  next(now: number): Dispatch | undefined {
    this.#batchSize = nextBatchSize(this.#batchSize, this.pacedLength);
    const batch = this.#take(now, () => this.#queue.take(this.#batchSize));
    const dispatch = batch && this.#dispatch(batch, now);
    // Nobody asks for the next batch of an empty queue: that it ran empty shows here only.
    if (this.pacedLength === 0) this.#batchSize = MIN_BATCH_SIZE;
    return dispatch;
  }

  /** As `next`, of the express lane. */
  nextUrgent(now: number): Dispatch | undefined {
    const batch = this.#take(now, () => this.#queue.takeExpress(EXPRESS_BATCH_SIZE));
    return batch && this.#dispatch(batch, now);
  }

  /** The auth service answered an upsert; `results` are in the order of its items. */
  answered(dispatch: Dispatch & { action: 'upsert' }, results: readonly ItemResult[], now: number): void {
    if (dispatch.era !== this.#era) {
      this.failed(dispatch);
      return;
    }
    const unanswered: string[] = [];
    for (const [index, { sent }] of dispatch.items.entries()) {
      const result = results[index];
      if (result === undefined || result.status === 'unanswered') unanswered.push(sent.name);
      else if (result.status === 'accepted') this.#accepted(sent);
      else this.#known.recordRefused(sent, now + RETRY_REFUSED_MS);
    }
    this.#queue.putBack(unanswered);
    this.#queue.settle(dispatch.items.map(({ sent }) => sent.name));
    this.wake();
  }

  /** The auth service removed these, or will not: either way their time to live does the rest. */
  deleted(dispatch: Dispatch & { action: 'delete' }): void {
    for (const name of dispatch.names) {
      if (dispatch.era === this.#era) this.#known.forget(name);
      this.#losses.deleted(name);
    }
    this.#queue.settle(dispatch.names);
    this.wake();
  }

  /** No answer, or none that can be relied on: everything waits again. */
  failed(dispatch: Dispatch): void {
    this.#queue.putBack(
      dispatch.action === 'delete' ? dispatch.names : dispatch.items.map(({ sent }) => sent.name),
    );
    this.wake();
  }

  /** A batch without what has waited (for an auth service that was away) until it was out of date. */
  #take(now: number, take: () => Batch | undefined): Batch | undefined {
    for (;;) {
      const batch = take();
      if (batch?.action !== 'upsert') return batch;
      const [outdated, work] = partition(batch.work, ({ found }) => isOutdated(found, now));
      this.#queue.settle(outdated.map(({ name }) => name));
      if (work.length > 0) return { action: 'upsert', work };
    }
  }

  #dispatch(batch: Batch, now: number): Dispatch {
    if (batch.action === 'delete') {
      const urgent = batch.work.filter((work) => work.urgent === true).length;
      return { action: 'delete', era: this.#era, names: batch.work.map((work) => work.name), urgent };
    }
    const count = fitting(batch.work);
    this.#queue.putBack(batch.work.slice(count).map((work) => work.name));
    const items = batch.work.slice(0, count).map((work) => this.#prepare(work, now));
    return { action: 'upsert', era: this.#era, items };
  }

  #prepare({ found, urgent, reason }: Upsert, now: number): DispatchItem {
    const ttlMs = drawTtl(this.#random);
    const { name, revision, packedLabels } = found;
    const sent = { name, revision, packedLabels, expiresAt: now + ttlMs };
    this.#known.recordSending(sent);
    const source = urgent === true ? 'event' : reason === 'renewal' ? undefined : 'poll';
    return { draft: draftOf(found, ttlMs), sent, source };
  }

  #accepted(sent: Sent): void {
    this.#known.recordAccepted(sent);
    this.#losses.accepted(sent);
  }
}

function partition<Item>(items: readonly Item[], test: (item: Item) => boolean): [Item[], Item[]] {
  const parts: [Item[], Item[]] = [[], []];
  for (const item of items) parts[test(item) ? 0 : 1].push(item);
  return parts;
}
