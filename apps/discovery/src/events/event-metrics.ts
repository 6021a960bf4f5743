import { Counter, Gauge, Histogram } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';

export type EventMetrics = ReturnType<typeof createEventMetrics>;

/** What became of a message. */
export type MessageResult =
  'taken' | 'known' | 'duplicate' | 'ignored' | 'foreign' | 'malformed' | 'overflow';

/** From an event that is there at once to one that waited behind an outage. */
const LAG_BUCKETS = [0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 20, 60, 300];

/** The figures of events; those of what waits are read when they are asked for. */
export function createEventMetrics(
  registry: Registry,
  waiting: { readonly instances: () => number; readonly messages: () => number },
) {
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[] = []): Counter =>
    new Counter({ name: `tagplane_discovery_${name}`, help, labelNames, registers });
  const gauge = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name: `tagplane_discovery_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('event_instances', 'Instances that events told of and that wait to be described.', waiting.instances);
  gauge('event_messages', 'Messages whose changes are not taken in yet.', waiting.messages);
  return {
    messages: counter('event_messages_total', 'Messages received, by what became of them.', ['result']),
    receiveFailures: counter(
      'event_receive_failures_total',
      'Times that a queue could not be received from.',
      ['kind'],
    ),
    describes: counter('event_describes_total', 'Describes that events asked for, by how they ended.', [
      'result',
    ]),
    stale: counter(
      'event_stale_describes_total',
      'Instances that a describe showed as they were before the event.',
    ),
    staleScans: counter(
      'event_stale_scans_total',
      'Instances that a scan showed as they were before an event.',
    ),
    givenUp: counter('event_given_up_total', 'Instances whose events were left to the scans in the end.'),
    lag: new Histogram({
      name: 'tagplane_discovery_event_lag_seconds',
      help: 'Time from a change, as its event says, until it was received and until the auth service had it.',
      labelNames: ['until'],
      buckets: LAG_BUCKETS,
      registers,
    }),
  };
}
