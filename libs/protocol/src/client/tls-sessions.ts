/** One address, one certificate of one's own, one set of trusted authorities. */
export interface SessionScope {
  /** `host:port`. */
  readonly address: string;
  /** Of the own certificate: the server would take a resumed session for that of the one before. */
  readonly fingerprint: string;
  /** Of the trust bundle: whom the session was made with would not be looked at again. */
  readonly generation: number;
}

export interface KeptSession {
  readonly session: Buffer;
  /** Unix milliseconds: until when the server's certificate is good. */
  readonly until: number;
}

/** A process talks to a handful of auth services. */
const MAX_ADDRESSES = 16;

/** TLS sessions to be resumed: the newest of each address, about 2 KiB each. */
export class TlsSessions {
  readonly #kept = new Map<string, KeptSession & { readonly scope: SessionScope }>();

  /** The session to resume with now (Unix milliseconds); undefined: none fits. */
  get(scope: SessionScope, now: number): KeptSession | undefined {
    const kept = this.#kept.get(scope.address);
    if (kept === undefined) return undefined;
    const { fingerprint, generation } = kept.scope;
    if (fingerprint === scope.fingerprint && generation === scope.generation && now < kept.until) return kept;
    this.#kept.delete(scope.address);
    return undefined;
  }

  put(scope: SessionScope, kept: KeptSession): void {
    // Deleted first, so that the map's order is that of use.
    this.#kept.delete(scope.address);
    this.#kept.set(scope.address, { ...kept, scope });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_ADDRESSES && oldest !== undefined) this.#kept.delete(oldest);
  }
}
