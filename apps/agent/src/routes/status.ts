import { instanceKeyText } from '@tagplane/identity';
import type { AgentView } from '../agent-view.ts';
import { freshnessOf, seconds } from './labels.ts';

/** `GET /v1/status`. Times are RFC 3339 by this machine's clock. */
export interface StatusDocument {
  /** Empty until the auth service has given one. */
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
  readonly identity: {
    readonly mode: 'mutual' | 'insecure';
    /** SPIFFE ID. */
    readonly id: string | null;
    /** The instance that the certificate proves: account/region/id. */
    readonly instance: string | null;
    readonly certificate_expires_at: string | null;
    /** Negative when it has. */
    readonly certificate_expires_in_s: number | null;
    readonly trust_generation: number | null;
    /** By what it joins when it has to: token, iam or ec2. */
    readonly join_method: string | null;
    readonly problem: string | null;
  };
  readonly labels: {
    readonly revision: string;
    readonly freshness: 'fresh' | 'stale' | 'none';
    /** `disk`: from before this start, not yet confirmed by the auth service. */
    readonly source: 'stream' | 'disk' | 'none';
    readonly age_s: number | null;
    readonly remaining_s: number | null;
  };
  /** Null: this agent does not decide. */
  readonly roles: {
    readonly revision: string;
    readonly freshness: 'fresh' | 'stale' | 'none';
    readonly source: 'stream' | 'disk' | 'none';
    readonly count: number;
    readonly remaining_s: number | null;
  } | null;
  /** Files of labels and roles on disk that were not used, and why. */
  readonly refused: readonly { readonly file: string; readonly reason: string; readonly at: string }[];
  /** Tags by instance metadata; null: it is not asked. */
  readonly imported: {
    readonly labels: number;
    readonly age_s: number | null;
    readonly problem: string | null;
  } | null;
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
    identity: identityDocument(view),
    labels: {
      revision: held.revision,
      freshness: freshnessOf(view),
      source: held.source,
      age_s: seconds(held.ageMs),
      remaining_s: seconds(held.remainingMs),
    },
    roles: rolesDocument(view),
    refused: view.refused.map(({ file, reason, at }) => ({ file, reason, at: new Date(at).toISOString() })),
    imported: importedDocument(view),
    aws: {
      account_id: instance?.account ?? null,
      region: instance?.region ?? null,
      instance_id: instance?.instance ?? null,
      source: view.instanceSource,
      problem: view.instanceProblem ?? null,
    },
  };
}

function rolesDocument({ roles }: AgentView): StatusDocument['roles'] {
  if (roles === undefined) return null;
  const { revision, source, count, remainingMs } = roles;
  const freshness = remainingMs === undefined ? 'none' : remainingMs > 0 ? 'fresh' : 'stale';
  return { revision, freshness, source, count, remaining_s: seconds(remainingMs) };
}

function importedDocument({ stated: { imported } }: AgentView): StatusDocument['imported'] {
  if (imported === undefined) return null;
  const { labels, ageMs, problem } = imported;
  return { labels: labels.size, age_s: seconds(ageMs), problem: problem ?? null };
}

function identityDocument({ credentials: status, joinMethod }: AgentView): StatusDocument['identity'] {
  const held = status?.credentials;
  return {
    mode: status === undefined ? 'insecure' : 'mutual',
    id: held?.id ?? null,
    instance: held?.instance === undefined ? null : instanceKeyText(held.instance),
    certificate_expires_at: held === undefined ? null : new Date(held.validUntil).toISOString(),
    certificate_expires_in_s: seconds(status?.remainingMs),
    trust_generation: held?.trust.generation ?? null,
    join_method: joinMethod ?? null,
    problem: status?.problem ?? null,
  };
}
