import { createRegistry } from '@tagplane/runtime';
import { AgentIdentity } from './agent-identity.ts';
import { reportOf, viewOf } from './agent-parts.ts';
import type { Agent } from './agent-parts.ts';
import { bootId, systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { composeCredentials, keptCredentials } from './compose-credentials.ts';
import { composeHolders, isAsked } from './compose-holders.ts';
import type { RunOptions } from './compose.ts';
import { DEFAULT_RECONNECT } from './config.ts';
import type { AgentSettings } from './config.ts';
import { ControlClient } from './control-client.ts';
import { Decider } from './decide/decider.ts';
import { memoryState, openDiskState } from './disk-state.ts';
import { followCredentials } from './follow.ts';
import { agentMetrics } from './metrics.ts';
import { tellAll } from './observer.ts';
import { composeStated } from './own/compose-stated.ts';
import type { ConnectionSecurity } from './security.ts';

/**
 * Builds one agent, and reads what it had kept.
 *
 * @throws ConfigError when data_dir cannot be had, or there are no credentials and no way to get any
 */
export async function composeAgent(settings: AgentSettings, options: RunOptions): Promise<Agent> {
  const { signal, log, env = {} } = options;
  const boot = bootId();
  const clock = systemClock(boot);
  const state = settings.dataDir === undefined ? memoryState() : await openDiskState(settings.dataDir, log);
  const kept = await keptCredentials(settings, state, log);
  const named = settings.security.mode === 'mutual';
  const certified = kept?.certified;
  const identity = await AgentIdentity.settle({ settings, state, boot, env, log, named, certified }, signal);
  const { holder, roles } = await composeHolders({
    ...{ settings, state, identity, clock, log },
    keptTrust: kept?.credentials.trust,
    trust: () => credentials?.keeper?.current().trust,
  });
  const registry = settings.diagnostics && createRegistry('agent');
  const observer = tellAll([
    ...(registry === undefined ? [] : [agentMetrics(registry, { holder, roles, state })]),
    { connected: () => credentials?.keeper?.connected() },
    options.observer ?? {},
  ]);
  const stated = composeStated({ settings, env, clock, observer, log });
  const credentials = await composeCredentials({
    ...{ settings, state, identity, kept, registry, env, log },
    renew: (current, limit) => client.renew(current, limit),
    onChange: (next) => followCredentials(next, agent, log),
  });
  const report = () => reportOf({ identity, credentials, stated, holder, roles });
  const client = new ControlClient({
    addresses: settings.addresses,
    reconnect: settings.reconnect ?? DEFAULT_RECONNECT,
    serverId: () => identity.serverId,
    security: () => connectionSecurity(identity, credentials),
    report,
    trustChanged: (...news) => credentials?.trustChanged(...news),
    refused: () => credentials?.keeper?.refused(),
    apply: (...update) => holder.apply(...update),
    applyRoles: roles && ((...update) => roles.apply(...update)),
    ...{ clock, observer, log },
  });
  const parts = { identity, credentials, stated, holder, roles, client, state, observer, report, registry };
  const agent: Agent = {
    ...parts,
    decider: isAsked(settings) ? deciderOf(parts, clock) : undefined,
    view: () => viewOf(settings, parts),
  };
  return agent;
}

function connectionSecurity(
  identity: AgentIdentity,
  credentials: Agent['credentials'],
): ConnectionSecurity | undefined {
  if (credentials === undefined) return { mode: 'insecure' };
  // There are credentials, and the name in them is about to be taken over.
  return identity.provisional ? undefined : credentials.connection();
}

function deciderOf(
  { roles, holder, stated, state }: Pick<Agent, 'roles' | 'holder' | 'stated' | 'state'>,
  clock: Clock,
): Decider | undefined {
  if (roles === undefined) return undefined;
  return new Decider({
    roles: () => roles.inForce(state.refused().find(({ file }) => file === 'roles.json')?.reason),
    labels: () => ({ stated: stated.view(), held: holder.view() }),
    version: () => `${holder.changes} ${stated.changes}`,
    clock,
  });
}
