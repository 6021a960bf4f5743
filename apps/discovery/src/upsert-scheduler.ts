import type { DiscoveredInstance } from '@tagplane/ec2';
import type { InstanceKey } from '@tagplane/identity';
import { KnownServerInfos, RENEW_BEFORE_MS, isTimeUp, planInstance, planUpserts } from '@tagplane/serverinfo';
import type { FoundInstance, ScopeLoss, Sent, Work } from '@tagplane/serverinfo';
import type { Scope, ScopeSet } from './estate/scope.ts';
import { Inventory } from './inventory.ts';
import type { InventoryInstance, ScopeFindings } from './inventory.ts';
import { LossGate } from './loss-gate.ts';
import { observed } from './observed.ts';
import { Outbox } from './outbox.ts';

/**
 * Decides what to send and keeps what was accepted: the state between the scans, the renewals and the
 * requests, and no I/O. Nothing is planned before `warm`, so that a restart sends nothing twice. What would
 * take labels away is queued once leave was given for it.
 */
export class UpsertScheduler {
  /** What is sent, once it is due. */
  readonly outbox: Outbox;
  readonly #scopes: ScopeSet;
  readonly #inventory: Inventory;
  readonly #known = new KnownServerInfos();
  /** What would take labels away waits here for leave. */
  readonly losses: LossGate;
  /** What waits for leave and is urgent. */
  readonly #urgent = new Set<string>();
  #epoch = '';
  #warm = false;

  constructor(random: () => number, scopes: ScopeSet) {
    this.#scopes = scopes;
    this.#inventory = new Inventory(scopes);
    this.losses = new LossGate(scopes, this.#known, this.#inventory);
    this.outbox = new Outbox({ known: this.#known, losses: this.losses, random });
  }

  get isWarm(): boolean {
    return this.#warm;
  }
  /** Whether something is still to become of this name: sent, answered, or allowed. */
  isWaiting(name: string): boolean {
    return this.outbox.has(name) || this.#urgent.has(name);
  }
  get knownSize(): number {
    return this.#known.size;
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
    for (const name of gone) this.outbox.drop(name);
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
    for (const name of names) if (this.#inventory.find(name) === undefined) this.outbox.drop(name);
    if (!this.#warm) return;
    this.#plan(this.#wordsOn(names), now, true);
    this.losses.ask();
  }

  /** A scope is no more: nothing is renewed that no other has, and nothing is taken away. */
  left(scope: string): void {
    for (const name of this.#inventory.remove(scope)) this.outbox.drop(name);
  }

  /** Leave was given for this. */
  grant(loss: ScopeLoss, now: number): void {
    for (const name of this.losses.grant(loss, now)) this.#offerOne(name, now);
    this.outbox.wake();
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
        if (!this.outbox.has(name)) this.#offerOne(name, now);
      } else if (known.state !== 'unsure') {
        const due = known.state === 'accepted' ? known.expiresAt - RENEW_BEFORE_MS : known.retryAt;
        next = Math.min(next ?? due, due);
      }
    }
    this.outbox.wake();
    return next;
  }

  /**
   * The store's epoch, from an answer to a request of this era. A new epoch means that the store was
   * found empty: everything found is planned anew. An answer from an earlier era says nothing.
   *
   * @returns whether the epoch is new
   */
  observeEpoch(epoch: string, era: number, now: number): boolean {
    if (era !== this.outbox.era || epoch === '' || epoch === this.#epoch) return false;
    const first = this.#epoch === '';
    this.#epoch = epoch;
    if (first) return false;
    this.outbox.beginEra();
    this.#known.forgetAll();
    this.#plan(this.#inventory.all(), now);
    return true;
  }

  #plan(found: Iterable<FoundInstance>, now: number, urgent = false): void {
    const plan = planUpserts(this.#known, found, now);
    for (const name of plan.settled) {
      this.outbox.drop(name);
      this.#urgent.delete(name);
      const settled = this.#inventory.find(name);
      if (settled === undefined) continue;
      this.#known.share(settled);
      this.losses.settle(settled);
    }
    for (const work of plan.due) this.#offer(urgent ? { ...work, urgent } : work);
    this.outbox.wake();
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
      this.outbox.offer(work);
    } else {
      this.outbox.drop(name);
      if (work.urgent === true) this.#urgent.add(name);
    }
  }

  #offerOne(name: string, now: number): void {
    const found = this.#inventory.find(name);
    const work = found && planInstance(this.#known.get(name), found, now);
    if (work !== undefined) this.#offer(this.#urgent.has(name) ? { ...work, urgent: true } : work);
  }
}
