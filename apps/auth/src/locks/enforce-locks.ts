import { peerText } from '@tagplane/identity';
import type { PeerConnection } from '@tagplane/protocol';
import { errorMessage } from '@tagplane/runtime';
import type { Logger } from '@tagplane/runtime';
import type { Audit } from '../audit/audit.ts';
import type { LockRegistry } from './create-locks.ts';
import { lockReason } from './lock.ts';

export interface EnforceOptions {
  readonly locks: Pick<LockRegistry, 'lockOf' | 'onLock' | 'countCut'>;
  /** Those that are open now; asked anew each time. */
  readonly connections: () => Iterable<Pick<PeerConnection, 'identity' | 'remoteAddress' | 'cut'>>;
  readonly audit: Audit;
  readonly log: Logger;
}

/**
 * Cuts live connections of whoever is locked, as soon as this process knows of the lock: at once where it
 * was added, elsewhere when the store's feed tells, which is within a second. Each cut is audited once.
 */
export function enforceLocks({ locks, connections, audit, log }: EnforceOptions): Disposable {
  /** A connection may still be among the open ones for a moment after its cut. */
  const done = new WeakSet<object>();
  return locks.onLock(() => {
    for (const connection of connections()) {
      const { identity, remoteAddress } = connection;
      const lock = identity === undefined || done.has(connection) ? undefined : locks.lockOf(identity);
      if (identity === undefined || lock === undefined) continue;
      done.add(connection);
      const reason = lockReason(lock);
      const actor = peerText(identity.peer);
      locks.countCut();
      audit.record({
        code: 'lock.enforced',
        result: 'ok',
        actor,
        remoteAddress,
        reason,
        subjects: [lock.id],
      });
      try {
        connection.cut(reason);
      } catch (error) {
        log.error({ event: 'cut_failed', peer: actor, err: errorMessage(error) });
      }
    }
  });
}
