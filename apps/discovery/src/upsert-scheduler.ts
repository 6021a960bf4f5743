import {
  EXPRESS_BATCH_SIZE,
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
import type { DiscoveredInstance } from '@tagplane/ec2';
import type { InstanceKey } from '@tagplane/identity';
import { fitting } from './batch-bytes.ts';
import type { Scope, ScopeSet } from './estate/scope.ts';
import { Inventory } from './inventory.ts';
import type { InventoryInstance, ScopeFindings } from './inventory.ts';
import { Latch } from './latch.ts';
import { LossGate } from './loss-gate.ts';
import { observed } from './observed.ts';

/** One request to make. `era` is the store's life in which it was planned. */
export type Dispatch =
  | { readonly action: 'upsert'; readonly era: number; readonly items: readonly DispatchItem[] }
  | {
      readonly action: 'delete';
      readonly era: number;
      readonly names: readonly string[];
      /** How many of them came ahead of a scan. */
      readonly urgent: number;
    };

export interface DispatchItem {
  readonly draft: ServerInfoDraft;
  readonly sent: Sent;
  /** How the change was learned of; undefined for a renewal. */
  readonly source: 'event' | 'poll' | undefined;
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
  /** Opened when there may be something to send at the usual pace … */
  readonly work = new Latch();
  /** … and by the express lane. */
  readonly urgentWork = new Latch();
  readonly #scopes: ScopeSet;
  readonly #inventory: Inventory;
  readonly #known = new KnownServerInfos();
  readonly #queue = new UpsertQueue();
  /** What would take labels away waits here for leave. */
  readonly losses: LossGate;
  /** What waits for leave and is urgent. */
  readonly #urgent = new Set<string>();
  readonly #random: () => number;
  #epoch = '';
  #era = 0;
  #warm = false;
  #batchSize = MIN_BATCH_SIZE;

  constructor(random: () => number, scopes: ScopeSet) {
    this.#random = random;
    this.#scopes = scopes;
    this.#inventory = new Inventory(scopes);
    this.losses = new LossGate(scopes, this.#known, this.#inventory);
  }

  get isWarm(): boolean {
    return this.#warm;
  }
  get queueLength(): number {
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
  /** Whether something is still to become of this name: sent, answered, or allowed. */
  isWaiting(name: string): boolean {
    return this.#queue.has(name) || this.#urgent.has(name);
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

  /** Every instance that was found, once. */
  instances(): Iterable<InventoryInstance> {
    return this.#inventory.instances();
  }

  /**
   * A scope's scan is complete.
   *
   * @param findings the caller's no longer
   * @param scannedFrom when EC2 was asked first: what a targeted look asked after that stands
   */
  scanned(scope: string, findings: Map<string, FoundInstance>, scannedFrom: number, now: number): void {
    const gone = this.#inventory.replace(scope, findings, scannedFrom);
    for (const name of gone) this.#queue.drop(name);
    if (!this.#warm) return;
    this.#plan(this.#wordsOn(findings.keys()), now);
    this.losses.scanned(scope);
  }

  /**
   * A targeted look: instances as EC2 described them, whatever the filters of the scope it was asked through,
   * and those of the asked that it does not know. It counts for all scopes of their places, against every
   * scan that asked before it did. What it makes due is urgent.
   */
  observed(
    scope: Scope,
    instances: readonly DiscoveredInstance[],
    missing: readonly InstanceKey[],
    askedAt: number,
    now: number,
  ): void {
    const parts = { scopes: this.#scopes, inventory: this.#inventory };
    const names = observed(parts, scope, { instances, missing, askedAt });
    for (const name of names) if (this.#inventory.find(name) === undefined) this.#queue.drop(name);
    if (!this.#warm) return;
    this.#plan(this.#wordsOn(names), now, true);
    this.losses.ask();
  }

  /** A scope is no more: nothing is renewed that no other has, and nothing is taken away. */
  left(scope: string): void {
    for (const name of this.#inventory.remove(scope)) this.#queue.drop(name);
  }

  /** Leave was given for this. */
  grant(loss: ScopeLoss, now: number): void {
    for (const name of this.losses.grant(loss, now)) this.#offerOne(name, now);
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
        if (!this.#queue.has(name)) this.#offerOne(name, now);
      } else if (known.state !== 'unsure') {
        const due = known.state === 'accepted' ? known.expiresAt - RENEW_BEFORE_MS : known.retryAt;
        next = Math.min(next ?? due, due);
      }
    }
    this.#wake();
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
    this.losses.accepted(sent);
  }

  #plan(found: Iterable<FoundInstance>, now: number, urgent = false): void {
    const plan = planUpserts(this.#known, found, now);
    for (const name of plan.settled) {
      this.#queue.drop(name);
      this.#urgent.delete(name);
      const settled = this.#inventory.find(name);
      if (settled === undefined) continue;
      this.#known.share(settled);
      this.losses.settle(settled);
    }
    for (const work of plan.due) this.#offer(urgent ? { ...work, urgent } : work);
    this.#wake();
  }

  /** The words that count on instances. */
  *#wordsOn(names: Iterable<string>): Iterable<FoundInstance> {
    for (const name of names) {
      const found = this.#inventory.find(name);
      if (found !== undefined) yield found;
    }
  }

  /** What may not leave takes the place of what was queued for it: old labels are not renewed either. */
  #offer(work: Work): void {
    const { name } = work;
    if (this.losses.admit(work)) {
      this.#urgent.delete(name);
      this.#queue.offer(work);
    } else {
      this.#queue.drop(name);
      if (work.urgent === true) this.#urgent.add(name);
    }
  }

  #offerOne(name: string, now: number): void {
    const found = this.#inventory.find(name);
    const work = found && planInstance(this.#known.get(name), found, now);
    if (work !== undefined) this.#offer(this.#urgent.has(name) ? { ...work, urgent: true } : work);
  }

  #wake(): void {
    if (this.pacedLength > 0) this.work.open();
    if (this.expressLength > 0) this.urgentWork.open();
  }
}

function partition<Item>(items: readonly Item[], test: (item: Item) => boolean): [Item[], Item[]] {
  const parts: [Item[], Item[]] = [[], []];
  for (const item of items) parts[test(item) ? 0 : 1].push(item);
  return parts;
}
