import { SECOND } from '@tagplane/runtime';
import type { Logger } from '@tagplane/runtime';
import type { Scope } from './estate/scope.ts';
import type { ScopeStatuses } from './estate/scope-status.ts';
import type { ScopeFindings } from './inventory.ts';
import type { DiscoveryMetrics } from './metrics.ts';
import type { CompleteScan } from './scope-scan.ts';

/** Lines about single tags or instances that one scan may write. */
const MAX_DETAIL_LINES = 20;

interface ReportParts {
  readonly scope: Scope;
  readonly statuses: ScopeStatuses;
  readonly metrics: DiscoveryMetrics;
  readonly log: Logger;
}

/** Says how a complete scan went, wherever that is asked for. */
export function reportComplete(
  { scope, statuses, metrics, log }: ReportParts,
  scan: CompleteScan,
  startedAt: number,
): void {
  const now = Date.now();
  const labels = { scope: scope.id };
  const instances = scan.findings.size;
  const rejectedTags = scan.findings.values().reduce((sum, found) => sum + found.rejected.length, 0);
  const rejectedInstances = scan.rejected.length;
  metrics.scanSeconds.observe((now - startedAt) / SECOND);
  metrics.scans.inc({ ...labels, result: 'complete' });
  metrics.instances.set(labels, instances);
  metrics.rejectedTags.set(labels, rejectedTags);
  metrics.rejectedInstances.set(labels, rejectedInstances);
  metrics.lastScan.set(labels, now / SECOND);
  statuses.note(scope.id, {
    state: 'ok',
    problem: undefined,
    instances,
    rejectedTags,
    rejectedInstances,
    lastCompleteAt: now,
  });
  log.info({
    event: 'scan_completed',
    scope: scope.id,
    instances,
    rejected_tags: rejectedTags,
    rejected_instances: rejectedInstances,
    duration_ms: now - startedAt,
  });
}

/** Says which tags and instances are left out, each once as long as it stays so. */
export function reportRejected({ scope, log }: ReportParts, scan: CompleteScan, before: ScopeFindings): void {
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
