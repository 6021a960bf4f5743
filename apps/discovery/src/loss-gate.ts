import type { Region } from '@tagplane/identity';
import { LossLedger, isNameIn } from '@tagplane/serverinfo';
import type { FoundInstance, KnownServerInfos, ScopeLoss, Sent, Work } from '@tagplane/serverinfo';
import type { Inventory } from './inventory.ts';
import { Latch } from './latch.ts';

/** A scope, as far as it matters here. */
export interface ScanPlace {
  readonly id: string;
  readonly region: Region;
}

/** Lets work through, but what would take labels away only once leave was given for it. No I/O. */
export class LossGate {
  readonly #places: readonly ScanPlace[];
  readonly #known: KnownServerInfos;
  readonly #inventory: Inventory;
  readonly #ledger = new LossLedger();
  readonly #latch = new Latch();
  #due = false;

  constructor(places: readonly ScanPlace[], known: KnownServerInfos, inventory: Inventory) {
    this.#places = places;
    this.#known = known;
    this.#inventory = inventory;
  }

  /** Instances whose loss of labels waits for leave. */
  get heldBack(): number {
    return this.#ledger.waiting;
  }

  /** There may be losses to ask leave for. */
  ask(): void {
    this.#due = true;
    this.#latch.open();
  }

  /** Resolves when there may be some, since they were last looked at; rejects when the signal aborts. */
  async asked(signal: AbortSignal): Promise<void> {
    if (!this.#due) await this.#latch.wait(signal);
  }

  /** What waits for leave, by scope. */
  requests(now: number): ScopeLoss[] {
    this.#due = false;
    return this.#ledger.requests(this.#known.entries(), now);
  }

  /**
   * Leave was given.
   *
   * @returns the names for which it still counts
   */
  grant({ losing }: ScopeLoss, now: number): string[] {
    return this.#ledger.grant(losing, now);
  }

  /** Whether this work may leave. */
  admit(work: Work): boolean {
    return this.#ledger.admit(work, this.#known.get(work.name));
  }

  /** Nothing is due for a found instance. */
  settle(found: FoundInstance): void {
    this.#ledger.settle(found, this.#known.get(found.name));
  }

  accepted({ name, revision }: Sent): void {
    this.#ledger.done(name, revision);
  }

  deleted(name: string): void {
    this.#ledger.done(name, 'gone');
  }

  /** After a complete scan of this scope; undefined: of any. */
  scanned(scope?: string): void {
    const places = this.#places.filter(({ id }) => scope === undefined || id === scope);
    for (const region of new Set(places.map((place) => place.region))) this.#noteAbsent(region);
    this.ask();
  }

  /** Instances of a region that none of its scopes found; unknown until all of them have been scanned. */
  #noteAbsent(region: Region): void {
    const places = this.#places.filter((place) => place.region === region);
    if (!places.every(({ id }) => this.#inventory.has(id))) return;
    const names = new Set(this.#ledger.names());
    for (const [name] of this.#known.entries()) names.add(name);
    for (const name of names) {
      if (!isNameIn(region, name) || this.#inventory.find(name) !== undefined) continue;
      this.#ledger.absent(name, this.#known.get(name));
    }
  }
}
