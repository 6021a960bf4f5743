import type { PlaceUsage } from '@tagplane/ec2';
import { Counter, Gauge, Histogram, SECOND } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';

/** From a second (a small region) to the scan's deadline of ten minutes. */
const SCAN_BUCKETS = [0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const RESULTS = ['complete', 'throttled', 'denied', 'unreachable', 'aborted', 'other', 'timeout'];

/** The figures of scans, by scope; those of a scope that is no more are taken away. */
export function createScanMetrics(registry: Registry) {
  const registers = [registry];
  const labelNames = ['scope'];
  const gauge = (name: string, help: string): Gauge =>
    new Gauge({ name: `tagplane_discovery_${name}`, help, labelNames, registers });
  const counter = (name: string, help: string, more: string[] = []): Counter =>
    new Counter({
      name: `tagplane_discovery_${name}`,
      help,
      labelNames: [...labelNames, ...more],
      registers,
    });
  const scanSeconds = new Histogram({
    name: 'tagplane_discovery_scan_duration_seconds',
    help: 'Time that scans took, of all scopes: by scope they would be thousands of series.',
    buckets: SCAN_BUCKETS,
    registers,
  });
  const scans = counter('scans_total', 'Scans, by how they ended.', ['result']);
  const byScope = {
    instances: gauge('instances', 'Instances that the last complete scan found.'),
    rejectedTags: gauge('rejected_tags', 'Tags of the last complete scan that no label carries.'),
    rejectedInstances: gauge(
      'rejected_instances',
      'Instances of the last complete scan that cannot be used.',
    ),
    lastScan: gauge('last_complete_scan_timestamp_seconds', 'When the last complete scan ended.'),
    requests: counter('ec2_requests_total', 'Requests of scans to EC2, retries included.'),
    throttles: counter('ec2_throttles_total', 'Scans that EC2 throttled to the end.'),
  };
  return {
    ...byScope,
    scanSeconds,
    scans,
    /** A scope is no more. */
    forget: (scope: string): void => {
      for (const metric of Object.values(byScope)) metric.remove({ scope });
      for (const result of RESULTS) scans.remove({ scope, result });
    },
  };
}

/** The figures of EC2's quota, by account and region, read when they are asked for. */
export function createQuotaMetrics(registry: Registry, usage: () => readonly PlaceUsage[]): void {
  const gauge = (name: string, help: string, read: (place: PlaceUsage) => number): void => {
    new Gauge({
      name: `tagplane_discovery_${name}`,
      help,
      labelNames: ['account', 'region'],
      registers: [registry],
      collect() {
        this.reset();
        for (const place of usage()) {
          this.set({ account: place.account ?? '', region: place.region }, read(place));
        }
      },
    });
  };
  gauge(
    'ec2_place_requests',
    'Requests to EC2 since the start, retries included.',
    ({ requests }) => requests,
  );
  gauge('ec2_place_throttles', 'Requests since the start that EC2 throttled.', ({ throttles }) => throttles);
  gauge(
    'ec2_quota_used_ratio',
    'Of EC2’s request rate, the share used in the last minute.',
    ({ quotaUsed }) => quotaUsed,
  );
  gauge(
    'ec2_behind_seconds',
    'How long the next request would wait for its turn.',
    ({ behindMs }) => behindMs / SECOND,
  );
}
