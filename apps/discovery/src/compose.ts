import { createQuotaGovernor } from '@tagplane/ec2';
import { createLogger, createRegistry, formatAddress, runTasks, startDiagnostics } from '@tagplane/runtime';
import type { Program } from '@tagplane/runtime';
import { configSchema } from './config.ts';
import type { DiscoveryConfig } from './config.ts';
import { createDiscovery } from './discovery.ts';
import type { Discovery } from './discovery.ts';
import { planIdentity } from './identity/identity.ts';
import { createScopeMaker } from './estate/make-scope.ts';
import { planScopes } from './estate/plan-scopes.ts';
import { ScopeTable } from './estate/scope.ts';
import { createEvents } from './events/events.ts';
import { createEventQueues } from './events/queues.ts';

export const program: Program<typeof configSchema> = {
  name: 'tagplane-discovery',
  summary: 'reads EC2 tags and hands them to the auth service',
  config: configSchema,
  start: (config, io) => start(config, io.signal),
};

async function start(config: DiscoveryConfig, signal: AbortSignal): Promise<void> {
  const log = createLogger('discovery', config.log_level);
  const registry = createRegistry('discovery');
  const plan = await planIdentity({ config, registry, log });
  const running: { discovery?: Discovery } = {};
  await using diagnostics = await startDiagnostics({
    listen: config.diagnostics,
    registry,
    readiness: () => [...plan.readiness(), ...(running.discovery?.readiness() ?? [])],
    log,
  });
  using stack = new DisposableStack();
  const scopes = createScopes(config, stack);
  log.info({
    event: 'started',
    name: config.name,
    auth: formatAddress(config.auth.address),
    diagnostics: formatAddress(diagnostics.address),
    scopes: scopes.current().map((scope) => scope.id),
  });
  const identity = stack.use(await plan.establish(signal));
  const { transport, origin, tasks } = identity;
  const { poll_interval: pollIntervalMs } = config;
  const queues = createEventQueues(config.events, stack);
  const events = createEvents({ queues, scopes, registry, log });
  const discovery = createDiscovery({ transport, origin, scopes, pollIntervalMs, events, registry, log });
  running.discovery = discovery;
  await runTasks(signal, { ...tasks, discovery: (stop) => discovery.run(stop) });
  log.info({ event: 'stopped' });
}

function createScopes(config: DiscoveryConfig, stack: DisposableStack): ScopeTable {
  const blocks = config.aws;
  const governor = createQuotaGovernor(config.quota);
  const maker = stack.use(createScopeMaker({ blocks, governor, ownRegion: process.env['AWS_REGION'] }));
  const nothing = { ownAccount: () => undefined, accounts: () => undefined, regions: () => undefined };
  const scopes = planScopes(blocks, nothing).scopes.map((wanted) => maker.make(wanted));
  for (const { scanner } of scopes) stack.use(scanner);
  return new ScopeTable(scopes);
}
