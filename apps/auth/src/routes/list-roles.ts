import type { ServiceImpl } from '@connectrpc/connect';
import { storedRoleToMessage } from '@tagplane/protocol';
import type { RoleService } from '@tagplane/protocol';
import { ROLE_PREFIX } from '../roles/role-codec.ts';
import { readPage } from './page.ts';
import type { RoleRoutes } from './put-role.ts';
import { readableRole } from './readable.ts';
import type { UnreadableSink } from './readable.ts';

type ListRoles = ServiceImpl<typeof RoleService>['listRoles'];

export function listRoles({ store }: Pick<RoleRoutes, 'store'>, sink: UnreadableSink): ListRoles {
  return async ({ pageSize, pageToken }, { signal }) => {
    const page = await readPage(
      store,
      { pageSize, pageToken, prefix: ROLE_PREFIX },
      (entry) => {
        const role = readableRole(entry, sink);
        return role && storedRoleToMessage(role);
      },
      signal,
    );
    return { roles: page.items, nextPageToken: page.nextPageToken };
  };
}
