import { Counter, Gauge } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';
import { HOLD_STATES } from './hold.ts';
import type { HoldState } from './hold.ts';

export type GuardMetrics = ReturnType<typeof createGuardMetrics>;

export function createGuardMetrics(registry: Registry, holds: (state: HoldState) => number) {
  const registers = [registry];
  new Gauge({
    name: 'tagplane_auth_guard_holds',
    help: 'Changes that the guard held, by how they stand: held (they wait for an operator), released or dropped.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const state of HOLD_STATES) this.set({ state }, holds(state));
    },
  });
  return {
    requests: new Counter({
      name: 'tagplane_auth_guard_requests_total',
      help: 'Changes that the guard was asked about, by its verdict: go, held or dropped.',
      labelNames: ['verdict'],
      registers,
    }),
    feedFailures: new Counter({
      name: 'tagplane_auth_guard_feed_failures_total',
      help: 'Times the feed of holds broke off; the figures of holds are then as they were.',
      registers,
    }),
  };
}
