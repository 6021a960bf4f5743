import { ScanError } from '@tagplane/ec2';
import type { DiscoveredInstance, DiscoveredPage, RejectedInstance } from '@tagplane/ec2';
import type { InstanceKey } from '@tagplane/identity';
import { discoveredName, observeInstance } from '@tagplane/serverinfo';
import type { FoundInstance } from '@tagplane/serverinfo';
import type { Scope } from './estate/scope.ts';
import type { ScopeFindings } from './inventory.ts';

/** A token of EC2's that it takes no more, in the middle of a scan. */
const LOST_PLACE: ReadonlySet<string> = new Set(['InvalidNextToken', 'InvalidPaginationToken']);
/** Scans that start over at once; after that the scope waits as after any other failure. */
const MAX_RESTARTS = 2;

export interface CompleteScan {
  readonly findings: Map<string, FoundInstance>;
  readonly rejected: readonly RejectedInstance[];
  /** When EC2 was asked first. */
  readonly from: number;
}

export interface ScanOptions {
  readonly signal: AbortSignal;
  readonly onRequests: (requests: number) => void;
  /** Whether this is older than what an event told of the instance. */
  readonly isStale?: IsStale | undefined;
}

export type IsStale = (key: InstanceKey, described: DiscoveredInstance, askedAt: number) => boolean;

/**
 * Scans a scope from its first page to its last. Pages are let go as they come: what is kept of an
 * instance is its packed labels. A scan that EC2 loses track of starts over, twice at most.
 *
 * @param before what is known of the scope, which looks may change meanwhile; equal contents are shared with it
 * @throws ScanError, and then nothing of this scan counts
 */
export async function scanScope(
  scope: Scope,
  before: () => ScopeFindings,
  options: ScanOptions,
): Promise<CompleteScan> {
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await scanThrough(scope, before, options);
    } catch (error) {
      const lost = error instanceof ScanError && LOST_PLACE.has(error.code);
      if (!lost || restarts === MAX_RESTARTS) throw error;
    }
  }
}

async function scanThrough(
  scope: Scope,
  before: () => ScopeFindings,
  options: ScanOptions,
): Promise<CompleteScan> {
  const { signal, onRequests } = options;
  const scan = {
    findings: new Map<string, FoundInstance>(),
    rejected: [] as RejectedInstance[],
    from: Date.now(),
  };
  let askedAt = scan.from;
  let requests = 0;
  try {
    for await (const page of scope.scanner.scan({ signal, filters: scope.filters })) {
      requests += page.requests;
      onRequests(page.requests);
      takeIn(scan, page, { scope, before: before(), askedAt, isStale: options.isStale });
      askedAt = Date.now();
    }
  } catch (error) {
    // Those of the page that failed: a throttled scan costs EC2 more than a complete one.
    if (error instanceof ScanError) onRequests(Math.max(0, error.requests - requests));
    throw error;
  }
  return scan;
}

interface PageContext {
  readonly scope: Scope;
  readonly before: ScopeFindings;
  readonly askedAt: number;
  readonly isStale: IsStale | undefined;
}

function takeIn(
  scan: { readonly findings: Map<string, FoundInstance>; readonly rejected: RejectedInstance[] },
  page: DiscoveredPage,
  { scope, before, askedAt, isStale }: PageContext,
): void {
  scan.rejected.push(...page.rejected);
  const { account } = scope.place;
  for (const instance of page.instances) {
    const { key } = instance;
    if (account !== undefined && key.account !== account) {
      scan.rejected.push({
        instance: key.instance,
        reason: `it is of account ${key.account}, not ${account}`,
      });
      continue;
    }
    const name = discoveredName(key);
    const previous = before.get(name);
    // An event has told of something newer: what is known stands until EC2 tells of it as well.
    const stale = previous !== undefined && isStale?.(key, instance, askedAt) === true;
    scan.findings.set(
      name,
      stale ? previous : observeInstance(instance, askedAt, { previous, carry: scope.carry }),
    );
  }
}
