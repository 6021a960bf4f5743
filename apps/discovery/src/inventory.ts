import type { FoundInstance } from '@tagplane/serverinfo';

/** What a complete scan found, by ServerInfo name. */
export type ScopeFindings = ReadonlyMap<string, FoundInstance>;

/** The last complete scan of every scope: what this process believes to be there. */
export class Inventory {
  readonly #scopes = new Map<string, ScopeFindings>();

  /** What the scope's last complete scan found; empty before the first. */
  of(scope: string): ScopeFindings {
    return this.#scopes.get(scope) ?? new Map();
  }

  /** Whether the scope has been scanned to its end. */
  has(scope: string): boolean {
    return this.#scopes.has(scope);
  }

  /**
   * Takes the place of what the scope's scan before found.
   *
   * @returns names that no scope has any more
   */
  replace(scope: string, findings: ScopeFindings): string[] {
    const before = this.of(scope);
    this.#scopes.set(scope, findings);
    return [...before.keys()].filter((name) => this.find(name) === undefined);
  }

  /** The latest word on an instance: two scopes of one region may both have it. */
  find(name: string): FoundInstance | undefined {
    let latest: FoundInstance | undefined;
    for (const findings of this.#scopes.values()) {
      const found = findings.get(name);
      if (found !== undefined && found.observedAt >= (latest?.observedAt ?? 0)) latest = found;
    }
    return latest;
  }

  /** Every instance once, in the latest word on it. */
  *all(): Iterable<FoundInstance> {
    for (const findings of this.#scopes.values()) {
      for (const found of findings.values()) if (this.find(found.name) === found) yield found;
    }
  }
}
