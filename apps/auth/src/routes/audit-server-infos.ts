import type { Role } from '@tagplane/identity';
import { UpsertStatus } from '@tagplane/protocol';
import type { UpsertResult } from '@tagplane/protocol';
import type { Audit } from '../audit/audit.ts';
import type { Caller } from './caller.ts';

/** Different reasons of one call that are told apart: each may name an instance, and there may be 1,000. */
const MAX_REASONS = 10;

export interface Upserted {
  readonly role: Role;
  readonly caller: Caller;
  /** As sent, which may be any text; undefined: it could not be read. */
  readonly names: readonly (string | undefined)[];
  /** In the order of the names. */
  readonly results: readonly UpsertResult[];
  /** Who had asked for it before it was held, as `role/name`; the caller has released it. */
  readonly requestedBy?: string;
}

/**
 * What discovery wrote is one event a call, what operators changed one event each; what was refused is one
 * event for each reason. No label is in them.
 */
export function auditUpserts(audit: Audit, { names, results, ...upserted }: Upserted): void {
  const { caller } = upserted;
  const accepted: string[] = [];
  const refused = new Map<string, string[]>();
  let conflicts = 0;
  let held = 0;
  for (const [index, { status, reason }] of results.entries()) {
    const name = names[index] ?? '';
    if (status === UpsertStatus.ACCEPTED) accepted.push(name);
    else if (status === UpsertStatus.CONFLICT) conflicts += 1;
    // The guard says so itself.
    else if (status === UpsertStatus.HELD) held += 1;
    else addRefused(refused, reason, name);
  }
  auditWrites(
    audit,
    'server_info.upserted',
    { ...upserted, names: accepted },
    {
      accepted: String(accepted.length),
      refused: String(results.length - accepted.length - conflicts - held),
      conflicts: String(conflicts),
    },
  );
  for (const [reason, subjects] of refused) {
    audit.record({ code: 'server_info.refused', result: 'refused', ...caller, reason, subjects });
  }
}

/** The same for what was deleted. */
export function auditDeletes(audit: Audit, deleted: Omit<Upserted, 'names' | 'results'> & Names): void {
  auditWrites(audit, 'server_info.deleted', deleted, {});
}

interface Names {
  readonly names: readonly string[];
}

/** What a discovery was not let delete: one event for each owner. */
export function auditKept(
  audit: Audit,
  caller: Caller,
  kept: readonly { readonly name: string; readonly owner: string }[],
): void {
  for (const [owner, items] of Map.groupBy(kept, (item) => item.owner)) {
    const subjects = items.map(({ name }) => name);
    const reason = `it belongs to ${owner}`;
    audit.record({ code: 'server_info.refused', result: 'refused', ...caller, reason, subjects });
  }
}

function auditWrites(
  audit: Audit,
  code: 'server_info.upserted' | 'server_info.deleted',
  { role, caller, names, requestedBy }: Omit<Upserted, 'names' | 'results'> & Names,
  counts: Readonly<Record<string, string>>,
): void {
  if (names.length === 0) return;
  const record = { code, result: 'ok', ...caller } as const;
  if (role === 'discovery') audit.record({ ...record, subjects: names, details: counts });
  else {
    const details = requestedBy === undefined ? {} : { details: { requested_by: requestedBy } };
    for (const name of names) audit.record({ ...record, ...details, subjects: [name] });
  }
}

function addRefused(refused: Map<string, string[]>, reason: string, name: string): void {
  const known = refused.has(reason) || refused.size < MAX_REASONS;
  const key = known ? reason : 'for other reasons';
  const names = refused.get(key) ?? [];
  if (name !== '') names.push(name);
  refused.set(key, names);
}
