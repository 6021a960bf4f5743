import {
  KnownServerInfos,
  MIN_BATCH_SIZE,
  RENEW_BEFORE_MS,
  RETRY_REFUSED_MS,
  UpsertQueue,
  draftOf,
  drawTtl,
  isOutdated,
  isTimeUp,
  nextBatchSize,
  planInstance,
  planUpserts,
} from '@tagplane/serverinfo';
import type {
  Batch,
  FoundInstance,
  ScopeLoss,
  Sent,
  ServerInfoDraft,
  Upsert,
  Work,
} from '@tagplane/serverinfo';
import { fitting } from './batch-bytes.ts';
import { Inventory } from './inventory.ts';
import type { ScopeFindings } from './inventory.ts';
import { Latch } from './latch.ts';
import { LossGate } from './loss-gate.ts';
import type { ScanPlace } from './loss-gate.ts';

/** One request to make. `era` is the store's life in which it was planned. */
export type Dispatch =
  | { readonly action: 'upsert'; readonly era: number; readonly items: readonly DispatchItem[] }
  | { readonly action: 'delete'; readonly era: number; readonly names: readonly string[] };

export interface DispatchItem {
  readonly draft: ServerInfoDraft;
  readonly sent: Sent;
}

/** What the auth service said of one item; `unanswered` when it said nothing of it. */
export type ItemResult =
  | { readonly status: 'accepted' }
  | { readonly status: 'invalid' | 'denied'; readonly reason: string }
  | { readonly status: 'unanswered' };

/**
 * Decides what to send and keeps what was accepted: the state between the scans, the renewals and the
 * requests, and no I/O. Nothing is planned before `warm`, so that a restart sends nothing twice. What would
 * take labels away is queued once leave was given for it.
 */
export class UpsertScheduler {
  /** Opened when there may be something to send. */
  readonly work = new Latch();
  readonly #inventory = new Inventory();
  readonly #known = new KnownServerInfos();
  readonly #queue = new UpsertQueue();
  /** What would take labels away waits here for leave. */
  readonly losses: LossGate;
  readonly #random: () => number;
  #epoch = '';
  #era = 0;
  #warm = false;
  #batchSize = MIN_BATCH_SIZE;

