import { LossLedger, isPlaceIn, placeName, placeOfName } from '@tagplane/serverinfo';
import type { FoundInstance, KnownServerInfos, ScopeLoss, Sent, Work } from '@tagplane/serverinfo';
import type { Place, Scope, ScopeSet } from './estate/scope.ts';
import type { Inventory } from './inventory.ts';
import { Latch } from './latch.ts';

/** Lets work through, but what would take labels away only once leave was given for it. No I/O. */
export class LossGate {
  readonly #scopes: ScopeSet;
  readonly #known: KnownServerInfos;
  readonly #inventory: Inventory;
  readonly #ledger = new LossLedger();
  readonly #latch = new Latch();
  #due = false;

  constructor(scopes: ScopeSet, known: KnownServerInfos, inventory: Inventory) {
    this.#scopes = scopes;
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
    return this.#ledger.requests((place) => this.#known.labelledAt(place), now);
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
    const scopes = this.#scopes.current().filter(({ id }) => scope === undefined || id === scope);
    const places = new Set(scopes.flatMap(({ place }) => this.#namesOf(place)));
    for (const place of places) this.#noteAbsent(place);
    this.ask();
  }

  /** Places as names have them: while the account is not known, all that are known in the region. */
  #namesOf({ account, region }: Place): string[] {
    if (account !== undefined) return [placeName({ account, region })];
    const known = [...this.#known.places(), ...[...this.#ledger.names()].map(placeOfName)];
    return known.filter((place) => isPlaceIn(region, place));
  }

  /** Instances of a place that none of its scopes found; unknown until all of them have been scanned. */
  #noteAbsent(place: string): void {
    const scopes = this.#scopesAt(place);
    if (!scopes.every(({ id }) => this.#inventory.has(id))) return;
    for (const [name, known] of this.#known.at(place)) {
      if (this.#inventory.find(name) === undefined) this.#ledger.absent(name, known);
    }
    for (const name of this.#ledger.names()) {
      if (placeOfName(name) !== place || this.#known.get(name) !== undefined) continue;
      if (this.#inventory.find(name) === undefined) this.#ledger.absent(name, undefined);
    }
  }

  #scopesAt(place: string): readonly Scope[] {
    return this.#scopes
      .current()
      .filter(({ place: { account, region } }) =>
        account === undefined ? isPlaceIn(region, place) : placeName({ account, region }) === place,
      );
  }
}
