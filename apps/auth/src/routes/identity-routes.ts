import type { ConnectRouter } from '@connectrpc/connect';
import {
  AuditService,
  CaService,
  IdentityService,
  JoinRecordService,
  JoinService,
  LockService,
  TokenService,
} from '@tagplane/protocol';
import type { Store } from '@tagplane/store';
import type { AuditLog } from '../audit/audit-log.ts';
import type { ClusterAuthority } from '../ca/cluster-authority.ts';
import type { JoinMethods } from '../join/methods.ts';
import type { JoinMetrics } from '../join/metrics.ts';
import type { LockRegistry } from '../locks/create-locks.ts';
import { addLock } from './add-lock.ts';
import { addToken } from './add-token.ts';
import { getCaStatus } from './get-ca-status.ts';
import { getTrust } from './get-trust.ts';
import { joinRoute } from './join.ts';
import { listJoins } from './list-joins.ts';
import { listLocks } from './list-locks.ts';
import { listTokens } from './list-tokens.ts';
import { removeLock } from './remove-lock.ts';
import { removeToken } from './remove-token.ts';
import { renewCertificate } from './renew-certificate.ts';
import { resetJoin } from './reset-join.ts';
import { rotateCa } from './rotate-ca.ts';
import { tailAudit } from './tail-audit.ts';

/** Services that are there with mutual TLS only. */
export const IDENTITY_SERVICES = [
  IdentityService,
  JoinService,
  TokenService,
  LockService,
  JoinRecordService,
  CaService,
  AuditService,
];

export interface IdentityRoutes {
  readonly authority: ClusterAuthority;
  readonly audit: AuditLog;
  readonly locks: LockRegistry;
  readonly join: JoinMethods & { readonly metrics: JoinMetrics; readonly maxExchanges: number };
  /** Of what decides who may do what. */
  readonly store: Store;
}

/** All that has to do with who is who. */
export function registerIdentityRoutes(
  router: ConnectRouter,
  { authority, audit, locks, join, store }: IdentityRoutes,
  closing: AbortSignal,
): void {
  const now = (): number => Date.now();
  const { tokens, records } = join;
  const { cluster } = authority;
  router.service(IdentityService, {
    renewCertificate: renewCertificate({ authority, audit }),
    getTrust: getTrust(authority),
  });
  router.service(JoinService, { join: joinRoute({ ...join, authority, locks, audit, now }) });
  router.service(TokenService, {
    addToken: addToken({ tokens, audit, authority }),
    listTokens: listTokens({ store, now }),
    removeToken: removeToken({ tokens, audit }),
  });
  router.service(LockService, {
    addLock: addLock({ locks, audit, cluster }),
    listLocks: listLocks({ locks }),
    removeLock: removeLock({ locks, audit }),
  });
  router.service(JoinRecordService, {
    listJoins: listJoins({ store }),
    resetJoin: resetJoin({ records, audit }),
  });
  router.service(CaService, {
    getCaStatus: getCaStatus(authority),
    rotateCa: rotateCa({ authority, audit }),
  });
  router.service(AuditService, { tailAudit: tailAudit(audit, closing) });
}
