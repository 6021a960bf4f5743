import { MINUTE } from './durations.ts';
import type { FoundInstance } from './found-instance.ts';
import type { Known } from './known.ts';
import { lossOf, sumUpLosses } from './loss.ts';
import type { Loss, Losing, ScopeLoss } from './loss.ts';
import type { Work } from './plan.ts';

interface Entry {
  /** What the instance has had, packed: kept here, since what is known of it may run out meanwhile. */
  readonly held: string;
  readonly loss: Loss;
  readonly target: string;
  granted: boolean;
}

const GONE = 'gone';
/** As long as changes add up with the auth service, by its default. */
const COUNTED_MS = 15 * MINUTE;

/**
 * Losses that wait for leave, and those that have it and are not carried out yet. What would take nothing
 * away needs none. Each loss is asked about once: it counts again only if its target changes.
 */
export class LossLedger {
  readonly #entries = new Map<string, Entry>();
  /** When leave was given for an instance, by what it was to lose: it is the same instance that loses more. */
  readonly #counted = new Map<string, number>();

  /** Instances whose loss waits for leave. */
  get waiting(): number {
    let waiting = 0;
    for (const { granted } of this.#entries.values()) if (!granted) waiting += 1;
    return waiting;
  }

  /** Names that are here, waiting or not. */
  names(): Iterable<string> {
    return this.#entries.keys();
  }

  /** Whether this work may leave now; if not, it waits for leave. */
  admit(work: Work, known: Known | undefined): boolean {
    const { name } = work;
    const [target, next] =
      work.action === 'delete' ? [GONE, undefined] : [work.found.revision, work.found.packedLabels];
    return this.#take(name, { held: this.#entries.get(name)?.held ?? known?.held, target, next });
  }

  /** The instance was in no scan of its region: what it has will run out. */
  absent(name: string, known: Known | undefined): void {
    if (known === undefined) this.#entries.delete(name);
    else
      this.#take(name, {
        held: this.#entries.get(name)?.held ?? known.held,
        target: GONE,
        next: undefined,
      });
  }

  /** Nothing is due for a found instance: no loss either, if it has what was found, or is gone already. */
  settle(found: FoundInstance, known: Known | undefined): void {
    const hasIt = known?.state === 'accepted' && known.revision === found.revision;
    if (found.state === 'terminated' || hasIt) this.#entries.delete(found.name);
  }

  /** Carried out, unless the instance is to have something else by now. */
  done(name: string, target: string): void {
    if (this.#entries.get(name)?.target === target) this.#entries.delete(name);
  }

  /**
   * What waits for leave, by scope.
   *
   * @param labelledAt how many instances of a place have labels now; the place as `placeOfName` gives it
   * @param now Unix milliseconds
   */
  requests(labelledAt: (place: string) => number, now: number): ScopeLoss[] {
    for (const [key, at] of this.#counted) if (now - at >= COUNTED_MS) this.#counted.delete(key);
    const waiting: Losing[] = [];
    for (const [name, { loss, target, granted }] of this.#entries) {
      if (!granted) waiting.push({ name, loss, target });
    }
    return waiting.length === 0
      ? []
      : sumUpLosses(waiting, labelledAt, (losing) => !this.#counted.has(countKey(losing)));
  }

  /**
   * These may leave.
   *
   * @param now Unix milliseconds
   * @returns the names of those that still have this target
   */
  grant(losing: readonly Losing[], now: number): string[] {
    return losing.flatMap((each) => {
      const { name, target } = each;
      if (!this.#counted.has(countKey(each))) this.#counted.set(countKey(each), now);
      const entry = this.#entries.get(name);
      if (entry?.target !== target) return [];
      entry.granted = true;
      return [name];
    });
  }

  #take(
    name: string,
    { held, target, next }: { held: string | undefined; target: string; next: string | undefined },
  ): boolean {
    const loss = lossOf(held, next);
    if (loss === undefined || held === undefined) {
      this.#entries.delete(name);
      return true;
    }
    const entry = this.#entries.get(name);
    if (entry?.target === target) return entry.granted;
    this.#entries.set(name, { held, loss, target, granted: false });
    return false;
  }
}

function countKey({ name, loss }: Losing): string {
  return `${loss} ${name}`;
}
