import type { Credentials } from '@tagplane/credentials';
import type { Logger } from '@tagplane/runtime';
import type { AgentCredentials } from './agent-credentials.ts';
import type { AgentIdentity, IdentityChange } from './agent-identity.ts';
import { certifiedBy } from './certified.ts';
import type { ControlClient } from './control-client.ts';
import type { LabelHolder } from './label-holder.ts';
import type { RoleHolder } from './roles/role-holder.ts';

/** The parts of an agent that who it is makes a difference to. */
export interface Followers {
  readonly identity: AgentIdentity;
  readonly credentials: AgentCredentials | undefined;
  readonly holder: LabelHolder;
  readonly roles: RoleHolder | undefined;
  readonly client: ControlClient;
}

/** Instance metadata answered at last. */
export async function followMetadata(change: IdentityChange, agent: Followers, log: Logger): Promise<void> {
  if (change.foreign !== undefined) await agent.credentials?.giveUp(change.foreign);
  await follow(change, agent, log);
}

/** Credentials are in effect: the first, or others than before. */
export async function followCredentials(
  credentials: Credentials,
  agent: Followers,
  log: Logger,
): Promise<void> {
  const { identity, client } = agent;
  const connected = client.status().state === 'connected';
  await follow(await identity.certify(certifiedBy(credentials)), agent, log);
  // Whatever it waits for was of the credentials before. A renewal leaves the stream as it is.
  if (!connected) client.reidentified();
}

async function follow(
  { discard, renamed }: IdentityChange,
  { identity, holder, roles, client }: Followers,
  log: Logger,
): Promise<void> {
  if (discard === undefined && !renamed) {
    client.changed();
    return;
  }
  // Before anything waits: what comes on the stream there is is meant for another server.
  client.reidentified();
  if (discard === undefined) return;
  log.warn({ event: 'identity_changed', reason: discard, server_id: identity.serverId });
  await holder.discard();
  await roles?.discard();
}
