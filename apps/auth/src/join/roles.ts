import { Role } from '@tagplane/protocol';

/** What one may join as. */
export const JOIN_ROLES = ['agent', 'discovery', 'operator'] as const;

export type JoinRole = (typeof JOIN_ROLES)[number];

const MESSAGES: Readonly<Record<JoinRole, Role>> = {
  agent: Role.AGENT,
  discovery: Role.DISCOVERY,
  operator: Role.OPERATOR,
};

/** Undefined for a role that nobody joins as. */
export function joinRoleOf(role: Role): JoinRole | undefined {
  return JOIN_ROLES.find((known) => MESSAGES[known] === role);
}

export function joinRoleMessage(role: JoinRole): Role {
  return MESSAGES[role];
}
