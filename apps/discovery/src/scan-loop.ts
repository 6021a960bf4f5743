import { ScanError } from '@tagplane/ec2';
import { MINUTE, SECOND, deadline, fullJitter, jittered, sleep } from '@tagplane/runtime';
import type { Logger } from '@tagplane/runtime';
import type { Events } from './events/events.ts';
import type { DiscoveryMetrics } from './metrics.ts';
import type { ScopeFindings } from './inventory.ts';
import { scanScope } from './scope-scan.ts';
import type { CompleteScan } from './scope-scan.ts';
import type { Scope } from './estate/scope.ts';
import type { UpsertScheduler } from './upsert-scheduler.ts';

/** A hundred pages of 1,000, at six seconds each. */
const SCAN_DEADLINE_MS = 10 * MINUTE;
const POLL_JITTER = 0.1;
const FIRST_BACKOFF_MS = 2 * SECOND;
/** Lines about single tags or instances that one scan may write. */
const MAX_DETAIL_LINES = 20;

/** How the scans of a scope go, for readiness. */
export interface ScopeStatus {
  attempted: boolean;
  /** Why the last scan failed; undefined when it was complete. */
  failure: string | undefined;
}

export interface ScanLoopParts {
  readonly scope: Scope;
  readonly status: ScopeStatus;
  readonly scheduler: UpsertScheduler;
  readonly pollIntervalMs: number;
  readonly isStale?: Events['isStale'] | undefined;
  readonly metrics: DiscoveryMetrics;
  readonly log: Logger;
}

/** Scans one scope over and over. A failed scan changes nothing and is tried again, with backoff. */
export async function runScanLoop(parts: ScanLoopParts, signal: AbortSignal): Promise<void> {
  const { pollIntervalMs } = parts;
  for (let failures = 0; ;) {
    const complete = await scanOnce(parts, signal);
    failures = complete ? 0 : failures + 1;
    const pause = complete
      ? jittered(pollIntervalMs, POLL_JITTER)
      : fullJitter(failures, { baseMs: FIRST_BACKOFF_MS, maxMs: pollIntervalMs });
    await sleep(pause, signal);
  }
}

async function scanOnce(parts: ScanLoopParts, signal: AbortSignal): Promise<boolean> {
  const { scope, status, scheduler, metrics } = parts;
  const startedAt = Date.now();
  const before = scheduler.findings(scope.id);
  using limit = deadline(signal, SCAN_DEADLINE_MS);
  let requests = 0;
  const count = (more: number): void => {
    requests += more;
    metrics.requests.inc({ scope: scope.id }, more);
  };
  try {
    const scan = await scanScope(scope, before, {
      signal: limit.signal,
      onRequests: count,
      isStale: parts.isStale,
    });
    scheduler.scanned(scope.id, scan.findings, scan.from, Date.now());
    status.failure = undefined;
    reportRejected(parts, scan, before);
    reportComplete(parts, scan, startedAt);
    return true;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // Those of the page that failed: a throttled scan costs EC2 more than a complete one.
    if (error instanceof ScanError) count(Math.max(0, error.requests - requests));
    status.failure = reportFailed(parts, error, limit.signal.aborted, startedAt);
    return false;
  } finally {
    status.attempted = true;
  }
}

function reportComplete({ scope, metrics, log }: ScanLoopParts, scan: CompleteScan, startedAt: number): void {
  const now = Date.now();
  const labels = { scope: scope.id };
  const rejectedTags = scan.findings.values().reduce((sum, found) => sum + found.rejected.length, 0);
  metrics.scanSeconds.observe(labels, (now - startedAt) / SECOND);
  metrics.scans.inc({ ...labels, result: 'complete' });
  metrics.instances.set(labels, scan.findings.size);
  metrics.rejectedTags.set(labels, rejectedTags);
  metrics.rejectedInstances.set(labels, scan.rejected.length);
  metrics.lastScan.set(labels, now / SECOND);
  log.info({
    event: 'scan_completed',
    scope: scope.id,
    instances: scan.findings.size,
    rejected_tags: rejectedTags,
    rejected_instances: scan.rejected.length,
    duration_ms: now - startedAt,
  });
}

/** Says which tags and instances are left out, each once as long as it stays so. */
function reportRejected({ scope, log }: ScanLoopParts, scan: CompleteScan, before: ScopeFindings): void {
  const tags = scan.findings
    .values()
    .filter((found) => found.rejected.length !== before.get(found.name)?.rejected.length)
    .flatMap(({ name, rejected }) => rejected.map((tag) => ({ name, ...tag })))
    .take(MAX_DETAIL_LINES);
  for (const { name, key, reason } of tags) {
    log.warn({ event: 'tag_rejected', scope: scope.id, instance: name, key, reason });
  }
  for (const { instance, reason } of scan.rejected.slice(0, MAX_DETAIL_LINES)) {
    log.warn({ event: 'instance_rejected', scope: scope.id, instance, reason });
  }
}

/** @returns the failure in one line */
function reportFailed(parts: ScanLoopParts, error: unknown, timedOut: boolean, startedAt: number): string {
  const { scope, metrics, log } = parts;
  const known = error instanceof ScanError ? error : undefined;
  const result = timedOut ? 'timeout' : (known?.kind ?? 'other');
  const code = timedOut ? 'ScanTimeout' : (known?.code ?? (error instanceof Error ? error.name : 'unknown'));
  metrics.scanSeconds.observe({ scope: scope.id }, (Date.now() - startedAt) / SECOND);
  metrics.scans.inc({ scope: scope.id, result });
  if (result === 'throttled') metrics.throttles.inc({ scope: scope.id });
  log.warn({
    event: 'scan_failed',
    scope: scope.id,
    kind: result,
    code,
    reason: reasonOf(error),
    duration_ms: Date.now() - startedAt,
  });
  return `${result}, ${code}`;
}

/** The SDK's own words; they name the request and the account, never a tag. */
function reasonOf(error: unknown): string {
  const cause = error instanceof ScanError ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
