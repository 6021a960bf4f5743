import type { Registry } from '@tagplane/runtime';
import { Counter, Gauge, SECOND } from '@tagplane/runtime';
import type { KeeperObserver } from './keeper.ts';

/**
 * Figures of a process's credentials: `tagplane_SERVICE_certificate_expires_seconds`,
 * `…_certificate_renewals_total` and `…_joins_total`.
 *
 * @param remainingMs until the certificate ends; undefined: there is none yet
 */
export function credentialMetrics(
  registry: Registry,
  service: string,
  remainingMs: () => number | undefined,
): KeeperObserver {
  const registers = [registry];
  new Gauge({
    name: `tagplane_${service}_certificate_expires_seconds`,
    help: 'Time until the own certificate ends, negative when it has; NaN without one.',
    registers,
    collect() {
      this.set((remainingMs() ?? Number.NaN) / SECOND);
    },
  });
  const renewals = new Counter({
    name: `tagplane_${service}_certificate_renewals_total`,
    help: 'Renewals of the own certificate, by result (ok, failed).',
    labelNames: ['result'],
    registers,
  });
  const joins = new Counter({
    name: `tagplane_${service}_joins_total`,
    help: 'Attempts to join the cluster, by result (ok, refused, failed).',
    labelNames: ['result'],
    registers,
  });
  return {
    renewed(result) {
      renewals.inc({ result });
    },
    joined(result) {
      joins.inc({ result });
    },
  };
}
