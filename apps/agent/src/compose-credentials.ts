import type { Credentials, KeeperObserver } from '@tagplane/credentials';
import { credentialMetrics } from '@tagplane/credentials';
import type { Environment, Logger, Registry } from '@tagplane/runtime';
import { errorMessage } from '@tagplane/runtime';
import { AgentCredentials } from './agent-credentials.ts';
import type { AgentIdentity } from './agent-identity.ts';
import { certifiedBy } from './certified.ts';
import type { Certified } from './certified.ts';
import type { AgentSettings } from './config.ts';
import type { AgentState } from './disk-state.ts';
import { joinAgent } from './join/join-agent.ts';

/** The credentials that an agent starts with, before it is known whether they are its own. */
export interface KeptCredentials {
  readonly credentials: Credentials;
  readonly certified: Certified;
}

/**
 * Undefined when there are none; those on disk, which are renewed, go before those in the settings.
 *
 * @throws ConfigError when others may read them
 */
export async function keptCredentials(
  { security }: AgentSettings,
  state: AgentState,
  log: Logger,
): Promise<KeptCredentials | undefined> {
  if (security.mode === 'insecure') return undefined;
  const credentials = (await state.readCredentials()) ?? security.credentials;
  if (credentials === undefined) return undefined;
  if (credentials.role === 'agent') return { credentials, certified: certifiedBy(credentials) };
  await setAside(state, `they are of ${credentials.id}, no agent`, log);
  return undefined;
}

export interface CredentialParts {
  readonly settings: AgentSettings;
  readonly state: AgentState;
  readonly identity: AgentIdentity;
  readonly kept: KeptCredentials | undefined;
  readonly registry: Registry | undefined;
  readonly env: Environment;
  readonly log: Logger;
  readonly renew: (current: Credentials, signal: AbortSignal) => Promise<Credentials | undefined>;
  /** Told of the first ones and of each change, when they are in effect. */
  readonly onChange: (credentials: Credentials) => Promise<void>;
}

/**
 * Undefined without TLS.
 *
 * @throws ConfigError when there are none, and no way to get any
 */
export async function composeCredentials(parts: CredentialParts): Promise<AgentCredentials | undefined> {
  const { settings, state, identity, kept, registry, log, renew, onChange } = parts;
  if (settings.security.mode === 'insecure') return undefined;
  if (identity.foreign !== undefined) await setAside(state, identity.foreign, log);
  const credentials: AgentCredentials = new AgentCredentials({
    credentials: identity.foreign === undefined ? kept?.credentials : undefined,
    join: joinAttempts(parts),
    renew,
    persist: (next) => state.writeCredentials(next),
    forget: () => state.discardCredentials(),
    onChange,
    observer:
      registry === undefined
        ? SILENT
        : credentialMetrics(registry, 'agent', () => credentials.keeper?.remainingMs()),
    log,
  });
  return credentials;
}

const SILENT: KeeperObserver = { renewed: () => undefined, joined: () => undefined };

/** Each at the next address, from one of the agent's own choice, so that agents spread. */
function joinAttempts({ settings, identity, env }: CredentialParts) {
  const { addresses, security, serverId } = settings;
  const join = security.mode === 'mutual' ? security.join : undefined;
  if (join === undefined) return undefined;
  let next = Math.floor(Math.random() * addresses.length);
  return (signal: AbortSignal): Promise<Credentials> => {
    const address = addresses[next] ?? addresses[0];
    next = (next + 1) % addresses.length;
    const { ownInstance } = identity;
    return joinAgent({ join, address, configuredId: serverId, instance: ownInstance, env }, signal);
  };
}

async function setAside(state: AgentState, reason: string, log: Logger): Promise<void> {
  log.warn({ event: 'credentials_given_up', reason });
  try {
    await state.discardCredentials();
  } catch (error) {
    log.error({ event: 'credentials_not_set_aside', reason: errorMessage(error) });
  }
}
