import type { Role } from '@tagplane/identity';
import { Counter, Gauge } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';
import type { CaPhaseName } from './ca-record.ts';

const PHASES: readonly CaPhaseName[] = ['stable', 'trusting', 'signing'];

/** What a scrape looks at. */
export interface CaReading {
  readonly generation: number;
  readonly phase: CaPhaseName;
  /** Seconds. */
  readonly certificateExpires: number;
  readonly authorityExpires: number;
}

export interface CaMetrics {
  issued(role: Role, kind: 'join' | 'renew'): void;
}

export function createCaMetrics(registry: Registry, read: () => CaReading): CaMetrics {
  const registers = [registry];
  new Gauge({
    name: 'tagplane_auth_ca_generation',
    help: 'Generation of the trust bundle; rises with every step of a rotation.',
    registers,
    collect() {
      this.set(read().generation);
    },
  });
  new Gauge({
    name: 'tagplane_auth_ca_phase',
    help: '1 for the phase that the certificate authority is in, else 0.',
    labelNames: ['phase'],
    registers,
    collect() {
      const { phase } = read();
      for (const each of PHASES) this.set({ phase: each }, each === phase ? 1 : 0);
    },
  });
  new Gauge({
    name: 'tagplane_auth_certificate_expires_seconds',
    help: 'Seconds until the certificate of this process ends; it is renewed at two thirds of its life.',
    registers,
    collect() {
      this.set(read().certificateExpires);
    },
  });
  new Gauge({
    name: 'tagplane_auth_ca_expires_seconds',
    help: 'Seconds until the signing authority ends; replace it by a rotation long before.',
    registers,
    collect() {
      this.set(read().authorityExpires);
    },
  });
  const issued = new Counter({
    name: 'tagplane_auth_certificates_issued_total',
    help: 'Certificates made for others, by role and by how: join or renew.',
    labelNames: ['role', 'kind'],
    registers,
  });
  return {
    issued(role, kind) {
      issued.inc({ role, kind });
    },
  };
}
