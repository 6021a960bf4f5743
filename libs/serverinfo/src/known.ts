import { hasLabels } from './loss.ts';
import { placeOfName } from './names.ts';

/**
 * What this discovery knows of one ServerInfo in the store.
 * - `accepted`: the auth service took this content, which runs out at `expiresAt`.
 * - `unsure`: a write was sent and is not, or not clearly, answered: the store holds the old content or
 *   the new one.
 * - `refused`: the auth service will not have this content; not asked again before `retryAt`.
 * Times are Unix milliseconds by this process's clock. `held` is what was accepted last, packed; undefined:
 * nothing was.
 */
export type Known =
  | {
      readonly state: 'accepted';
      readonly revision: string;
      readonly expiresAt: number;
      readonly held: string;
    }
  | { readonly state: 'unsure'; readonly expiresAt: number; readonly held: string | undefined }
  | {
      readonly state: 'refused';
      readonly revision: string;
      readonly retryAt: number;
      readonly expiresAt: number;
      readonly held: string | undefined;
    };

/** One of the writes that a batch sends. */
export interface Sent {
  readonly name: string;
  readonly revision: string;
  readonly packedLabels: string;
  /** Counted from before the request left, so that it is never later than the store's. */
  readonly expiresAt: number;
}

/**
 * What the auth service has accepted from this discovery, by name: texts are shared with the scan they
 * came from, which leaves about 100 bytes an instance. Those of a place are found without looking at others.
 */
export class KnownServerInfos {
  readonly #places = new Map<string, Map<string, Known>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(name: string): Known | undefined {
    return this.#places.get(placeOfName(name))?.get(name);
  }

  /** All of them, in no particular order. */
  *entries(): Iterable<readonly [string, Known]> {
    for (const known of this.#places.values()) yield* known;
  }

  /** The names of places at which something is known. */
  places(): Iterable<string> {
    return this.#places.keys();
  }

  /** Those at a place, by `placeName`. */
  at(place: string): Iterable<readonly [string, Known]> {
    return this.#places.get(place) ?? [];
  }

  /** Of those at a place, how many have labels. */
  labelledAt(place: string): number {
    let labelled = 0;
    for (const [, { held }] of this.at(place)) if (hasLabels(held)) labelled += 1;
    return labelled;
  }

  /** A write is about to leave: until its answer is in, nobody can say which content the store holds. */
  recordSending({ name, expiresAt }: Sent): void {
    // The old content may be the one that stays: whichever ends later bounds what is there.
    const before = this.get(name);
    const until = Math.max(before?.expiresAt ?? 0, expiresAt);
    this.#set(name, { state: 'unsure', expiresAt: until, held: before?.held });
  }

  /** The auth service accepted a write, or listed it at the start. */
  recordAccepted({ name, revision, packedLabels, expiresAt }: Sent): void {
    this.#set(name, { state: 'accepted', revision, expiresAt, held: packedLabels });
  }

  /** A scan found what is held already: the text is kept once, not twice. */
  share({ name, revision, packedLabels }: Pick<Sent, 'name' | 'revision' | 'packedLabels'>): void {
    const known = this.get(name);
    if (known?.state !== 'accepted' || known.revision !== revision || known.held === packedLabels) return;
    this.#set(name, { ...known, held: packedLabels });
  }

  /** The auth service refused a write: INVALID or DENIED. */
  recordRefused({ name, revision, expiresAt }: Sent, retryAt: number): void {
    const held = this.get(name)?.held;
    this.#set(name, { state: 'refused', revision, retryAt, expiresAt, held });
  }

  forget(name: string): void {
    this.#delete(placeOfName(name), name);
  }

  /** The store was found empty: nothing that was accepted is there any more. */
  forgetAll(): void {
    this.#places.clear();
    this.#size = 0;
  }

  /** Drops what has run out: instances that are no longer there, and old refusals. */
  prune(now: number): void {
    for (const [place, all] of this.#places) {
      for (const [name, known] of all) {
        const until = known.state === 'refused' ? Math.max(known.retryAt, known.expiresAt) : known.expiresAt;
        if (until <= now) this.#delete(place, name);
      }
    }
  }

  #set(name: string, known: Known): void {
    const place = placeOfName(name);
    let all = this.#places.get(place);
    if (all === undefined) {
      all = new Map();
      this.#places.set(place, all);
    }
    const size = all.size;
    all.set(name, known);
    this.#size += all.size - size;
  }

  #delete(place: string, name: string): void {
    const all = this.#places.get(place);
    if (all?.delete(name) !== true) return;
    this.#size -= 1;
    if (all.size === 0) this.#places.delete(place);
  }
}
