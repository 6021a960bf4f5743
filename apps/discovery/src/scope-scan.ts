import type { Ec2Scanner, RejectedInstance, ScanFilters } from '@tagplane/ec2';
import { discoveredName, observeInstance } from '@tagplane/serverinfo';
import type { FoundInstance } from '@tagplane/serverinfo';
import type { ScopeFindings } from './inventory.ts';

/** One region, scanned with one set of filters. */
export interface Scope {
  /** Names it in logs, metrics and readiness: the region, and a number where a region comes twice. */
  readonly id: string;
  readonly scanner: Ec2Scanner;
  readonly filters: ScanFilters;
}

export interface CompleteScan {
  readonly findings: ScopeFindings;
  readonly rejected: readonly RejectedInstance[];
}

/**
 * Scans a scope from its first page to its last. Pages are let go as they come: what is kept of an
 * instance is its packed labels.
 *
 * @param before what the scan before found; equal contents are shared with it
 * @throws ScanError, and then nothing of this scan counts
 */
export async function scanScope(
  scope: Scope,
  before: ScopeFindings,
  options: { readonly signal: AbortSignal; readonly onRequests: (requests: number) => void },
): Promise<CompleteScan> {
  const findings = new Map<string, FoundInstance>();
  const rejected: RejectedInstance[] = [];
  let askedAt = Date.now();
  for await (const page of scope.scanner.scan({ signal: options.signal, filters: scope.filters })) {
    options.onRequests(page.requests);
    rejected.push(...page.rejected);
    for (const instance of page.instances) {
      const name = discoveredName(instance.key);
      findings.set(name, observeInstance(instance, askedAt, { previous: before.get(name) }));
    }
    askedAt = Date.now();
  }
  return { findings, rejected };
}
