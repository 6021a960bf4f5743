import { Counter } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';
import { AUDIT_CODES } from './codes.ts';

export interface LaneMetrics {
  readonly lost: { inc(): void };
  readonly failures: { inc(): void };
}

export type AuditMetrics = ReturnType<typeof createAuditMetrics>;

export function createAuditMetrics(registry: Registry) {
  const registers = [registry];
  const events = new Counter({
    name: 'tagplane_auth_audit_events_total',
    help: 'Audit events by code, like ones that were counted together included.',
    labelNames: ['code'],
    registers,
  });
  const lost = new Counter({
    name: 'tagplane_auth_audit_lost_total',
    help: 'Audit events that were not written because too many waited, by where to: output or store.',
    labelNames: ['to'],
    registers,
  });
  const failures = new Counter({
    name: 'tagplane_auth_audit_write_failures_total',
    help: 'Failed writes of audit events, by where to: output or store; what was in them is tried again.',
    labelNames: ['to'],
    registers,
  });
  const lane = (to: 'output' | 'store'): LaneMetrics => ({
    lost: lost.labels(to),
    failures: failures.labels(to),
  });
  return {
    event(code: string): void {
      events.inc({ code: Object.hasOwn(AUDIT_CODES, code) ? code : 'other' });
    },
    output: lane('output'),
    store: lane('store'),
  };
}
