import { MINUTE } from '@tagplane/runtime';
import type { ScopeStatus } from '../estate/scope-status.ts';

/** As many as one request may carry. */
export const MAX_SCOPES = 1_000;
/** Counts and shares change all the time; once a minute is often enough for people. */
const FIGURES_MS = MINUTE;
/** Said again although nothing changed: a third of the 30 minutes after which it is forgotten. */
const REPEAT_MS = 10 * MINUTE;
/** What the leader before said of a scope stands until its first scan here has ended, or this long. */
const PENDING_MS = MINUTE;

/** What was said of a scope last. */
export interface Said {
  readonly status: ScopeStatus;
  readonly at: number;
}

export interface Report {
  readonly scopes: readonly ScopeStatus[];
  /** Ids of scopes that were reported and are no more. */
  readonly removed: readonly string[];
}

/**
 * What is to be said now, at most a request's worth; undefined: nothing. Those that were never reported
 * come first, then those that were reported longest ago, so that a change of many starves nobody.
 *
 * @param startedAt when this began to report
 */
export function planReport(
  statuses: readonly ScopeStatus[],
  said: ReadonlyMap<string, Said>,
  { now, startedAt }: { readonly now: number; readonly startedAt: number },
): Report | undefined {
  const ids = new Set(statuses.map(({ id }) => id));
  const removed = said
    .keys()
    .filter((id) => !ids.has(id))
    .take(MAX_SCOPES)
    .toArray();
  const scopes = statuses
    .filter((status) => isDue(status, said.get(status.id), now, startedAt))
    .toSorted((a, b) => (said.get(a.id)?.at ?? 0) - (said.get(b.id)?.at ?? 0))
    .slice(0, MAX_SCOPES);
  return scopes.length + removed.length === 0 ? undefined : { scopes, removed };
}

function isDue(status: ScopeStatus, said: Said | undefined, now: number, startedAt: number): boolean {
  if (said === undefined) return status.state !== 'pending' || now - startedAt >= PENDING_MS;
  if (said.status === status) return now - said.at >= REPEAT_MS;
  if (FACTS.some((fact) => said.status[fact] !== status[fact])) return true;
  const age = now - said.at;
  return age >= REPEAT_MS || (age >= FIGURES_MS && FIGURES.some((key) => said.status[key] !== status[key]));
}

/** What a person waits for. */
const FACTS = [
  'account',
  'region',
  'state',
  'problem',
  'instances',
  'rejectedTags',
  'rejectedInstances',
] as const satisfies readonly (keyof ScopeStatus)[];

const FIGURES = [
  'lastCompleteAt',
  'requests',
  'throttles',
  'quotaUsed',
  'behindMs',
  'lastEventAt',
] as const satisfies readonly (keyof ScopeStatus)[];
