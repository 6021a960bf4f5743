import type { Role } from '@tagplane/identity';
import { Role as RoleMessage } from './gen/tagplane/v1/identity_pb.ts';

const MESSAGES: Readonly<Record<Role, RoleMessage>> = {
  agent: RoleMessage.AGENT,
  discovery: RoleMessage.DISCOVERY,
  operator: RoleMessage.OPERATOR,
  auth: RoleMessage.AUTH,
};

export function roleToMessage(role: Role): RoleMessage {
  return MESSAGES[role];
}

/** Undefined when it was not said, or is one that this version does not know. */
export function roleFromMessage(message: RoleMessage): Role | undefined {
  switch (message) {
    case RoleMessage.AGENT:
      return 'agent';
    case RoleMessage.DISCOVERY:
      return 'discovery';
    case RoleMessage.OPERATOR:
      return 'operator';
    case RoleMessage.AUTH:
      return 'auth';
    default:
      return undefined;
  }
}
