import { fakeRegion, fakeScanner } from '@tagplane/ec2/testing';
import type { FakeScript } from '@tagplane/ec2/testing';
import { MINUTE, Registry, SECOND, silentLogger } from '@tagplane/runtime';
import { createDiscovery } from '../discovery.ts';
import { ScopeTable } from '../estate/scope.ts';
import { ScopeStatuses } from '../estate/scope-status.ts';
import { joinGroup, originOf } from '../lease/group.ts';
import { createMetrics } from '../metrics.ts';
import type { FakeAuth } from './fake-auth.ts';
import { fakeScope } from './scopes.ts';

export interface ReplicaParts {
  readonly auth: FakeAuth;
  readonly name: string;
  readonly group: string;
  readonly script: FakeScript;
  readonly advance: (ms: number) => Promise<unknown>;
}

/** A discovery that works whenever it holds the lease of its group, over fakes. */
export function startReplica({ auth, name, group, script, advance }: ReplicaParts) {
  const registry = new Registry();
  const log = silentLogger();
  const scopes = new ScopeTable([fakeScope({ scanner: fakeScanner(script, fakeRegion('eu-central-1')) })]);
  const statuses = new ScopeStatuses();
  for (const { id, place } of scopes.current()) statuses.begin({ id, ...place });
  const metrics = createMetrics(registry);
  const { transport } = auth;
  const origin = `discovery/${name}`;
  const clock = () => Date.now();
  const replicas = joinGroup({ transport, origin, group, registry, log, clock });
  const stop = new AbortController();
  const running = replicas.run(async (fence, signal) => {
    const term = {
      transport,
      fence,
      origin: originOf(fence, origin),
      scopes,
      statuses,
      report: () => statuses.all(),
    };
    await createDiscovery({ ...term, pollIntervalMs: 5 * MINUTE, maxConcurrentScans: 8, metrics, log }).run(
      signal,
    );
  }, stop.signal);
  return {
    readiness: () => replicas.readiness()[0],
    async metric(metric: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
      const found = await registry.getSingleMetric(`tagplane_discovery_${metric}`)?.get();
      return (
        found?.values.find((sample) =>
          Object.entries(labels).every(([key, text]) => sample.labels[key] === text),
        )?.value ?? 0
      );
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test has ended'));
      await advance(5 * SECOND);
      await running;
    },
  };
}
