import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { storedRoleToMessage } from '@tagplane/protocol';
import type { RoleService } from '@tagplane/protocol';
import { isRoleName } from '../roles/role-codec.ts';
import type { RoleRoutes } from './put-role.ts';
import { readRole } from './put-role.ts';

type GetRole = ServiceImpl<typeof RoleService>['getRole'];

export function getRole({ store }: Pick<RoleRoutes, 'store'>): GetRole {
  return async ({ name }, { signal }) => {
    const role = isRoleName(name) ? await readRole(store, name, signal) : undefined;
    if (role === undefined) throw new ConnectError('there is no role of this name', Code.NotFound);
    return { role: storedRoleToMessage(role) };
  };
}
