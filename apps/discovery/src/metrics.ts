import { Counter, Gauge, Histogram } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';
import type { UpsertScheduler } from './upsert-scheduler.ts';

export type DiscoveryMetrics = ReturnType<typeof createMetrics>;

/** From a second (a small region) to the scan's deadline of ten minutes. */
const SCAN_BUCKETS = [0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
/** From a round trip to the call's deadline of ten seconds. */
const CALL_BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The figures of this service; those of the scheduler are read when they are asked for. */
export function createMetrics(registry: Registry, scheduler: UpsertScheduler) {
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[] = []): Counter =>
    new Counter({ name: `tagplane_discovery_${name}`, help, labelNames, registers });
  const gauge = (name: string, help: string, read?: () => number): Gauge =>
    new Gauge({
      name: `tagplane_discovery_${name}`,
      help,
      labelNames: read === undefined ? ['scope'] : [],
      registers,
      ...(read === undefined
        ? {}
        : {
            collect() {
              this.set(read());
            },
          }),
    });
  const histogram = (name: string, help: string, labelNames: string[], buckets: number[]): Histogram =>
    new Histogram({ name: `tagplane_discovery_${name}`, help, labelNames, buckets, registers });
  gauge('queue_length', 'Items that wait to be sent.', () => scheduler.queueLength);
  gauge('express_length', 'Of those, items in the express lane.', () => scheduler.expressLength);
  gauge('in_flight', 'Items sent and not yet answered.', () => scheduler.inFlight);
  gauge(
    'known_server_infos',
    'ServerInfos that the auth service is known to hold.',
    () => scheduler.knownSize,
  );
  gauge(
    'held_back_instances',
    'Instances whose loss of labels waits for the auth service’s leave.',
    () => scheduler.losses.heldBack,
  );
  return {
    leave: counter('change_requests_total', 'Losses of labels that leave was asked for, by verdict.', [
      'verdict',
    ]),
    scanSeconds: histogram('scan_duration_seconds', 'Time that scans took.', ['scope'], SCAN_BUCKETS),
    scans: counter('scans_total', 'Scans, by how they ended.', ['scope', 'result']),
    instances: gauge('instances', 'Instances that the last complete scan found.'),
    rejectedTags: gauge('rejected_tags', 'Tags of the last complete scan that no label can carry.'),
    rejectedInstances: gauge(
      'rejected_instances',
      'Instances of the last complete scan that cannot be used.',
    ),
    lastScan: gauge('last_complete_scan_timestamp_seconds', 'When the last complete scan ended.'),
    requests: counter('ec2_requests_total', 'Requests to EC2, retries included.', ['scope']),
    throttles: counter('ec2_throttles_total', 'Scans that EC2 throttled to the end.', ['scope']),
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
    callSeconds: histogram(
      'batch_duration_seconds',
      'Time until a batch was answered.',
      ['action'],
      CALL_BUCKETS,
    ),
    epochChanges: counter('store_epoch_changes_total', 'Times that the store was found emptied.'),
  };
}
