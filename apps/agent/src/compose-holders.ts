import type { Logger } from '@tagplane/runtime';
import type { AgentIdentity } from './agent-identity.ts';
import type { Clock } from './clock.ts';
import type { AgentSettings } from './config.ts';
import type { AgentState } from './disk-state.ts';
import { LabelHolder } from './label-holder.ts';
import { RoleHolder } from './roles/role-holder.ts';
import type { Vouching } from './state-holder.ts';
import type { StatementTrust } from './statements.ts';

export interface HolderParts {
  readonly settings: AgentSettings;
  readonly state: AgentState;
  readonly identity: AgentIdentity;
  /** Of the credentials that were kept. */
  readonly keptTrust: StatementTrust | undefined;
  /** Of the credentials there are at a moment. */
  readonly trust: () => StatementTrust | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the agent had kept, read, and what will hold it. */
export async function composeHolders(parts: HolderParts): Promise<{
  readonly holder: LabelHolder;
  /** Undefined: it is not to decide. */
  readonly roles: RoleHolder | undefined;
}> {
  const { settings, state, identity, keptTrust, trust, clock, log } = parts;
  const signed = settings.security.mode === 'mutual';
  const vouching = (by: StatementTrust | undefined): Vouching => (signed ? { signed, trust: by } : UNSIGNED);
  const owner = () => ({ serverId: identity.serverId, instance: identity.recordedInstance });
  const reader = { owner: owner(), vouching: vouching(keptTrust), now: clock() };
  const holding = {
    ...{ clock, log },
    holder: () => ({ serverId: identity.serverId, vouching: vouching(trust()) }),
  };
  const held = await state.readLabels(reader);
  const holder = new LabelHolder({ ...holding, store: state.labelStore(owner), held });
  if (settings.decides === false) return { holder, roles: undefined };
  const heldRoles = await state.readRoles(reader);
  const store = state.roleStore(owner);
  return { holder, roles: new RoleHolder({ ...holding, store, held: heldRoles }, isAsked(settings)) };
}

const UNSIGNED: Vouching = { signed: false };

/** Whether anybody can ask the agent: it has a socket. */
export function isAsked({ socket, ssh }: AgentSettings): boolean {
  return socket !== undefined || ssh !== undefined;
}
