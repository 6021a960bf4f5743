import { CredentialKeeper, credentialMetrics, joinUntilIn } from '@tagplane/credentials';
import type { Credentials, KeeperObserver } from '@tagplane/credentials';
import { renewCredentials } from '@tagplane/protocol';
import { ConfigError, MINUTE, errorMessage } from '@tagplane/runtime';
import type { ReadinessCheck } from '@tagplane/runtime';
import { mutualConnection } from './connection.ts';
import type { DiscoveryIdentity, IdentityParts, IdentityPlan } from './identity.ts';
import { REMEDY, joinDiscovery } from './join.ts';
import { storedCredentials } from './stored.ts';
import type { StoredCredentials } from './stored.ts';
import { runTrustLoop } from './trust-loop.ts';

/** @throws ConfigError when there are no credentials that can be used, and no way to get any */
export async function planCertified(parts: IdentityParts): Promise<IdentityPlan> {
  const { config, log } = parts;
  const { join } = config;
  const stored = storedCredentials(config.data_dir, log);
  const kept = await stored.read();
  if (kept === undefined && join === undefined) {
    throw new ConfigError(`join: there are no credentials, and no way to get any: ${REMEDY}`);
  }
  const attempt =
    join &&
    ((name: string | undefined, signal: AbortSignal) => joinDiscovery({ ...config, join }, name, signal));
  return new CertifiedIdentity(parts, { stored, kept, attempt });
}

interface Means {
  readonly stored: StoredCredentials;
  readonly kept: Credentials | undefined;
  /** One attempt to join, by this name or by any; undefined: how is not configured. */
  readonly attempt: ((name: string | undefined, signal: AbortSignal) => Promise<Credentials>) | undefined;
}

class CertifiedIdentity implements IdentityPlan {
  readonly #parts: IdentityParts;
  readonly #means: Means;
  readonly #observer: KeeperObserver;
  #keeper: CredentialKeeper | undefined;
  #problem: string | undefined;

  constructor(parts: IdentityParts, means: Means) {
    this.#parts = parts;
    this.#means = means;
    this.#observer = credentialMetrics(parts.registry, 'discovery', () => this.#keeper?.remainingMs());
  }

  readiness(): ReadinessCheck[] {
    if (this.#keeper !== undefined) return [this.#keeper.readiness()];
    const reason = this.#problem === undefined ? 'joining' : `not joined yet: ${this.#problem}`;
    return [{ name: 'credentials', ready: false, reason }];
  }

  async establish(signal: AbortSignal): Promise<DiscoveryIdentity> {
    const { kept, stored } = this.#means;
    if (kept !== undefined) return this.#identity(kept);
    const { log } = this.#parts;
    const credentials = await this.#join(signal);
    let written = true;
    try {
      await stored.write(credentials);
    } catch (error) {
      written = false;
      log.error({ event: 'credentials_not_written', reason: errorMessage(error) });
    }
    const identity = this.#identity(credentials);
    // A renewal writes them again.
    if (!written) this.#keeper?.renewWithin(MINUTE);
    return identity;
  }

  async #join(signal: AbortSignal): Promise<Credentials> {
    const { attempt } = this.#means;
    const join = (limit: AbortSignal): Promise<Credentials> =>
      attempt?.(undefined, limit) ?? Promise.reject(new Error(REMEDY));
    const joined: KeeperObserver['joined'] = (result, problem) => {
      this.#problem = problem;
      this.#observer.joined(result, problem);
    };
    return await joinUntilIn({ join, observer: { joined }, log: this.#parts.log }, signal);
  }

  #identity(credentials: Credentials): DiscoveryIdentity {
    const { config, log } = this.#parts;
    const { attempt, stored } = this.#means;
    const { name } = credentials;
    const connection = mutualConnection(config.auth.address, () => keeper.current());
    let rejoined = false;
    const keeper: CredentialKeeper = new CredentialKeeper({
      credentials,
      renew: (current, limit) => renewCredentials(connection.transport, current, { signal: limit }),
      // Under another name it would not find again what it wrote.
      rejoin:
        attempt &&
        (async (limit) => {
          const again = await attempt(name, limit);
          rejoined = true;
          return again;
        }),
      remedy: REMEDY,
      persist: (next) => stored.write(next),
      observer: this.#observer,
      log,
    });
    keeper.onChange(() => {
      // A renewal is the connection's own; what was joined for takes another.
      if (rejoined) connection.reopen();
      rejoined = false;
    });
    this.#keeper = keeper;
    const { transport } = connection;
    return {
      transport,
      origin: `discovery/${name}`,
      tasks: {
        credentials: (stop) => keeper.run(stop),
        trust: (stop) => runTrustLoop({ transport, keeper, log }, stop),
      },
      [Symbol.dispose]: () => {
        connection[Symbol.dispose]();
      },
    };
  }
}
