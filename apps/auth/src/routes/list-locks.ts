import type { ServiceImpl } from '@connectrpc/connect';
import type { LockService } from '@tagplane/protocol';
import type { LockRoutes } from './add-lock.ts';
import { lockMessage } from './lock-message.ts';

type ListLocks = ServiceImpl<typeof LockService>['listLocks'];

/** As the store has them, which is what every auth process comes to. */
export function listLocks({ locks }: Pick<LockRoutes, 'locks'>): ListLocks {
  return async (_request, { signal }) => ({ locks: (await locks.list(signal)).map(lockMessage) });
}
