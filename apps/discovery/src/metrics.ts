import { Counter, Gauge, Histogram } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';
import { createScanMetrics } from './scan-metrics.ts';
import type { UpsertScheduler } from './upsert-scheduler.ts';

export type DiscoveryMetrics = ReturnType<typeof createMetrics>;

/** From a round trip to the call's deadline of ten seconds. */
const CALL_BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The figures of this service. They outlive a term of the lease; those of a scheduler are read off the last. */
export function createMetrics(registry: Registry) {
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[] = []): Counter =>
    new Counter({ name: `tagplane_discovery_${name}`, help, labelNames, registers });
  const followed: { scheduler?: UpsertScheduler } = {};
  createSchedulerMetrics(registry, () => followed.scheduler);
  return {
    ...createScanMetrics(registry),
    /** The scheduler whose figures are to be read from now on; undefined: none works. */
    follow: (scheduler: UpsertScheduler | undefined): void => {
      if (scheduler === undefined) delete followed.scheduler;
      else followed.scheduler = scheduler;
    },
    leave: counter('change_requests_total', 'Losses of labels that leave was asked for, by verdict.', [
      'verdict',
    ]),
    batches: counter('batches_total', 'Batches sent, by what was asked and what came of it.', [
      'action',
      'result',
    ]),
    upserts: counter('upserts_total', 'Upserted items, by result.', ['result']),
    changes: counter(
      'changes_total',
      'New, changed and ended instances that were handed on, by how they came.',
      ['source'],
    ),
    deletes: counter('deletes_total', 'Deleted items, by result.', ['result']),
    callSeconds: new Histogram({
      name: 'tagplane_discovery_batch_duration_seconds',
      help: 'Time until a batch was answered.',
      labelNames: ['action'],
      buckets: CALL_BUCKETS,
      registers,
    }),
    epochChanges: counter('store_epoch_changes_total', 'Times that the store was found emptied.'),
  };
}

function createSchedulerMetrics(registry: Registry, scheduler: () => UpsertScheduler | undefined): void {
  const gauge = (name: string, help: string, read: (scheduler: UpsertScheduler) => number): void => {
    new Gauge({
      name: `tagplane_discovery_${name}`,
      help,
      registers: [registry],
      collect() {
        const now = scheduler();
        this.set(now === undefined ? 0 : read(now));
      },
    });
  };
  gauge('queue_length', 'Items that wait to be sent.', ({ outbox }) => outbox.length);
  gauge('express_length', 'Of those, items in the express lane.', ({ outbox }) => outbox.expressLength);
  gauge('in_flight', 'Items sent and not yet answered.', ({ outbox }) => outbox.inFlight);
  gauge(
    'known_server_infos',
    'ServerInfos that the auth service is known to hold.',
    ({ knownSize }) => knownSize,
  );
  gauge(
    'held_back_instances',
    'Instances whose loss of labels waits for the auth service’s leave.',
    ({ losses }) => losses.heldBack,
  );
}
