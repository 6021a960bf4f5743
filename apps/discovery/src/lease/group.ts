import { randomBytes } from 'node:crypto';
import type { Transport } from '@connectrpc/connect';
import type { Logger, ReadinessCheck, Registry } from '@tagplane/runtime';
import { createLeaseClient } from './lease-client.ts';
import { runLeaseLoop } from './lease-loop.ts';
import type { LeaseLoopParts } from './lease-loop.ts';
import { createLeaseReporter } from './lease-reporter.ts';

const ORIGIN_PREFIX = 'discovery/';
/** Of a replica's name, beside the eight digits that are its own. */
const MAX_NAME = 119;

export interface GroupParts {
  readonly transport: Transport;
  /** This discovery as the auth service knows it: `discovery/NAME`. */
  readonly origin: string;
  /** Default: its name. */
  readonly group: string | undefined;
  readonly registry: Registry;
  readonly log: Logger;
  /** Milliseconds of a clock that nobody sets; default that of the process. */
  readonly clock?: () => number;
}

/** The replicas of one group, of which this process is one. */
export interface Group {
  /** Has the work done whenever it is this replica's turn, until the signal aborts. Once. */
  run(runTerm: LeaseLoopParts['runTerm'], signal: AbortSignal): Promise<void>;
  readiness(): ReadinessCheck[];
}

export function joinGroup({ transport, origin, group, registry, log, ...rest }: GroupParts): Group {
  const name = origin.slice(ORIGIN_PREFIX.length);
  const replica = `${name.slice(0, MAX_NAME)}-${randomBytes(4).toString('hex')}`;
  const client = createLeaseClient({ transport, group: group ?? name, replica });
  const reporter = createLeaseReporter({ registry, log, client });
  return {
    run: (runTerm, signal) => runLeaseLoop({ client, runTerm, reporter, ...rest }, signal),
    readiness: () => reporter.readiness(),
  };
}

/** What is written is marked with: the group's under a lease, the discovery's own without. */
export function originOf(fence: { readonly group: string } | undefined, own: string): string {
  return fence === undefined ? own : `${ORIGIN_PREFIX}${fence.group}`;
}
