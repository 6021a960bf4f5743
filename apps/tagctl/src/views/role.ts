import { Role } from '@tagplane/protocol';

export type RoleName = 'agent' | 'discovery' | 'operator' | 'auth' | 'unknown';

/** `unknown`: a role that this version does not know. */
export function roleName(role: Role): RoleName {
  switch (role) {
    case Role.AGENT:
      return 'agent';
    case Role.DISCOVERY:
      return 'discovery';
    case Role.OPERATOR:
      return 'operator';
    case Role.AUTH:
      return 'auth';
    default:
      return 'unknown';
  }
}
