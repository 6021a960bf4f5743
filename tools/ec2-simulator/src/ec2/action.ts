import type { Estate } from '../estate/estate.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { ServiceRequest } from '../service.ts';
import type { PageTokens } from './page-token.ts';

export interface ActionContext {
  readonly fleet: Fleet;
  readonly estate: Estate;
  readonly tokens: PageTokens;
  /** A page holds at most so many instances, whatever MaxResults says; undefined: as many as that. */
  readonly pageSize: number | undefined;
}

/**
 * Checks a request, carries it out, and gives what stands inside the response element. Everything that
 * can be refused is refused before the first piece is taken. Throws AwsError.
 */
export type Action = (request: ServiceRequest, context: ActionContext) => Iterable<string>;
