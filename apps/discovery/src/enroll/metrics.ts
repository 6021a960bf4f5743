import { Counter, Gauge } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';
import type { EnrolmentViewState } from './view.ts';

export type EnrolmentMetrics = ReturnType<typeof createEnrolmentMetrics>;

/** They outlive a term of the lease. */
export function createEnrolmentMetrics(registry: Registry) {
  const registers = [registry];
  return {
    attempts: new Counter({
      name: 'tagplane_discovery_enrolment_attempts_total',
      help: 'Attempts to enrol an instance, by what came of them.',
      labelNames: ['result'],
      registers,
    }),
    states: new Gauge({
      name: 'tagplane_discovery_enrolment_instances',
      help: 'Instances without an agent that are to have one, by how their enrolment stands.',
      labelNames: ['state'],
      registers,
    }),
    inFlight: new Gauge({
      name: 'tagplane_discovery_enrolments_in_flight',
      help: 'Attempts under way, until the agent has come or the attempt has failed.',
      registers,
    }),
    failures: new Counter({
      name: 'tagplane_discovery_enrolment_call_failures_total',
      help: 'Calls for enrolment that failed, by service and operation.',
      labelNames: ['service', 'operation'],
      registers,
    }),
  };
}

/** Shown also when no instance is in it: a graph without gaps. */
export const COUNTED_STATES: readonly EnrolmentViewState[] = [
  'WAITING',
  'PENDING',
  'FAILED',
  'NO_SSM_AGENT',
  'NOT_RUNNING',
  'UNSUPPORTED',
];
