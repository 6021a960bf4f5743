import type { AccountId, Region } from '@tagplane/identity';

/** How a scope does, for readiness and for those who ask the auth service. Times are Unix milliseconds. */
export interface ScopeStatus {
  readonly id: string;
  /** Undefined while unknown. */
  readonly account: AccountId | undefined;
  /** Undefined when what failed is finding out the regions, or the accounts. */
  readonly region: Region | undefined;
  /** `pending`: no attempt has ended yet. */
  readonly state: 'pending' | 'ok' | 'failing';
  /** What failed and how to mend it, in one line; undefined unless failing. */
  readonly problem: string | undefined;
  /** Of the last complete scan. */
  readonly instances: number;
  readonly rejectedTags: number;
  readonly rejectedInstances: number;
  readonly lastCompleteAt: number | undefined;
  /** Since the process started, retries included; and how many of them EC2 throttled. */
  readonly requests: number;
  readonly throttles: number;
  /** Of EC2's request rate at its place, over the last minute: 0 to 1. */
  readonly quotaUsed: number;
  /** How long the next request there waits for its turn. */
  readonly behindMs: number;
  readonly lastEventAt: number | undefined;
}

const FRESH = {
  state: 'pending',
  problem: undefined,
  instances: 0,
  rejectedTags: 0,
  rejectedInstances: 0,
  lastCompleteAt: undefined,
  requests: 0,
  throttles: 0,
  quotaUsed: 0,
  behindMs: 0,
  lastEventAt: undefined,
} as const;

const FIELDS = [
  'account',
  'region',
  ...(Object.keys(FRESH) as (keyof typeof FRESH)[]),
] satisfies (keyof ScopeStatus)[];

/** Every scope's status; an unchanged one is the same object. It outlives a term of the lease. */
export class ScopeStatuses {
  readonly #statuses = new Map<string, ScopeStatus>();

  get(id: string): ScopeStatus | undefined {
    return this.#statuses.get(id);
  }

  /** In the order in which they came. */
  all(): readonly ScopeStatus[] {
    return [...this.#statuses.values()];
  }

  /** Begins with a scope, unless it is there; what is said of where it is counts in any case. */
  begin(scope: Pick<ScopeStatus, 'id' | 'account' | 'region'>): void {
    this.#statuses.set(scope.id, { ...FRESH, ...this.#statuses.get(scope.id), ...scope });
  }

  /** Changes a scope's status; of one that is gone nothing is noted. */
  note(id: string, change: Partial<Omit<ScopeStatus, 'id'>>): void {
    const status = this.#statuses.get(id);
    if (status === undefined) return;
    const next = { ...status, ...change };
    if (FIELDS.some((field) => next[field] !== status[field])) this.#statuses.set(id, next);
  }

  /** A scope was asked for instances, retries included. */
  asked(id: string, requests: number): void {
    this.note(id, { requests: (this.get(id)?.requests ?? 0) + requests });
  }

  /** A term of the lease begins: nothing is known of what the scopes have, but what they have cost. */
  restart(): void {
    for (const { id, region } of this.all()) {
      if (region !== undefined) this.note(id, { state: 'pending', problem: undefined });
    }
  }

  /** An event about one of its instances arrived. */
  heard(id: string, now: number): void {
    this.note(id, { lastEventAt: now });
  }

  end(id: string): void {
    this.#statuses.delete(id);
  }
}
