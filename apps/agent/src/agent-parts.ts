import { hostname } from 'node:os';
import type { Registry } from '@tagplane/runtime';
import { VERSION } from '@tagplane/runtime';
import type { AgentView } from './agent-view.ts';
import type { AgentSettings } from './config.ts';
import type { Decider } from './decide/decider.ts';
import type { AgentState } from './disk-state.ts';
import type { Followers } from './follow.ts';
import type { AgentObserver } from './observer.ts';
import { importedLabels, ownLabels } from './own/stated-labels.ts';
import type { StatedLabels } from './own/stated-labels.ts';
import type { Report } from './report.ts';

/** The parts of one agent, built and not yet running. */
export interface Agent extends Followers {
  readonly stated: StatedLabels;
  readonly state: AgentState;
  /** Undefined: it is not asked to decide. */
  readonly decider: Decider | undefined;
  readonly observer: AgentObserver;
  readonly report: () => Report;
  readonly view: () => AgentView;
  /** Only for an agent with diagnostics: a registry is a large part of an agent's memory. */
  readonly registry: Registry | undefined;
}

/** The protocol's limit. */
const MAX_HOSTNAME = 255;

/** What is said of an agent locally, from its parts. */
export function viewOf(
  { security }: AgentSettings,
  agent: Pick<Agent, keyof Followers | 'stated' | 'state'>,
): AgentView {
  const { identity, credentials, stated, holder, roles, client, state } = agent;
  return {
    serverId: identity.provisional ? '' : identity.serverId,
    hostname: ownHostname(),
    version: VERSION,
    stated: stated.view(),
    held: holder.view(),
    roles: roles?.view(),
    refused: state.refused(),
    connection: client.status(),
    instance: identity.instance,
    instanceSource: identity.source,
    instanceProblem: identity.problem,
    credentials: credentials?.status(),
    joinMethod: security.mode === 'mutual' ? security.join?.by.method : undefined,
  };
}

/** What the auth service is told of it. */
export function reportOf({
  identity,
  credentials,
  stated,
  holder,
  roles,
}: Pick<Agent, 'identity' | 'credentials' | 'stated' | 'holder' | 'roles'>): Report {
  const held = holder.view();
  const heldRoles = roles?.view();
  const said = stated.view();
  return {
    hostname: ownHostname(),
    ownLabels: ownLabels(said),
    importedLabels: importedLabels(said),
    instance: identity.instance,
    heldRevision: held.revision,
    heldRemainingMs: held.remainingMs,
    heldRolesRevision: heldRoles?.revision ?? '',
    heldRolesRemainingMs: heldRoles?.remainingMs,
    trustGeneration: credentials?.keeper?.current().trust.generation ?? 0,
  };
}

function ownHostname(): string {
  return hostname().slice(0, MAX_HOSTNAME);
}
