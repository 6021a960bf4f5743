import { fromJson, toJson } from '@bufbuild/protobuf';
import type { JsonValue } from '@bufbuild/protobuf';
import { ScopeReportSchema } from '@tagplane/protocol';
import type { ScopeReport } from '@tagplane/protocol';
import { MINUTE } from '@tagplane/runtime';
import type { Entry, Store } from '@tagplane/store';
import { z } from 'zod';
import { parsed } from './parsed.ts';

export const SCOPE_PREFIX = 'scope/';
/** Three times as long as a scope without news is not told of. */
const TTL_MS = 30 * MINUTE;
/** Of one group: 100 accounts in all regions are 3,400. */
export const MAX_SCOPES = 5_000;

/** What a group said of a scope. */
export interface StoredScope {
  readonly group: string;
  readonly id: string;
  readonly state: 'pending' | 'ok' | 'failing';
  readonly problem: string;
  /** Unix milliseconds of the auth process that was told. */
  readonly reportedAt: number;
  /** The report, as protobuf writes it in JSON. */
  readonly json: JsonValue;
}

/** A group that would have more scopes than it may. */
export class TooManyScopesError extends Error {
  override readonly name = 'TooManyScopesError';
}

const stored = z.tuple([
  z.literal(1),
  z.int(),
  z.enum(['pending', 'ok', 'failing']),
  z.string(),
  z.record(z.string(), z.json()),
]);

/** How the scopes of all groups do. */
export class ScopeReports {
  readonly #store: Store;

  constructor({ store }: { readonly store: Store }) {
    this.#store = store;
  }

  /** @throws TooManyScopesError */
  async put(group: string, reports: readonly ScopeReport[], now: number, signal: AbortSignal): Promise<void> {
    const prefix = groupPrefix(group);
    const puts = reports.map((report) => ({
      key: prefix + report.id,
      value: encode(report, now),
      ttlMs: TTL_MS,
    }));
    const count = await this.#store.count(prefix, { signal });
    if (count + puts.length > MAX_SCOPES) {
      const found = await this.#store.getMany([...new Set(puts.map(({ key }) => key))], { signal });
      const fresh = found.filter(({ state }) => state !== 'live').length;
      if (count + fresh > MAX_SCOPES) throw new TooManyScopesError();
    }
    await this.#store.put(puts, { signal });
  }

  async remove(group: string, ids: readonly string[], signal: AbortSignal): Promise<void> {
    if (ids.length === 0) return;
    await this.#store.delete(
      ids.map((id) => ({ key: groupPrefix(group) + id })),
      { signal },
    );
  }
}

function groupPrefix(group: string): string {
  return `${SCOPE_PREFIX}${group}/`;
}

function encode(report: ScopeReport, now: number): string {
  const state = (['pending', 'pending', 'ok', 'failing'] as const)[report.state] ?? 'pending';
  return JSON.stringify([1, now, state, report.problem, toJson(ScopeReportSchema, report)]);
}

/** Undefined for one of a version that is not known here. */
export function decodeScope({ key, value }: Pick<Entry, 'key' | 'value'>): StoredScope | undefined {
  const result = stored.safeParse(parsed(value));
  if (!result.success) return undefined;
  const name = key.slice(SCOPE_PREFIX.length);
  const slash = name.indexOf('/');
  const [, reportedAt, state, problem, json] = result.data;
  return { group: name.slice(0, slash), id: name.slice(slash + 1), state, problem, reportedAt, json };
}

export function scopeReport({ json }: Pick<StoredScope, 'json'>): ScopeReport {
  return fromJson(ScopeReportSchema, json, { ignoreUnknownFields: true });
}
