import { CredentialKeeper, JoinRefusedError, joinUntilIn } from '@tagplane/credentials';
import type { Credentials, KeeperObserver } from '@tagplane/credentials';
import type { ReadinessCheck, Logger } from '@tagplane/runtime';
import { ConfigError, MINUTE, errorMessage } from '@tagplane/runtime';
import { TlsSessions } from '@tagplane/protocol';
import type { ConnectionSecurity } from './security.ts';

export interface AgentCredentialsOptions {
  /** To begin with. */
  readonly credentials: Credentials | undefined;
  /** One attempt to join; undefined: how is not configured. */
  readonly join: ((signal: AbortSignal) => Promise<Credentials>) | undefined;
  /** Renews on the connection there is; undefined: there is none. */
  readonly renew: (current: Credentials, signal: AbortSignal) => Promise<Credentials | undefined>;
  readonly persist: (credentials: Credentials) => Promise<void>;
  /** Moves what was written out of the way. */
  readonly forget: () => Promise<void>;
  /** Told of the first ones and of each change, when they are in effect. Awaited for the first. */
  readonly onChange: (credentials: Credentials) => Promise<void>;
  readonly observer: KeeperObserver;
  readonly log: Logger;
}

/** What an operator can do for an agent that has no credentials and no way to get any. */
const REMEDY =
  'set join.token and join.ca_pins (`tagctl tokens add --role agent` prints both), or join.method';

/** How the agent's credentials do, for people. */
export interface CredentialStatus {
  readonly credentials: Credentials | undefined;
  /** Milliseconds until the certificate ends. */
  readonly remainingMs: number | undefined;
  readonly problem: string | undefined;
}

/** An agent's credentials: joins when there are none, and then keeps them. */
export class AgentCredentials {
  readonly #options: AgentCredentialsOptions;
  readonly #sessions = new TlsSessions();
  readonly #first = Promise.withResolvers<undefined>();
  #keeper: CredentialKeeper | undefined;
  #problem: string | undefined;
  /** Ends the keeping of what is kept now. */
  #stop: AbortController | undefined;

  /** @throws ConfigError when there are none, and no way to get any */
  constructor(options: AgentCredentialsOptions) {
    this.#options = options;
    const { credentials, join } = options;
    if (credentials === undefined && join === undefined) {
      throw new ConfigError(`join: there are no credentials, and no way to get any: ${REMEDY}`);
    }
    if (credentials === undefined) return;
    this.#keep(credentials);
    this.#first.resolve(undefined);
  }

  get keeper(): CredentialKeeper | undefined {
    return this.#keeper;
  }

  status(): CredentialStatus {
    const readiness = this.readiness();
    return {
      credentials: this.#keeper?.current(),
      remainingMs: this.#keeper?.remainingMs(),
      problem: readiness.ready ? undefined : readiness.reason,
    };
  }

  readiness(): ReadinessCheck {
    if (this.#keeper !== undefined) return this.#keeper.readiness();
    const why = this.#problem === undefined ? 'joining' : `not joined yet: ${this.#problem}`;
    return { name: 'credentials', ready: false, reason: why };
  }

  connection(): ConnectionSecurity | undefined {
    return this.#keeper && { mode: 'mutual', keeper: this.#keeper, sessions: this.#sessions };
  }

  /** The auth service trusts others now: renews at a random time within so many milliseconds. */
  trustChanged(generation: number, withinMs: number): void {
    const held = this.#keeper?.current().trust.generation ?? Infinity;
    if (generation > held) this.#keeper?.renewWithin(withinMs);
  }

  /** Resolves when there are credentials; rejects with the signal's reason. */
  async held(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => {
      aborted.reject(signal.reason);
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.#first.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Joins if it has to, and keeps what there is, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const keeper = this.#keeper ?? (await this.#join(signal));
      const stop = new AbortController();
      const onAbort = (): void => {
        stop.abort(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      // Told to stop, or to give these up, while they were being taken up.
      if (signal.aborted) onAbort();
      else if (this.#keeper !== keeper) stop.abort();
      this.#stop = stop;
      try {
        await keeper.run(stop.signal);
      } catch (error) {
        // Given up: another one is to be had.
        if (!stop.signal.aborted) throw error;
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    }
  }

  /** These are not the agent's own: it joins anew. */
  async giveUp(reason: string): Promise<void> {
    const { log, forget } = this.#options;
    log.warn({ event: 'credentials_given_up', reason });
    this.#keeper = undefined;
    this.#problem = reason;
    try {
      await forget();
    } catch (error) {
      log.error({ event: 'credentials_not_set_aside', reason: errorMessage(error) });
    }
    this.#stop?.abort();
  }

  async #join(signal: AbortSignal): Promise<CredentialKeeper> {
    const { join, observer, persist, onChange, log } = this.#options;
    const credentials = await joinUntilIn(
      {
        join: join ?? (() => Promise.reject(new JoinRefusedError(REMEDY))),
        observer: {
          joined: (result, problem) => {
            this.#problem = problem;
            observer.joined(result, problem);
          },
        },
        log,
      },
      signal,
    );
    let written = true;
    try {
      await persist(credentials);
    } catch (error) {
      written = false;
      log.error({ event: 'credentials_not_written', reason: errorMessage(error) });
    }
    const keeper = this.#keep(credentials);
    // A renewal writes them again.
    if (!written) keeper.renewWithin(MINUTE);
    await onChange(credentials);
    this.#first.resolve(undefined);
    return keeper;
  }

  #keep(credentials: Credentials): CredentialKeeper {
    const { join, renew, persist, observer, onChange, log } = this.#options;
    const keeper = new CredentialKeeper({
      credentials,
      renew,
      rejoin: join,
      remedy: REMEDY,
      persist,
      observer,
      log,
    });
    keeper.onChange((now) => {
      onChange(now).catch((error: unknown) => {
        log.error({ event: 'credentials_change_failed', err: error });
      });
    });
    this.#keeper = keeper;
    this.#problem = undefined;
    return keeper;
  }
}
