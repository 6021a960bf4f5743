import { createEc2Scanner } from '@tagplane/ec2';
import { parsePeerClaim, peerText } from '@tagplane/identity';
import { createClientConnection } from '@tagplane/protocol';
import { createLogger, createRegistry, formatAddress, startDiagnostics } from '@tagplane/runtime';
import type { Program } from '@tagplane/runtime';
import { configSchema } from './config.ts';
import type { DiscoveryConfig } from './config.ts';
import { createDiscovery } from './discovery.ts';
import type { Scope } from './scope-scan.ts';

export const program: Program<typeof configSchema> = {
  name: 'tagplane-discovery',
  summary: 'reads EC2 tags and hands them to the auth service',
  config: configSchema,
  start: (config, io) => start(config, io.signal),
};

async function start(config: DiscoveryConfig, signal: AbortSignal): Promise<void> {
  const log = createLogger('discovery', config.log_level);
  const registry = createRegistry('discovery');
  const peer = parsePeerClaim(`discovery/${config.name}`);
  if (peer === undefined) throw new TypeError(`no name for a discovery: ${config.name}`);
  using connection = createClientConnection({
    address: config.auth.address,
    security: { mode: 'insecure', peer },
  });
  using stack = new DisposableStack();
  const scopes = createScopes(config, stack);
  const discovery = createDiscovery({
    transport: connection.transport,
    origin: peerText(peer),
    scopes,
    pollIntervalMs: config.poll_interval,
    registry,
    log,
  });
  await using diagnostics = await startDiagnostics({
    listen: config.diagnostics,
    registry,
    readiness: () => discovery.readiness(),
    log,
  });
  log.info({
    event: 'started',
    name: config.name,
    auth: formatAddress(config.auth.address),
    diagnostics: formatAddress(diagnostics.address),
    scopes: scopes.map((scope) => scope.id),
  });
  await discovery.run(signal);
  log.info({ event: 'stopped' });
}

/** One scope a region and entry; a region's second entry (with other tags) is `region#2`. */
function createScopes(config: DiscoveryConfig, stack: DisposableStack): Scope[] {
  const times = new Map<string, number>();
  return config.aws.flatMap(({ regions, tags }) =>
    regions.map((region): Scope => {
      const time = (times.get(region) ?? 0) + 1;
      times.set(region, time);
      const scanner = stack.use(createEc2Scanner({ region }));
      return { id: time === 1 ? region : `${region}#${time}`, scanner, filters: { tags } };
    }),
  );
}
