import { Counter, Gauge } from '@tagplane/runtime';
import type { Registry } from '@tagplane/runtime';

export function createLockMetrics(registry: Registry, inForce: () => number) {
  const registers = [registry];
  new Gauge({
    name: 'tagplane_auth_locks',
    help: 'Locks in force.',
    registers,
    collect() {
      this.set(inForce());
    },
  });
  return {
    feedFailures: new Counter({
      name: 'tagplane_auth_lock_feed_failures_total',
      help: 'Times the feed of locks broke off; what was known stays in force.',
      registers,
    }),
    cuts: new Counter({
      name: 'tagplane_auth_lock_cuts_total',
      help: 'Live connections that were cut because of a lock.',
      registers,
    }),
  };
}
