import { MINUTE, SECOND } from '@tagplane/runtime';

/** What the SDK takes as credentials. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** What the SDK takes as a provider of credentials. */
export type AwsCredentialProvider = () => Promise<AwsCredentials>;

/** Credentials that run out. */
export interface SessionCredentials extends AwsCredentials {
  readonly sessionToken: string;
  readonly expiration: Date;
}

/** The SDK's clients ask their provider again five minutes before what it gave them runs out. */
const REFRESH_AHEAD_MS = 5 * MINUTE;
/** Roles that were assumed together are not all refreshed together: the hour's last ten minutes less five. */
const JITTER_MS = 5 * MINUTE;
/** A refusal stands for the many that ask at the same time, as all regions of an account do, and no longer. */
const FAILURE_STANDS_MS = 15 * SECOND;

interface Held {
  readonly credentials: SessionCredentials;
  readonly refreshAt: number;
  readonly endsAt: number;
}

/**
 * The credentials of one role: got when first asked for, kept, and got anew ahead of their end by the first
 * that asks then. However many ask, one attempt is under way. While an attempt fails, the last good ones are
 * given for as long as they live.
 */
export class RoleCell {
  readonly #assume: () => Promise<SessionCredentials>;
  readonly #now: () => number;
  readonly #random: () => number;
  #held: Held | undefined;
  #failed: { readonly error: Error; readonly until: number } | undefined;
  #attempt: Promise<void> | undefined;

  constructor(
    assume: () => Promise<SessionCredentials>,
    { now = Date.now, random = Math.random }: { now?: () => number; random?: () => number } = {},
  ) {
    this.#assume = assume;
    this.#now = now;
    this.#random = random;
  }

  /** Rejects with what the attempt to get them was rejected with. */
  async get(): Promise<SessionCredentials> {
    if (this.#due()) {
      this.#attempt ??= this.#refresh().finally(() => (this.#attempt = undefined));
      await this.#attempt;
    }
    const held = this.#held;
    if (held !== undefined && held.endsAt > this.#now()) return held.credentials;
    throw this.#failed?.error ?? new Error('the credentials had run out when they came');
  }

  #due(): boolean {
    const now = this.#now();
    if (this.#failed !== undefined && this.#failed.until > now) return false;
    return this.#held === undefined || this.#held.refreshAt <= now;
  }

  async #refresh(): Promise<void> {
    try {
      const credentials = await this.#assume();
      this.#held = this.#hold(credentials);
      this.#failed = undefined;
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error('no credentials', { cause: thrown });
      this.#failed = { error, until: this.#now() + FAILURE_STANDS_MS };
    }
  }

  /**
   * They are given out with an end that lies early by the jitter, so that clients ask again by it. Never is
   * more than half of a short life given away.
   */
  #hold(credentials: SessionCredentials): Held {
    const endsAt = credentials.expiration.getTime();
    const lifeMs = Math.max(0, endsAt - this.#now());
    const jitterMs = Math.min(JITTER_MS, lifeMs / 4) * this.#random();
    const aheadMs = Math.min(REFRESH_AHEAD_MS, lifeMs / 4);
    const expiration = new Date(endsAt - jitterMs);
    return { credentials: { ...credentials, expiration }, refreshAt: endsAt - jitterMs - aheadMs, endsAt };
  }
}
