import type { RejectedInstance } from '@tagplane/ec2';
import { discoveredName, observeInstance } from '@tagplane/serverinfo';
import type { FoundInstance } from '@tagplane/serverinfo';
import type { Scope } from './estate/scope.ts';
import type { Events } from './events/events.ts';
import type { ScopeFindings } from './inventory.ts';

export interface CompleteScan {
  readonly findings: Map<string, FoundInstance>;
  /** When EC2 was asked first. */
  readonly from: number;
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
  options: {
    readonly signal: AbortSignal;
    readonly onRequests: (requests: number) => void;
    /** Whether a newer word than the scan's is known: then what was found before stands. */
    readonly isStale?: Events['isStale'] | undefined;
  },
): Promise<CompleteScan> {
  const findings = new Map<string, FoundInstance>();
  const rejected: RejectedInstance[] = [];
  const from = Date.now();
  let askedAt = from;
  for await (const page of scope.scanner.scan({ signal: options.signal, filters: scope.filters })) {
    options.onRequests(page.requests);
    rejected.push(...page.rejected);
    for (const instance of page.instances) {
      const name = discoveredName(instance.key);
      const previous = before.get(name);
      const isStale = options.isStale?.(instance.key, instance, askedAt) === true;
      const found = isStale ? previous : undefined;
      findings.set(name, found ?? observeInstance(instance, askedAt, { previous, carry: scope.carry }));
    }
    askedAt = Date.now();
  }
  return { findings, rejected, from };
}
