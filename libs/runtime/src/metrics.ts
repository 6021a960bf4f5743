import { Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import { VERSION } from './version.ts';

export { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** A registry with the process's own figures (CPU, memory, event loop) and `tagplane_build_info`. */
export function createRegistry(service: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'tagplane_build_info',
    help: 'Always 1; the labels say which service and version this is.',
    labelNames: ['service', 'version'],
    registers: [registry],
  }).set({ service, version: VERSION }, 1);
  return registry;
}
