import type { Logger } from '@tagplane/runtime';
import type { Audit } from '../audit/audit.ts';
import type { AuthMetrics } from '../metrics.ts';
import type { Stores } from '../stores/open-stores.ts';

/** What the routes share. */
export interface RouteContext {
  readonly stores: Stores;
  readonly metrics: AuthMetrics;
  readonly audit: Audit;
  readonly log: Logger;
}
