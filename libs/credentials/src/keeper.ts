import type { Logger, ReadinessCheck } from '@tagplane/runtime';
import { MINUTE, SECOND, deadline, errorMessage, formatDuration } from '@tagplane/runtime';
import type { Credentials, TrustBundle } from './credentials.ts';
import { passedMs, remainingMs, takeUp } from './holding.ts';
import type { Holding, KeeperClock } from './holding.ts';
import { attemptJoin } from './join-retry.ts';
import type { JoinObserver } from './join-retry.ts';
import { Nap } from './nap.ts';
import { lifeMs, renewalDelayMs, renewalRetryMs, spreadRenewalMs } from './renewal.ts';

/** Told what becomes of the credentials; for metrics. */
export interface KeeperObserver extends JoinObserver {
  renewed(result: 'ok' | 'failed', problem?: string): void;
}

export interface KeeperOptions {
  /** To begin with. */
  readonly credentials: Credentials;
  /**
   * Gets a new certificate for the same identity. Undefined: it cannot be asked for now, as there is no
   * connection; `connected` then brings the next attempt.
   */
  readonly renew: (current: Credentials, signal: AbortSignal) => Promise<Credentials | undefined>;
  /** Gets credentials anew, once the certificate has ended; absent: that takes an operator. */
  readonly rejoin?: ((signal: AbortSignal) => Promise<Credentials>) | undefined;
  /** What an operator is to do then; part of a sentence. */
  readonly remedy: string;
  /** Keeps them for the next start. */
  readonly persist?: ((credentials: Credentials) => Promise<void>) | undefined;
  readonly observer?: Partial<KeeperObserver> | undefined;
  readonly log: Logger;
  readonly random?: () => number;
  readonly clock?: () => KeeperClock;
}

/** For one attempt to renew or to join. */
const ATTEMPT_MS = 60 * SECOND;
/** However long a timer was meant to run, the clocks are looked at again: the machine may have slept. */
const LOOK_MS = 10 * MINUTE;

