import type { Sending } from '@tagplane/session';
import type { ControlMetrics } from './metrics.ts';
import type { Cause } from './node-view.ts';

/** How long an update took, from wherever it began. Unix milliseconds. */
export interface AckedUpdate {
  readonly sending: Sending;
  readonly cause: Cause | undefined;
  /** When the session began. */
  readonly admittedAt: number;
  readonly now: number;
}

export function countAck(metrics: ControlMetrics, { sending, cause, admittedAt, now }: AckedUpdate): void {
  metrics.acks.inc();
  metrics.pushToAck.observe(seconds(now - sending.sentAt));
  if (sending.kind !== 'replace' || cause === undefined) return;
  const writtenAt = cause.revision / 1_000;
  // What changed while the agent was away says nothing of how fast changes travel.
  if (writtenAt < admittedAt) return;
  metrics.storeToAck.observe(seconds(now - writtenAt));
  if (cause.observedAt !== undefined) metrics.sourceToAck.observe(seconds(now - cause.observedAt));
}

/** Two clocks may disagree by more than the time between them. */
function seconds(ms: number): number {
  return Math.max(0, ms) / 1_000;
}
