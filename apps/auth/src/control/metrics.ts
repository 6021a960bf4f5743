import { Counter, Gauge, Histogram } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';
import type { InstanceProblem } from './instance-claim.ts';
import type { CloseReason, RolesChange, UpdateKind } from '@tagplane/session';

/** Seconds: an agent on the same network acknowledges within milliseconds; cut off after 70 s. */
const ACK_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 70];
/** Seconds: at best as an ack; at worst a whole pacing round of 15 min and a scan before it. */
const CHANGE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 900, 1_800];
const SWEEP_BUCKETS = [0.1, 1, 5, 15, 60, 120, 300, 600, 900, 1_200];

export type HelloResult = 'admitted' | 'denied' | 'refused' | 'queue_full' | 'draining';
export type Trigger = 'hello' | 'heartbeat' | 'feed' | 'sweep' | 'reset' | 'retry' | 'newer';

/** What the control plane counts. Children of labelled metrics are made once: looking one up costs more than counting. */
export type ControlMetrics = ReturnType<typeof createControlMetrics>;

export function createControlMetrics(registry: Registry) {
  const registers = [registry];
  const counter = (name: string, help: string): Counter =>
    new Counter({ name: `tagplane_auth_${name}`, help, registers });
  const counters = <Value extends string>(
    name: string,
    help: string,
    label: string,
    values: readonly Value[],
  ): ((value: Value, amount?: number) => void) => {
    const parent = new Counter({ name: `tagplane_auth_${name}`, help, labelNames: [label], registers });
    const children = Object.fromEntries(values.map((value) => [value, parent.labels(value)])) as Record<
      Value,
      Counter.Internal
    >;
    return (value, amount = 1) => {
      children[value].inc(amount);
    };
  };
  const histogram = (name: string, help: string, buckets: number[]): Histogram =>
    new Histogram({ name: `tagplane_auth_${name}`, help, buckets, registers });
  const gauge = (name: string, help: string) => (read: () => number) => {
    new Gauge({
      name: `tagplane_auth_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
  return {
    connectedAgents: gauge('connected_agents', 'Agents whose hello was taken and whose stream is open.'),
    openStreams: gauge('control_streams', 'Control streams, with or without a hello.'),
    admissionQueue: gauge('admission_queue_length', 'Hellos that wait for their turn.'),
    recordQueue: gauge('node_record_queue_length', 'Nodes whose record waits to be written.'),
    reconcileQueue: gauge('reconcile_queue_length', 'Nodes that wait to be looked at.'),
    assigned: gauge('assigned_server_infos', 'ServerInfos of operators, held in memory.'),
    selectors: gauge('selector_server_infos', 'Those of them that match by a selector.'),
    overfull: gauge('nodes_over_label_limit', 'Connected nodes with too many dynamic/ labels for one node.'),
    hello: counters<HelloResult>('hellos_total', 'Hellos by result.', 'result', [
      'admitted',
      'denied',
      'refused',
      'queue_full',
      'draining',
    ]),
    push: counters<UpdateKind>('pushes_total', 'Label updates sent, by kind: replace or renew.', 'kind', [
      'replace',
      'renew',
    ]),
    acks: counter('acks_total', 'Label updates that an agent acknowledged.'),
    nacks: counter('nacks_total', 'Label updates that an agent refused.'),
    rolePush: counters<RolesChange['kind']>(
      'role_pushes_total',
      'Updates of roles sent, by kind: replace (all), apply (a difference) or renew.',
      'kind',
      ['replace', 'apply', 'renew'],
    ),
    roleAcks: counter('role_acks_total', 'Updates of roles that an agent acknowledged.'),
    roleNacks: counter('role_nacks_total', 'Updates of roles that an agent refused.'),
    rolePushQueue: gauge('role_push_queue_length', 'Streams that wait to be told of the roles.'),
    rolesBehind: gauge('agents_behind_on_roles', 'Connected agents that decide by roles of before.'),
    stale: counters('stale_answers_total', 'Answers to another send than the latest.', 'answer', [
      'ack',
      'nack',
      'pong',
      'roles_ack',
      'roles_nack',
    ]),
    unknownMessages: counter('unknown_messages_total', 'Messages of a kind that this version does not know.'),
    pings: counter('pings_total', 'Pings sent.'),
    goodbye: counters<CloseReason>('goodbyes_total', 'Streams that ended, by reason.', 'reason', [
      'drain',
      'superseded',
      'refused',
      'unresponsive',
      'ended',
    ]),
    cuts: counter('cut_streams_total', 'Streams ended by force because the agent did not read.'),
    heartbeatsRefused: counter('heartbeats_refused_total', 'Streams refused for too many heartbeats.'),
    straysRefused: counter(
      'stray_messages_refused_total',
      'Streams refused for too many answers to nothing, or messages of unknown kinds.',
    ),
    instanceMismatch: counters<InstanceProblem>(
      'instance_mismatches_total',
      'Agents that named an instance which their certificate does not prove, by what is wrong.',
      'problem',
      ['malformed', 'other_instance', 'unproven'],
    ),
    trustAnnouncements: counter('trust_announcements_total', 'Agents told of another trust bundle.'),
    pushToAck: histogram('push_to_ack_seconds', 'From a label update sent to its ack.', ACK_BUCKETS),
    storeToAck: histogram(
      'change_to_ack_seconds',
      'From the write of a changed ServerInfo, by the store’s clock, to the ack of its labels.',
      CHANGE_BUCKETS,
    ),
    sourceToAck: histogram(
      'observation_to_ack_seconds',
      'From when EC2 was asked, by discovery’s clock, to the ack of changed labels.',
      CHANGE_BUCKETS,
    ),
    reconcile: counters<Trigger>('reconciles_total', 'Nodes looked at, by trigger.', 'trigger', [
      'hello',
      'heartbeat',
      'feed',
      'sweep',
      'reset',
      'retry',
      'newer',
    ]),
    reconcileErrors: counter(
      'reconcile_errors_total',
      'Nodes that could not be looked at; each is tried again.',
    ),
    lookupFailures: counter('lookup_failures_total', 'Lookups that the store did not answer; tried again.'),
    sweepSeconds: histogram('sweep_seconds', 'Duration of whole sweeps over all ServerInfos.', SWEEP_BUCKETS),
    sweepPages: counter('sweep_pages_total', 'Pages read by sweeps.'),
    sweepErrors: counters('sweep_errors_total', 'Pages and nodes that failed in a sweep.', 'what', [
      'count',
      'page',
      'node',
    ]),
    feedReset: counters('feed_resets_total', 'Times a change feed had to be read from its start.', 'kind', [
      'server_info',
      'node',
    ]),
    feedFailures: counters('feed_failures_total', 'Times a change feed broke off.', 'kind', [
      'server_info',
      'node',
    ]),
    feedLag: new Gauge({
      name: 'tagplane_auth_feed_lag_seconds',
      help: 'From the latest change that was taken from the feed, by the store’s clock, until it was.',
      registers,
    }),
    recordWrites: counter('node_record_writes_total', 'Node records written.'),
    recordConflicts: counter(
      'node_record_conflicts_total',
      'Writes of records that somebody else had written.',
    ),
    recordFailures: counter('node_record_failures_total', 'Batches of records that the store did not take.'),
    recordsDropped: counter('node_records_dropped_total', 'Last records of ended sessions given up.'),
  };
}
