import type { PlaceUsage, QuotaGovernor } from '@tagplane/ec2';
import type { Logger } from '@tagplane/runtime';
import type { EstateBlock } from './config.ts';
import { EstateBook } from './estate-book.ts';
import { followEstate, learnOwnAccounts } from './follow.ts';
import type { EstateLookups } from './lookups.ts';
import type { ScopeMaker } from './make-scope.ts';
import { diffScopes, planScopes } from './plan-scopes.ts';
import type { EstatePlan } from './plan-scopes.ts';
import { ScopeTable } from './scope.ts';
import type { Scope, ScopeSet } from './scope.ts';
import { ScopeStatuses } from './scope-status.ts';
import type { ScopeStatus } from './scope-status.ts';

export interface EstateParts {
  readonly blocks: readonly EstateBlock[];
  readonly maker: Pick<ScopeMaker, 'make' | 'end'>;
  readonly lookups: EstateLookups;
  readonly governor: Pick<QuotaGovernor, 'usage'>;
  readonly log: Logger;
}

/** What there is to scan, as it comes and goes; it outlives the terms of a lease. */
export interface Estate {
  readonly scopes: ScopeSet;
  readonly statuses: ScopeStatuses;
  /** Makes the scopes that can be told without asking long. */
  begin(signal: AbortSignal): Promise<void>;
  /** Follows accounts and regions until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** How every scope does, placeholders included, with the figures of its place's budget. */
  readonly report: () => readonly ScopeStatus[];
}

export function createEstate({ blocks, maker, lookups, governor, log }: EstateParts): Estate {
  const book = new EstateBook();
  const scopes = new ScopeTable();
  const statuses = new ScopeStatuses();
  let placeholders: EstatePlan['placeholders'] = [];
  const apply = (): void => {
    const plan = planScopes(blocks, book);
    change(scopes, statuses, { maker, log }, plan);
    const now = new Set(plan.placeholders.map(({ id }) => id));
    const ids = new Set(scopes.current().map(({ id }) => id));
    for (const { id } of placeholders) if (!now.has(id) && !ids.has(id)) statuses.end(id);
    placeholders = plan.placeholders;
    for (const placeholder of placeholders) {
      const problem = book.problem(placeholder);
      statuses.begin({ id: placeholder.id, account: placeholder.account, region: undefined });
      if (problem !== undefined) statuses.note(placeholder.id, { state: 'failing', problem });
    }
  };
  const following = { blocks, book, lookups, changed: apply, log };
  return {
    scopes,
    statuses,
    begin: async (signal) => {
      await learnOwnAccounts(following, signal);
      apply();
    },
    run: (signal) => followEstate(following, signal),
    report: () => {
      noteUsage(scopes.current(), statuses, governor.usage());
      return statuses.all();
    },
  };
}

/** Begins and ends scopes. Those that stay are the same objects. */
function change(
  table: ScopeTable,
  statuses: ScopeStatuses,
  { maker, log }: Pick<EstateParts, 'maker' | 'log'>,
  plan: EstatePlan,
): void {
  const { begin, end } = diffScopes(table.current(), plan.scopes);
  if (begin.length + end.length === 0) return;
  const before = accountsIn(table.current());
  const ending = new Set(end);
  const made = begin.map((wanted) => maker.make(wanted));
  table.replace([...table.current().filter((scope) => !ending.has(scope)), ...made]);
  for (const scope of end) maker.end(scope);
  const ids = new Set(table.current().map(({ id }) => id));
  for (const { id } of end) if (!ids.has(id)) statuses.end(id);
  for (const { id, place } of made) statuses.begin({ id, account: place.account, region: place.region });
  const after = accountsIn(table.current());
  log.info({
    event: 'scopes_changed',
    scopes: ids.size,
    begun: begin.length,
    ended: end.length,
    accounts: after.size,
    accounts_left: [...before].filter((account) => !after.has(account)),
  });
}

function accountsIn(scopes: readonly Scope[]): Set<string> {
  return new Set(scopes.flatMap(({ place }) => place.account ?? []));
}

function noteUsage(scopes: readonly Scope[], statuses: ScopeStatuses, usage: readonly PlaceUsage[]): void {
  const byPlace = new Map(usage.map((place) => [`${place.account}/${place.region}`, place]));
  for (const { id, place } of scopes) {
    const used = byPlace.get(`${place.account}/${place.region}`);
    if (used === undefined) continue;
    const { throttles, quotaUsed, behindMs } = used;
    statuses.note(id, { throttles, quotaUsed, behindMs });
  }
}
