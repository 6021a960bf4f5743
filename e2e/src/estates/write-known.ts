import { createClient } from '@connectrpc/connect';
import type { RunningSimulator } from '@tagplane/ec2-simulator';
import { parseInstanceKey } from '@tagplane/identity';
import { ServerInfoService, createClientConnection, draftToMessage, joinCluster } from '@tagplane/protocol';
import type { World } from '../world/world.ts';
import { discoveryToken } from '../world/joining.ts';

/** What a discovery writes at once. */
const BATCH = 100;
const JOIN_MS = 60_000;
/** A discovery's own, 90 minutes. */
const TTL_MS = 90 * 60_000;

export type View = ReturnType<RunningSimulator['fleet']['get']>;

/** Writes what a discovery of this name would have written of these instances, all at once. */
export async function writeKnown(world: World, name: string, views: readonly View[]): Promise<void> {
  using operator = world.operator(0);
  const { token, caPins: pins } = await discoveryToken(operator, name);
  const address = { host: '127.0.0.1', port: world.authPorts[0] ?? 0 };
  const credentials = await joinCluster({
    ...{ address, pins, role: 'discovery', name, signal: AbortSignal.timeout(JOIN_MS) },
    prove: () => Promise.resolve({ case: 'token', value: { token } }),
  });
  using connection = createClientConnection({
    address,
    security: { mode: 'mutual', credentials: () => credentials },
  });
  const serverInfos = createClient(ServerInfoService, connection.transport);
  for (let from = 0; from < views.length; from += BATCH) {
    const batch = views.slice(from, from + BATCH).map((view) => draftToMessage(draftOfView(view)));
    const { results } = await serverInfos.upsertServerInfos({ serverInfos: batch });
    const refused = results.find(({ reason }) => reason !== '');
    if (refused !== undefined) throw new Error(`not written: ${refused.reason}`);
  }
}

function draftOfView({ account, region, id, tags }: View) {
  const key = parseInstanceKey({ account, region, instance: id });
  if (key === undefined) throw new TypeError(`no instance: ${id}`);
  return {
    name: `aws-${account}-${region}-${id}`,
    match: { kind: 'aws-instance' as const, instance: key },
    labels: new Map(Object.entries(labelsOf(tags))),
    observedAt: Date.now(),
    ttlMs: TTL_MS,
  };
}

export function labelsOf(tags: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...tags].map(([key, value]) => [`aws/${key}`, value]));
}
