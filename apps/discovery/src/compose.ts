import { createQuotaGovernor } from '@tagplane/ec2';
import { createLogger, createRegistry, formatAddress, runTasks, startDiagnostics } from '@tagplane/runtime';
import type { Logger, Program, Registry } from '@tagplane/runtime';
import { configSchema } from './config.ts';
import type { DiscoveryConfig } from './config.ts';
import { createDiscovery } from './discovery.ts';
import type { Discovery } from './discovery.ts';
import { planIdentity } from './identity/identity.ts';
import { createEstate } from './estate/estate.ts';
import type { Estate } from './estate/estate.ts';
import { createAwsLookups } from './estate/lookups.ts';
import { createScopeMaker } from './estate/make-scope.ts';
import { createQuotaMetrics } from './scan-metrics.ts';
import { createEnrolmentMetrics } from './enroll/metrics.ts';
import { createEvents } from './events/events.ts';
import { createEventQueues } from './events/queues.ts';
import type { Fence } from './lease/fence.ts';
import { joinGroup, originOf } from './lease/group.ts';
import type { Group } from './lease/group.ts';
import { createMetrics } from './metrics.ts';
import { keepHeapSmall } from './small-heap.ts';

export const program: Program<typeof configSchema> = {
  name: 'tagplane-discovery',
  summary: 'reads EC2 tags and hands them to the auth service',
  config: configSchema,
  start: (config, io) => start(config, io.signal),
};

async function start(config: DiscoveryConfig, signal: AbortSignal): Promise<void> {
  keepHeapSmall();
  const log = createLogger('discovery', config.log_level);
  const registry = createRegistry('discovery');
  const plan = await planIdentity({ config, registry, log });
  const running: { group?: Group; discovery?: Discovery | undefined } = {};
  await using diagnostics = await startDiagnostics({
    listen: config.diagnostics,
    registry,
    readiness: () => [
      ...plan.readiness(),
      ...(running.group?.readiness() ?? []),
      ...(running.discovery?.readiness() ?? []),
    ],
    log,
  });
  using stack = new DisposableStack();
  const estate = createConfiguredEstate({ config, registry, log }, stack);
  await estate.begin(signal);
  log.info({
    event: 'started',
    name: config.name,
    auth: formatAddress(config.auth.address),
    diagnostics: formatAddress(diagnostics.address),
    scopes: estate.report().map(({ id }) => id),
  });
  const identity = stack.use(await plan.establish(signal));
  const { transport, origin, tasks } = identity;
  const { poll_interval: pollIntervalMs, max_concurrent_scans: maxConcurrentScans } = config;
  const { scopes, statuses, report } = estate;
  const queues = createEventQueues(config.events, stack);
  const events = createEvents({
    queues,
    scopes,
    heard: (scope, now) => {
      statuses.heard(scope, now);
    },
    registry,
    log,
  });
  const metrics = createMetrics(registry);
  const enrolment = createEnrolmentMetrics(registry);
  const group = joinGroup({ transport, origin, group: config.group, registry, log });
  running.group = group;
  const runTerm = async (fence: Fence | undefined, stop: AbortSignal): Promise<void> => {
    const term = {
      fence,
      origin: originOf(fence, origin),
      transport,
      scopes,
      statuses,
      report,
      events,
      enrolment,
    };
    const discovery = createDiscovery({ ...term, pollIntervalMs, maxConcurrentScans, metrics, log });
    running.discovery = discovery;
    await discovery.run(stop).finally(() => (running.discovery = undefined));
  };
  await runTasks(signal, {
    ...tasks,
    estate: (stop) => estate.run(stop),
    discovery: (stop) => group.run(runTerm, stop),
  });
  log.info({ event: 'stopped' });
}

interface EstateParts {
  readonly config: DiscoveryConfig;
  readonly registry: Registry;
  readonly log: Logger;
}

function createConfiguredEstate({ config, registry, log }: EstateParts, stack: DisposableStack): Estate {
  const blocks = config.aws;
  const ownRegion = process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'];
  const governor = createQuotaGovernor(config.quota);
  createQuotaMetrics(registry, () => governor.usage());
  const maker = stack.use(createScopeMaker({ blocks, governor, ownRegion }));
  const lookups = createAwsLookups({ maker, governor, ownRegion });
  const estate = createEstate({ blocks, maker, lookups, governor, log });
  stack.defer(() => {
    for (const scope of estate.scopes.current()) maker.end(scope);
  });
  return estate;
}
