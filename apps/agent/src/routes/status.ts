import type { AgentView } from '../agent-view.ts';
import { freshnessOf, seconds } from './labels.ts';

/** `GET /v1/status`. Times are RFC 3339 by this machine's clock. */
export interface StatusDocument {
  readonly server_id: string;
  readonly hostname: string;
  readonly version: string;
  readonly connection: {
    readonly state: 'connected' | 'connecting' | 'waiting' | 'stopped';
    readonly address: string | null;
    readonly auth_id: string | null;
    readonly since: string;
    /** While waiting: until the next attempt. */
    readonly retry_in_s: number | null;
    readonly last_error: string | null;
  };
  readonly labels: {
    readonly revision: string;
    readonly freshness: 'fresh' | 'stale' | 'none';
    /** `disk`: from before this start, not yet confirmed by the auth service. */
    readonly source: 'stream' | 'disk' | 'none';
    readonly age_s: number | null;
    readonly remaining_s: number | null;
  };
  readonly aws: {
    readonly account_id: string | null;
    readonly region: string | null;
    readonly instance_id: string | null;
    readonly source: string;
    readonly problem: string | null;
  };
}

/** @param now Unix milliseconds */
export function statusDocument(view: AgentView, now: number): StatusDocument {
  const { connection, held, instance } = view;
  return {
    server_id: view.serverId,
    hostname: view.hostname,
    version: view.version,
    connection: {
      state: connection.state,
      address: connection.address ?? null,
      auth_id: connection.authId ?? null,
      since: new Date(connection.since).toISOString(),
      retry_in_s: connection.retryAt === undefined ? null : seconds(Math.max(0, connection.retryAt - now)),
      last_error: connection.lastError ?? null,
    },
    labels: {
      revision: held.revision,
      freshness: freshnessOf(view),
      source: held.source,
      age_s: seconds(held.ageMs),
      remaining_s: seconds(held.remainingMs),
    },
    aws: {
      account_id: instance?.account ?? null,
      region: instance?.region ?? null,
      instance_id: instance?.instance ?? null,
      source: view.instanceSource,
      problem: view.instanceProblem ?? null,
    },
  };
}
