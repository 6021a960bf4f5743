import type { DiscoveredInstance } from '@tagplane/ec2';
import { fakeInstance, fakeRegion, fakeScanner } from '@tagplane/ec2/testing';
import type { FakeScanner, FakeScript } from '@tagplane/ec2/testing';
import { MINUTE, Registry, SECOND, silentLogger } from '@tagplane/runtime';
import type { Logger } from '@tagplane/runtime';
import { discoveredName } from '@tagplane/serverinfo';
import { createDiscovery } from '../discovery.ts';
import type { Discovery } from '../discovery.ts';
import { ScopeTable } from '../estate/scope.ts';
import { ScopeStatuses } from '../estate/scope-status.ts';
import { createMetrics } from '../metrics.ts';
import type { FakeAuth } from './fake-auth.ts';
import { fakeScope } from './scopes.ts';

export interface PlaneParts {
  readonly auth: FakeAuth;
  /** By region. */
  readonly scripts: Readonly<Record<string, FakeScript>>;
  readonly pollIntervalMs?: number;
  readonly maxConcurrentScans?: number;
  readonly log?: Logger;
  /** Moves virtual time on. */
  readonly advance: (ms: number) => Promise<unknown>;
}

export interface Plane extends AsyncDisposable {
  readonly discovery: Discovery;
  readonly registry: Registry;
  readonly scanners: readonly FakeScanner[];
  readonly scopes: ScopeTable;
  readonly statuses: ScopeStatuses;
  /** A metric's value; 0 when it was never counted. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
}

/** A discovery over a fake EC2 and a fake auth service, running until it is disposed. */
export function startPlane(parts: PlaneParts): Plane {
  const { auth, scripts, pollIntervalMs = 5 * MINUTE, maxConcurrentScans = 8, log, advance } = parts;
  const registry = new Registry();
  const scanners = Object.entries(scripts).map(([region, script]) => fakeScanner(script, fakeRegion(region)));
  const scopes = new ScopeTable(scanners.map((scanner) => fakeScope({ scanner })));
  const statuses = new ScopeStatuses();
  for (const { id, place } of scopes.current()) {
    statuses.begin({ id, account: place.account, region: place.region });
  }
  const discovery = createDiscovery({
    transport: auth.transport,
    origin: auth.origin,
    scopes,
    statuses,
    pollIntervalMs,
    maxConcurrentScans,
    metrics: createMetrics(registry),
    log: log ?? silentLogger(),
  });
  const stop = new AbortController();
  const running = discovery.run(stop.signal);
  return {
    discovery,
    registry,
    scanners,
    scopes,
    statuses,
    async metric(name, labels = {}) {
      const metric = await registry.getSingleMetric(`tagplane_discovery_${name}`)?.get();
      const value = metric?.values.find((sample) =>
        Object.entries(labels).every(([label, text]) => sample.labels[label] === text),
      );
      return value?.value ?? 0;
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test has ended'));
      // As long as calls in flight are waited for; the process as a whole has 5 s.
      await advance(3 * SECOND);
      await running;
    },
  };
}

/** A fleet as one complete scan, in pages of 1,000. */
export function pagesOf(
  instances: readonly DiscoveredInstance[],
): { instances: readonly DiscoveredInstance[] }[] {
  const pages = [];
  for (let from = 0; from < instances.length; from += 1_000) {
    pages.push({ instances: instances.slice(from, from + 1_000) });
  }
  return pages.length === 0 ? [{ instances: [] }] : pages;
}

/** Instances numbered from 0, each with its name as a tag. */
export function fleet(size: number, region = 'eu-central-1'): DiscoveredInstance[] {
  return Array.from({ length: size }, (_, number) =>
    fakeInstance(number, { region, tags: [['Name', `web-${number}`]] }),
  );
}

/**
 * For `jest.useFakeTimers`: timers and the date are virtual; what only orders callbacks stays real, or
 * awaiting would not end.
 */
export const VIRTUAL_TIME = {
  doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'performance', 'hrtime'] as const,
};

/** A fleet that the test changes, and its scan. */
export function changeable(size: number) {
  const instances = fleet(size);
  return {
    instances,
    names: instances.map(nameOf),
    set: (number: number, tags: [string, string][], state: DiscoveredInstance['state'] = 'running') => {
      instances[number] = fakeInstance(number, { tags, state });
    },
    script: () => pagesOf([...instances]),
  };
}

export const nameOf = ({ key }: DiscoveredInstance): string => discoveredName(key);
