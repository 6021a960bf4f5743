import type { Logger } from '@tagplane/runtime';
import type { DiscoveryMetrics } from './metrics.ts';
import type { DispatchItem, ItemResult } from './dispatch.ts';
import type { UpsertScheduler } from './upsert-scheduler.ts';

/** Lines about single items that one batch may write. */
const MAX_DETAIL_LINES = 20;

interface ReportParts {
  readonly scheduler: UpsertScheduler;
  readonly metrics: DiscoveryMetrics;
  readonly log: Logger;
  readonly onAccepted?: ((name: string, now: number) => void) | undefined;
}

/** Counts what became of each item, and names the refused ones. */
export function reportResults(
  { scheduler, metrics, log, onAccepted }: ReportParts,
  items: readonly DispatchItem[],
  results: readonly ItemResult[],
): void {
  let refused = 0;
  for (const [index, { sent, source }] of items.entries()) {
    const result: ItemResult = results[index] ?? { status: 'unanswered' };
    metrics.upserts.inc({ result: result.status });
    if (result.status === 'accepted') {
      if (source !== undefined) metrics.changes.inc({ source });
      onAccepted?.(sent.name, Date.now());
    }
    if (result.status === 'accepted' || result.status === 'unanswered') continue;
    refused += 1;
    if (refused > MAX_DETAIL_LINES) continue;
    log.warn({ event: 'upsert_refused', name: sent.name, ...result });
  }
  log.debug({ event: 'batch_answered', items: items.length, refused, queue_length: scheduler.outbox.length });
}

export function reportEpochChange({ scheduler, metrics, log }: ReportParts, epoch: string): void {
  metrics.epochChanges.inc();
  log.warn({
    event: 'store_epoch_changed',
    store_epoch: epoch,
    queue_length: scheduler.outbox.length,
    message: 'the store was found emptied: everything found is sent again',
  });
}
