import { ScanError } from '@tagplane/ec2';
import { MINUTE, SECOND, deadline, fullJitter, jittered, sleep } from '@tagplane/runtime';
import type { Logger } from '@tagplane/runtime';
import { problemText } from './estate/problem.ts';
import type { Scope } from './estate/scope.ts';
import type { ScopeStatuses } from './estate/scope-status.ts';
import type { DiscoveryMetrics } from './metrics.ts';
import { reportComplete, reportRejected } from './scan-report.ts';
import { scanScope } from './scope-scan.ts';
import type { CompleteScan, IsStale } from './scope-scan.ts';
import type { Turns } from './turns.ts';
import type { UpsertScheduler } from './upsert-scheduler.ts';

/** A hundred pages of 1,000, at six seconds each. */
const SCAN_DEADLINE_MS = 10 * MINUTE;
const POLL_JITTER = 0.1;
const FIRST_BACKOFF_MS = 2 * SECOND;

/** What the scans of all scopes have in common. */
export interface ScanParts {
  readonly statuses: ScopeStatuses;
  readonly scheduler: UpsertScheduler;
  readonly turns: Turns;
  readonly pollIntervalMs: number;
  /** Whether a scan shows an instance as it was before an event. */
  readonly isStale?: IsStale | undefined;
  readonly metrics: DiscoveryMetrics;
  readonly log: Logger;
}

export interface ScanLoopParts extends ScanParts {
  readonly scope: Scope;
  /** Share of the poll interval after which the second scan is due; undefined: about all of it. */
  readonly phase: number | undefined;
}

/** Scans one scope over and over. A failed scan changes nothing and is tried again, with backoff. */
export async function runScanLoop(parts: ScanLoopParts, signal: AbortSignal): Promise<void> {
  const { pollIntervalMs } = parts;
  let { phase } = parts;
  for (let failures = 0; ;) {
    const complete = await scanInTurn(parts, signal);
    failures = complete ? 0 : failures + 1;
    let pause = fullJitter(failures, { baseMs: FIRST_BACKOFF_MS, maxMs: pollIntervalMs });
    if (complete) {
      pause = phase === undefined ? jittered(pollIntervalMs, POLL_JITTER) : pollIntervalMs * phase;
      phase = undefined;
    }
    await sleep(pause, signal);
  }
}

async function scanInTurn(parts: ScanLoopParts, signal: AbortSignal): Promise<boolean> {
  using _ = await parts.turns.take(signal);
  return await scanOnce(parts, signal);
}

async function scanOnce(parts: ScanLoopParts, signal: AbortSignal): Promise<boolean> {
  const { scope, statuses, scheduler, metrics } = parts;
  const startedAt = Date.now();
  const before = scheduler.findings(scope.id);
  using limit = deadline(signal, SCAN_DEADLINE_MS);
  let scan: CompleteScan;
  try {
    scan = await scanScope(scope, () => scheduler.findings(scope.id), {
      signal: limit.signal,
      isStale: parts.isStale,
      onRequests: (requests) => {
        metrics.requests.inc({ scope: scope.id }, requests);
        statuses.asked(scope.id, requests);
      },
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    noteFailed(parts, error, limit.signal.aborted, startedAt);
    return false;
  }
  // Before the rest, which may tell of it: all of it is one step.
  reportRejected(parts, scan, before);
  scheduler.scanned(scope.id, scan.findings, scan.from, Date.now());
  reportComplete(parts, scan, startedAt);
  return true;
}

function noteFailed(parts: ScanLoopParts, error: unknown, timedOut: boolean, startedAt: number): void {
  const { scope, statuses, metrics, log } = parts;
  const known = error instanceof ScanError ? error : undefined;
  const result = timedOut ? 'timeout' : (known?.kind ?? 'other');
  const code = timedOut ? 'ScanTimeout' : (known?.code ?? (error instanceof Error ? error.name : 'unknown'));
  const problem = timedOut ? `${result}, ${code}: the scan was not done within 10 min` : problemText(error);
  metrics.scanSeconds.observe((Date.now() - startedAt) / SECOND);
  metrics.scans.inc({ scope: scope.id, result });
  if (result === 'throttled') metrics.throttles.inc({ scope: scope.id });
  statuses.note(scope.id, { state: 'failing', problem });
  log.warn({
    event: 'scan_failed',
    scope: scope.id,
    kind: result,
    code,
    reason: reasonOf(error),
    problem,
    duration_ms: Date.now() - startedAt,
  });
}

/** The SDK's own words; they name the request and the account, never a tag. */
function reasonOf(error: unknown): string {
  const cause = error instanceof ScanError ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
