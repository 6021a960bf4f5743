import { randomBytes } from 'node:crypto';

/** Six hours, the longest that IMDSv2 gives. */
const MAX_TTL_SECONDS = 21_600;
/** A client that asks for ever new ones loses its oldest. */
const MAX_TOKENS = 1_000;

/** The session tokens of one instance's metadata. */
export class ImdsTokens {
  readonly #expiry = new Map<string, number>();

  /** Undefined for a lifetime that is none. */
  issue(ttlText: string | undefined, now: number): string | undefined {
    if (!/^[1-9]\d{0,4}$/.test(ttlText ?? '') || Number(ttlText) > MAX_TTL_SECONDS) return undefined;
    const token = randomBytes(40).toString('base64');
    this.#expiry.set(token, now + Number(ttlText) * 1_000);
    const [oldest] = this.#expiry.keys();
    if (this.#expiry.size > MAX_TOKENS && oldest !== undefined) this.#expiry.delete(oldest);
    return token;
  }

  isGood(token: string | undefined, now: number): boolean {
    return token !== undefined && now < (this.#expiry.get(token) ?? 0);
  }
}
