import type { Audit } from '../audit/audit.ts';
import type { Discovery } from '../discovery/create-discovery.ts';
import type { Tokens } from '../join/token/tokens.ts';
import type { Stores } from '../stores/open-stores.ts';

/** What the routes of discoveries share. */
export interface DiscoveryContext extends Omit<Discovery, 'discoveryWatch'> {
  readonly stores: Stores;
  readonly audit: Audit;
  /** Undefined: without TLS nobody joins. */
  readonly tokens: Tokens | undefined;
}
