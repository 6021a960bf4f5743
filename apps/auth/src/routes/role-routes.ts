import type { ConnectRouter } from '@connectrpc/connect';
import { RoleService } from '@tagplane/protocol';
import { deleteRole } from './delete-role.ts';
import { getRole } from './get-role.ts';
import { listRoles } from './list-roles.ts';
import { putRole } from './put-role.ts';
import type { RoleRoutes } from './put-role.ts';
import type { RouteContext } from './route-context.ts';

export function registerRoleRoutes(
  router: ConnectRouter,
  { roles, ...context }: RouteContext & Pick<RoleRoutes, 'roles'>,
): void {
  const routes: RoleRoutes = { store: context.stores.roles, roles, audit: context.audit };
  router.service(RoleService, {
    putRole: putRole(routes),
    getRole: getRole(routes),
    listRoles: listRoles(routes, context),
    deleteRole: deleteRole(routes),
  });
}
