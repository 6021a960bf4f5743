import { Counter, Gauge } from '@tagplane/runtime';
import type { Logger, ReadinessCheck, Registry } from '@tagplane/runtime';
import type { LeaseClient } from './lease-client.ts';
import type { Lease, LossReason } from './lease-state.ts';

/** Says in log, metrics and readiness how the lease stands. */
export interface LeaseReporter {
  begun(token: bigint | undefined): void;
  ended(reason: LossReason | 'stopped'): void;
  /** @param problem undefined when it was given back */
  released(problem: string | undefined): void;
  changed(before: Lease, after: Lease): void;
  /** Whether this replica could do its part now: work, or stand by. */
  readiness(): ReadinessCheck[];
}

export interface LeaseReporterParts {
  readonly registry: Registry;
  readonly log: Logger;
  readonly client: Pick<LeaseClient, 'group' | 'replica'>;
}

export function createLeaseReporter({ registry, log, client }: LeaseReporterParts): LeaseReporter {
  const { group, replica } = client;
  const metrics = createLeaseMetrics(registry);
  let current: Lease | undefined;
  let saidAlone = false;
  metrics.leader.set(0);
  return {
    begun(token) {
      metrics.leader.set(1);
      metrics.terms.inc();
      if (token !== undefined) {
        log.info({ event: 'lease_taken', group, replica, token: `${token}` });
      } else if (!saidAlone) {
        saidAlone = true;
        const message = 'the auth service knows no leases: a second replica would not stand by';
        log.warn({ event: 'lease_unknown', group, message });
      }
    },
    ended(reason) {
      metrics.leader.set(0);
      if (reason === 'stopped') return;
      metrics.losses.inc({ reason });
      log.warn({ event: 'lease_lost', group, replica, reason });
    },
    released(problem) {
      if (problem === undefined) log.info({ event: 'lease_released', group, replica });
      else log.warn({ event: 'lease_not_released', group, replica, reason: problem });
    },
    changed(before, after) {
      current = after;
      // A term that ended by itself was not told to.
      if (!isWorking(after)) metrics.leader.set(0);
      const problem = problemOf(after);
      if (problem !== undefined && problemOf(before) === undefined) {
        log.warn({ event: 'lease_not_answered', group, replica, reason: problem });
      }
      const leader = leaderOf(after);
      if (leader !== undefined && leader !== leaderOf(before)) {
        log.info({ event: 'lease_standby', group, replica, leader });
      }
    },
    readiness: () => [readinessOf(current, group)],
  };
}

function createLeaseMetrics(registry: Registry) {
  const registers = [registry];
  return {
    leader: new Gauge({
      name: 'tagplane_discovery_leader',
      help: 'Whether this replica does the work of its group: 1, or 0 for a standby.',
      registers,
    }),
    terms: new Counter({
      name: 'tagplane_discovery_terms_total',
      help: 'Times that this replica began to do the work of its group.',
      registers,
    }),
    losses: new Counter({
      name: 'tagplane_discovery_lease_losses_total',
      help: 'Times that this replica lost its lease, by how it came to know.',
      labelNames: ['reason'],
      registers,
    }),
  };
}

function isWorking({ phase }: Lease): boolean {
  return phase === 'leading' || phase === 'alone';
}

function problemOf(lease: Lease): string | undefined {
  return lease.phase === 'standby' || lease.phase === 'leading' ? lease.problem : undefined;
}

function leaderOf(lease: Lease): string | undefined {
  return lease.phase === 'standby' ? lease.leader : undefined;
}

function readinessOf(lease: Lease | undefined, group: string): ReadinessCheck {
  const name = 'lease';
  switch (lease?.phase) {
    case 'leading':
      return { name, ready: true, reason: `leader of ${group}` };
    case 'alone':
      return { name, ready: true, reason: 'the auth service knows no leases' };
    case 'standby': {
      const { problem, leader } = lease;
      if (problem !== undefined) return { name, ready: false, reason: problem };
      if (leader === undefined) return { name, ready: false, reason: 'not asked yet' };
      return { name, ready: true, reason: `standby of ${group}, leader ${leader}` };
    }
    case undefined:
      return { name, ready: false, reason: 'not asked yet' };
    default:
      return { name, ready: false, reason: 'the term ends' };
  }
}
