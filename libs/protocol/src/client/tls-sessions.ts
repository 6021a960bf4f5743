/** One address, one certificate of one's own, one set of trusted authorities. */
export interface SessionScope {
  /** `host:port`. */
  readonly address: string;
  /** Of the own certificate: a session never outlives it, because the server would see the old one. */
  readonly fingerprint: string;
  readonly generation: number;
}

interface Kept {
  readonly scope: SessionScope;
  readonly session: Buffer;
  /** Unix milliseconds: until when the server's certificate is good. */
  readonly until: number;
}

/** A process talks to a handful of auth services at a time. */
const MAX_ADDRESSES = 16;

/** TLS sessions to be resumed, the newest of each address. */
export class TlsSessions {
  readonly #kept = new Map<string, Kept>();

  /** The session to resume with now (Unix milliseconds); undefined: none fits. */
  get(scope: SessionScope, now: number): Buffer | undefined {
    const kept = this.#kept.get(scope.address);
    if (kept === undefined) return undefined;
    const { fingerprint, generation } = kept.scope;
    if (fingerprint === scope.fingerprint && generation === scope.generation && now < kept.until) {
      return kept.session;
    }
    this.#kept.delete(scope.address);
    return undefined;
  }

  put(scope: SessionScope, session: Buffer, until: number): void {
    // Deleted first, so that the map's order is that of use.
    this.#kept.delete(scope.address);
    this.#kept.set(scope.address, { scope, session, until });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_ADDRESSES && oldest !== undefined) this.#kept.delete(oldest);
  }

  forget(address: string): void {
    this.#kept.delete(address);
  }
}
