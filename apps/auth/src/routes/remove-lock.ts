import type { ServiceImpl } from '@connectrpc/connect';
import type { LockService } from '@tagplane/protocol';
import { parseLockId } from '../locks/lock.ts';
import type { LockRoutes } from './add-lock.ts';
import { callerOf } from './caller.ts';

type RemoveLock = ServiceImpl<typeof LockService>['removeLock'];

export function removeLock({ locks, audit }: Pick<LockRoutes, 'locks' | 'audit'>): RemoveLock {
  return async ({ id }, context) => {
    if (parseLockId(id) === undefined) return { removed: false };
    const removed = await locks.remove(id, context.signal);
    if (removed) audit.record({ code: 'lock.removed', result: 'ok', ...callerOf(context), subjects: [id] });
    return { removed };
  };
}