/** Holds a process's credentials and sees to it that they do not end: renews them, or joins again. */
export class CredentialKeeper {
  readonly #options: KeeperOptions;
  readonly #random: () => number;
  readonly #clock: () => KeeperClock;
  readonly #listeners = new Set<(credentials: Credentials, before: Credentials) => void>();
  #holding: Holding;
  /** Milliseconds from receipt: when they are to be renewed, and when it is tried next. */
  #planned: number;
  #due: number;
  #failures = 0;
  #problem: string | undefined;
  #endSaid = false;
  #ended = false;
  /** What was asked for by `renewWithin` while an attempt was under way. */
  #urged: number | undefined;
  readonly #nap = new Nap();
  /** Changes go one after the other. */
  #changing: Promise<void> = Promise.resolve();

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#clock = options.clock ?? systemClock;
    this.#planned = renewalDelayMs(lifeMs(options.credentials), this.#random);
    this.#due = this.#planned;
    this.#holding = takeUp(options.credentials, this.#planned, this.#clock());
  }

  current(): Credentials {
    return this.#holding.credentials;
  }

  /** Milliseconds until the certificate ends; negative when it has. */
  remainingMs(): number {
    const remaining = remainingMs(this.#holding, this.#clock());
    return this.#ended ? Math.min(0, remaining) : remaining;
  }

  /** For `/readyz`: whether the certificate is good, and what is wrong with its renewal. */
  readiness(): ReadinessCheck {
    const remaining = this.remainingMs();
    const problem = this.#problem === undefined ? '' : `; renewal failed: ${this.#problem}`;
    const name = 'credentials';
    if (remaining > 0)
      return { name, ready: true, reason: `good for ${formatDuration(remaining)}${problem}` };
    const next = this.#options.rejoin === undefined ? this.#options.remedy : 'joining again';
    return { name, ready: false, reason: `the certificate has ended${problem}; ${next}` };
  }

  /**
   * Told of each change, after it took effect.
   *
   * @returns stops that
   */
  onChange(listener: (credentials: Credentials, before: Credentials) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Renews at a random time within so many milliseconds; an earlier plan stands. */
  renewWithin(ms: number): void {
    const spread = spreadRenewalMs(ms, this.remainingMs(), this.#random);
    this.#planned = Math.min(this.#planned, this.#passed() + spread);
    this.#due = Math.min(this.#due, this.#planned);
    this.#urged = Math.min(this.#urged ?? Infinity, spread);
    this.#nap.wake();
  }

  /** There is a connection to renew on: what is due is not put off any longer. */
  connected(): void {
    if (this.#planned > this.#passed()) return;
    this.#due = this.#passed();
    this.#nap.wake();
  }

  /** The auth service did not take the certificate. Only if it may indeed have ended is it given up. */
  refused(): void {
    const { validUntil, receivedAt } = this.current();
    const { wallMs } = this.#clock();
    if (wallMs < validUntil && wallMs >= receivedAt) return;
    this.#ended = true;
    this.#due = this.#passed();
    this.#nap.wake();
  }

  /** Trusts these authorities from now on, if they are newer than those trusted now. */
  async adoptTrust(trust: TrustBundle): Promise<void> {
    await this.#change((current) =>
      trust.generation > current.trust.generation ? { ...current, trust } : current,
    );
  }

  /** Runs until the signal aborts; then rejects with its reason. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const rest = this.#due - this.#passed();
      if (rest > 0) await this.#nap.sleep(Math.min(rest, LOOK_MS), signal);
      else await this.#attempt(signal);
    }
  }

  #passed(): number {
    return passedMs(this.#holding, this.#clock());
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    const before = this.#holding;
    this.#urged = undefined;
    await this.#renew(signal);
    if (this.#holding !== before || this.remainingMs() > 0) return;
    if (this.#options.rejoin !== undefined) {
      await this.#join(this.#options.rejoin, signal);
      return;
    }
    if (!this.#endSaid) {
      const { id } = this.current();
      this.#options.log.error({ event: 'credentials_ended', id, message: this.#options.remedy });
    }
    this.#endSaid = true;
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { renew, observer, log } = this.#options;
    using limit = deadline(signal, ATTEMPT_MS);
    try {
      const renewed = await renew(this.current(), limit.signal);
      if (renewed === undefined) {
        // No connection, no renewal; the end is where something else must be done.
        this.#due = this.#passed() < this.#holding.life ? this.#holding.life : Infinity;
        return;
      }
      await this.#takeUp(renewed);
      observer?.renewed?.('ok');
      const { id, trust } = this.current();
      log.info({ event: 'certificate_renewed', id, trust_generation: trust.generation });
    } catch (error) {
      signal.throwIfAborted();
      this.#failures += 1;
      this.#problem = errorMessage(error);
      const retryMs = renewalRetryMs(this.#failures, this.remainingMs(), this.#random);
      this.#due = this.#passed() + retryMs;
      observer?.renewed?.('failed', this.#problem);
      const retry_in_ms = Math.round(retryMs);
      log.warn({ event: 'certificate_not_renewed', reason: this.#problem, retry_in_ms });
    }
  }

  async #join(rejoin: (signal: AbortSignal) => Promise<Credentials>, signal: AbortSignal): Promise<void> {
    using limit = deadline(signal, ATTEMPT_MS);
    this.#failures += 1;
    const { observer, log } = this.#options;
    const join = () => rejoin(limit.signal);
    const attempt = await attemptJoin({ join, observer, log, random: this.#random }, this.#failures, signal);
    if (attempt.credentials !== undefined) {
      await this.#takeUp(attempt.credentials);
      return;
    }
    this.#problem = attempt.problem;
    this.#due = this.#passed() + attempt.retryMs;
  }

  /** Credentials for a new key: a new life begins. */
  async #takeUp(next: Credentials): Promise<void> {
    const written = await this.#change(({ trust }) =>
      // The trust may have been brought up to date meanwhile.
      trust.generation > next.trust.generation ? { ...next, trust } : next,
    );
    const planned = Math.min(renewalDelayMs(this.#holding.life, this.#random), this.#urged ?? Infinity);
    this.#failures = written ? 0 : this.#failures + 1;
    this.#problem = written ? undefined : 'the credentials could not be written to disk';
    this.#ended = false;
    this.#endSaid = false;
    this.#planned = written ? planned : 0;
    this.#due = written
      ? planned
      : this.#passed() + renewalRetryMs(this.#failures, this.#holding.life, this.#random);
  }

  /**
   * Written first, then in effect. A disk that cannot be written to is no reason to let the certificate end:
   * what it has is good until then, and the next renewal writes again.
   *
   * @returns whether it is on disk
   */
  async #change(make: (current: Credentials) => Credentials): Promise<boolean> {
    let written = true;
    const done = this.#changing.then(async () => {
      const before = this.current();
      const next = make(before);
      if (next === before) return;
      try {
        await this.#options.persist?.(next);
      } catch (error) {
        written = false;
        this.#options.log.error({ event: 'credentials_not_written', reason: errorMessage(error) });
      }
      const clock = this.#clock();
      const same = next.privateKey === before.privateKey;
      this.#holding = same ? { ...this.#holding, credentials: next } : takeUp(next, 0, clock);
      for (const listener of this.#listeners) listener(next, before);
    });
    this.#changing = done.catch(() => undefined);
    await done;
    return written;
  }
}

function systemClock(): KeeperClock {
  return { wallMs: Date.now(), monotonicMs: performance.now() };
}
