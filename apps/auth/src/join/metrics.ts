import { Counter, Gauge } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';

export type JoinMetrics = ReturnType<typeof createJoinMetrics>;

export function createJoinMetrics(registry: Registry) {
  const registers = [registry];
  return {
    joins: new Counter({
      name: 'tagplane_auth_joins_total',
      help: 'Joins that ended, by method (none: it was not reached), role and result: ok, refused or failed.',
      labelNames: ['method', 'role', 'result'],
      registers,
    }),
    exchanges: new Gauge({
      name: 'tagplane_auth_join_exchanges',
      help: 'Joins under way.',
      registers,
    }),
    stsRequests: new Counter({
      name: 'tagplane_auth_sts_requests_total',
      help: 'Requests sent on to STS, by result: ok, refused or unavailable.',
      labelNames: ['result'],
      registers,
    }),
  };
}
