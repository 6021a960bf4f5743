import type { ServiceImpl } from '@connectrpc/connect';
import type { RoleService } from '@tagplane/protocol';
import { isRoleName, roleKey } from '../roles/role-codec.ts';
import { callerOf } from './caller.ts';
import type { RoleRoutes } from './put-role.ts';

type DeleteRole = ServiceImpl<typeof RoleService>['deleteRole'];

export function deleteRole({ store, audit }: Pick<RoleRoutes, 'store' | 'audit'>): DeleteRole {
  return async ({ name }, context) => {
    if (!isRoleName(name)) return { deleted: false };
    const [result] = await store.delete([{ key: roleKey(name) }], { signal: context.signal });
    const deleted = result?.written === true;
    if (deleted) audit.record({ code: 'role.deleted', result: 'ok', ...callerOf(context), subjects: [name] });
    return { deleted };
  };
}
