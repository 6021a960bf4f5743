import type { Cell } from '../format/table.ts';
import type { GroupView } from './discovery-group.ts';
import type { ScopeView } from './discovery-scope.ts';

/** All discoveries of a cluster, as JSON and YAML show them; others script against these names. */
export interface DiscoveryStatusView {
  readonly groups: readonly GroupView[];
  readonly scopes: ScopeCounts;
  /** Of the last complete scans. */
  readonly instances: number;
  readonly rejected_tags: number;
  readonly rejected_instances: number;
  /** Those that fail, by group and id. */
  readonly failing: readonly ScopeView[];
}

export interface ScopeCounts {
  readonly total: number;
  readonly ok: number;
  readonly pending: number;
  readonly failing: number;
}

/** Adds up scopes as they are read; only failing ones are kept. */
export class DiscoverySummary {
  readonly #failing: ScopeView[] = [];
  readonly #counts = { total: 0, ok: 0, pending: 0, failing: 0 };
  readonly #totals = { instances: 0, rejected_tags: 0, rejected_instances: 0 };

  add(scopes: readonly ScopeView[]): void {
    for (const scope of scopes) {
      this.#counts.total += 1;
      if (scope.state === 'OK') this.#counts.ok += 1;
      if (scope.state === 'PENDING') this.#counts.pending += 1;
      if (scope.state === 'FAILING') {
        this.#counts.failing += 1;
        this.#failing.push(scope);
      }
      this.#totals.instances += scope.instances;
      this.#totals.rejected_tags += scope.rejected_tags;
      this.#totals.rejected_instances += scope.rejected_instances;
    }
  }

  view(groups: readonly GroupView[]): DiscoveryStatusView {
    return { groups, scopes: { ...this.#counts }, ...this.#totals, failing: this.#failing };
  }
}

export function summaryDetails(view: DiscoveryStatusView): (readonly [string, Cell])[] {
  const { total, ok, pending, failing } = view.scopes;
  return [
    ['scopes', { text: `${total}: ${ok} ok, ${pending} pending` }],
    ['failing', { text: String(failing), colour: failing === 0 ? 'green' : 'red' }],
    ['instances', { text: String(view.instances) }],
    ['rejected tags', { text: String(view.rejected_tags) }],
    ['rejected instances', { text: String(view.rejected_instances) }],
  ];
}
