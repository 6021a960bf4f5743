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
 * came from, which leaves about 100 bytes an instance.
 */
export class KnownServerInfos {
  readonly #known = new Map<string, Known>();

  get size(): number {
    return this.#known.size;
  }

  get(name: string): Known | undefined {
    return this.#known.get(name);
  }

  /** All of them, in no particular order. */
  entries(): Iterable<readonly [string, Known]> {
    return this.#known;
  }

  /** A write is about to leave: until its answer is in, nobody can say which content the store holds. */
  recordSending({ name, expiresAt }: Sent): void {
    // The old content may be the one that stays: whichever ends later bounds what is there.
    const before = this.#known.get(name);
    const until = Math.max(before?.expiresAt ?? 0, expiresAt);
    this.#known.set(name, { state: 'unsure', expiresAt: until, held: before?.held });
  }

  /** The auth service accepted a write, or listed it at the start. */
  recordAccepted({ name, revision, packedLabels, expiresAt }: Sent): void {
    this.#known.set(name, { state: 'accepted', revision, expiresAt, held: packedLabels });
  }

  /** A scan found what is held already: the text is kept once, not twice. */
  share({ name, revision, packedLabels }: Pick<Sent, 'name' | 'revision' | 'packedLabels'>): void {
    const known = this.#known.get(name);
    if (known?.state !== 'accepted' || known.revision !== revision || known.held === packedLabels) return;
    this.#known.set(name, { ...known, held: packedLabels });
  }

  /** The auth service refused a write: INVALID or DENIED. */
  recordRefused({ name, revision, expiresAt }: Sent, retryAt: number): void {
    const held = this.#known.get(name)?.held;
    this.#known.set(name, { state: 'refused', revision, retryAt, expiresAt, held });
  }

  forget(name: string): void {
    this.#known.delete(name);
  }

  /** The store was found empty: nothing that was accepted is there any more. */
  forgetAll(): void {
    this.#known.clear();
  }

  /** Drops what has run out: instances that are no longer there, and old refusals. */
  prune(now: number): void {
    for (const [name, known] of this.#known) {
      const until = known.state === 'refused' ? Math.max(known.retryAt, known.expiresAt) : known.expiresAt;
      if (until <= now) this.#known.delete(name);
    }
  }
}