  constructor(random: () => number, places: readonly ScanPlace[] = []) {
    this.#random = random;
    this.losses = new LossGate(places, this.#known, this.#inventory);
  }

  get isWarm(): boolean {
    return this.#warm;
  }
  get queueLength(): number {
    return this.#queue.length;
  }
  get inFlight(): number {
    return this.#queue.inFlight;
  }
  get knownSize(): number {
    return this.#known.size;
  }
  get era(): number {
    return this.#era;
  }

  /** What the scope's last complete scan found. */
  findings(scope: string): ScopeFindings {
    return this.#inventory.of(scope);
  }

  /** What the auth service holds from this discovery already, and the store's epoch. */
  warm(held: Iterable<Sent>, epoch: string, now: number): void {
    for (const item of held) this.#known.recordAccepted(item);
    this.#epoch = epoch;
    this.#warm = true;
    this.#plan(this.#inventory.all(), now);
    this.losses.scanned();
  }

  /** A scope's scan is complete. */
  scanned(scope: string, findings: ScopeFindings, now: number): void {
    const gone = this.#inventory.replace(scope, findings);
    for (const name of gone) this.#queue.drop(name);
    // A scope of the same region may have asked EC2 later: its word stands.
    const latest = findings.values().filter((found) => this.#inventory.find(found.name) === found);
    if (!this.#warm) return;
    this.#plan(latest, now);
    this.losses.scanned(scope);
  }

  /** Leave was given for this. */
  grant(loss: ScopeLoss, now: number): void {
    for (const name of this.losses.grant(loss, now)) {
      const found = this.#inventory.find(name);
      const work = found && planInstance(this.#known.get(name), found, now);
      if (work !== undefined) this.#offer(work);
    }
    this.#wake();
  }

  /**
   * Queues what time alone has made due.
   *
   * @returns when the next item will be due, or undefined when none is known
   */
  renew(now: number): number | undefined {
    this.#known.prune(now);
    let next: number | undefined;
    for (const [name, known] of this.#known.entries()) {
      if (isTimeUp(known, now)) {
        if (!this.#queue.has(name)) this.#renewOne(name, now);
      } else if (known.state !== 'unsure') {
        const due = known.state === 'accepted' ? known.expiresAt - RENEW_BEFORE_MS : known.retryAt;
        next = Math.min(next ?? due, due);
      }
    }
    if (this.#queue.length > 0) this.work.open();
    return next;
  }

  /**
   * The store's epoch, from an answer to a request of this era. A new epoch means that the store was
   * found empty: everything found is planned anew. An answer from an earlier era says nothing.
   *
   * @returns whether the epoch is new
   */
  observeEpoch(epoch: string, era: number, now: number): boolean {
    if (era !== this.#era || epoch === '' || epoch === this.#epoch) return false;
    const first = this.#epoch === '';
    this.#epoch = epoch;
    if (first) return false;
    this.#era += 1;
    this.#known.forgetAll();
    this.#plan(this.#inventory.all(), now);
    return true;
  }

  /** The next request, with times to live drawn for it; undefined when nothing waits that may leave. */
  next(now: number): Dispatch | undefined {
    this.#batchSize = nextBatchSize(this.#batchSize, this.#queue.length);
    const batch = this.#take(now);
    const dispatch = batch && this.#dispatch(batch, now);
    // Nobody asks for the next batch of an empty queue: that it ran empty shows here only.
    if (this.#queue.length === 0) this.#batchSize = MIN_BATCH_SIZE;
    return dispatch;
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
    this.#wake();
  }

  /** The auth service removed these, or will not: either way their time to live does the rest. */
  deleted(dispatch: Dispatch & { action: 'delete' }): void {
    for (const name of dispatch.names) {
      if (dispatch.era === this.#era) this.#known.forget(name);
      this.losses.deleted(name);
    }
    this.#queue.settle(dispatch.names);
    this.#wake();
  }

  /** No answer, or none that can be relied on: everything waits again. */
  failed(dispatch: Dispatch): void {
    this.#queue.putBack(
      dispatch.action === 'delete' ? dispatch.names : dispatch.items.map(({ sent }) => sent.name),
    );
    this.#wake();
  }

  /** A batch without what has waited (for an auth service that was away) until it was out of date. */
  #take(now: number): Batch | undefined {
    for (;;) {
      const batch = this.#queue.take(this.#batchSize);
      if (batch?.action !== 'upsert') return batch;
      const [outdated, work] = partition(batch.work, ({ found }) => isOutdated(found, now));
      this.#queue.settle(outdated.map(({ name }) => name));
      if (work.length > 0) return { action: 'upsert', work };
    }
  }

  #dispatch(batch: Batch, now: number): Dispatch {
    if (batch.action === 'delete') {
      return { action: 'delete', era: this.#era, names: batch.work.map((work) => work.name) };
    }
    const count = fitting(batch.work);
    this.#queue.putBack(batch.work.slice(count).map((work) => work.name));
    const items = batch.work.slice(0, count).map((work) => this.#prepare(work, now));
    return { action: 'upsert', era: this.#era, items };
  }

  #prepare({ found }: Upsert, now: number): DispatchItem {
    const ttlMs = drawTtl(this.#random);
    const { name, revision, packedLabels } = found;
    const sent = { name, revision, packedLabels, expiresAt: now + ttlMs };
    this.#known.recordSending(sent);
    return { draft: draftOf(found, ttlMs), sent };
  }

  #accepted(sent: Sent): void {
    this.#known.recordAccepted(sent);
    this.losses.accepted(sent);
  }

  #plan(found: Iterable<FoundInstance>, now: number): void {
    const plan = planUpserts(this.#known, found, now);
    for (const name of plan.settled) {
      this.#queue.drop(name);
      const settled = this.#inventory.find(name);
      if (settled === undefined) continue;
      this.#known.share(settled);
      this.losses.settle(settled);
    }
    for (const work of plan.due) this.#offer(work);
    this.#wake();
  }

  /** What may not leave takes the place of what was queued for it: old labels are not renewed either. */
  #offer(work: Work): void {
    if (this.losses.admit(work)) this.#queue.offer(work);
    else this.#queue.drop(work.name);
  }

  #renewOne(name: string, now: number): void {
    const found = this.#inventory.find(name);
    const work = found && planInstance(this.#known.get(name), found, now);
    if (work !== undefined) this.#offer(work);
  }

  #wake(): void {
    if (this.#queue.length > 0) this.work.open();
  }
}

function partition<Item>(items: readonly Item[], test: (item: Item) => boolean): [Item[], Item[]] {
  const parts: [Item[], Item[]] = [[], []];
  for (const item of items) parts[test(item) ? 0 : 1].push(item);
  return parts;
}
