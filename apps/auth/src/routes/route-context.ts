import type { Logger } from '@tagplane/runtime';
import type { Audit } from '../audit/audit.ts';
import type { Fences } from '../discovery/fence.ts';
import type { Guard } from '../guard/guard.ts';
import type { AuthMetrics } from '../metrics.ts';
import type { AssignedIndex } from '../reconcile/assigned-index.ts';
import type { AssignedWrites } from '../reconcile/assigned-writes.ts';
import type { Stores } from '../stores/open-stores.ts';

/** What the routes share. */
export interface RouteContext {
  readonly stores: Stores;
  readonly metrics: AuthMetrics;
  readonly audit: Audit;
  readonly log: Logger;
}

/** What the routes share that write ServerInfos. */
export interface AssignedContext extends RouteContext {
  /** Those of operators: as this process knows them, and what it has just written of them. */
  readonly assigned: {
    readonly index: Pick<AssignedIndex, 'set' | 'loaded'>;
    readonly writes: AssignedWrites;
  };
  /** Asked about what discoveries write. */
  readonly fences: Fences;
  /** Asked about what operators write. */
  readonly guard: Guard;
}
