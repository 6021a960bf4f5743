import { hostname } from 'node:os';
import type { Environment, Logger, Registry } from '@tagplane/runtime';
import { SECOND, VERSION, createRegistry, runTasks, sleep } from '@tagplane/runtime';
import { AgentIdentity } from './agent-identity.ts';
import type { AgentView } from './agent-view.ts';
import { bootId, systemClock } from './clock.ts';
import { composeCredentials, keptCredentials } from './compose-credentials.ts';
import { DEFAULT_RECONNECT } from './config.ts';
import type { AgentSettings } from './config.ts';
import { ControlClient } from './control-client.ts';
import { memoryState, openDiskState } from './disk-state.ts';
import { followCredentials, followMetadata } from './follow.ts';
import type { Followers } from './follow.ts';
import { LabelHolder } from './label-holder.ts';
import { agentMetrics } from './metrics.ts';
import { tellAll } from './observer.ts';
import type { AgentObserver } from './observer.ts';
import { composeStated } from './own/compose-stated.ts';
import { importedLabels, ownLabels } from './own/stated-labels.ts';
import type { StatedLabels } from './own/stated-labels.ts';
import { fingerprint, hasRunOut } from './report.ts';
import type { Report } from './report.ts';
import { serve } from './serve.ts';

export interface RunOptions {
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** For the variables of AWS's own tools. Default: none. */
  readonly env?: Environment;
  readonly observer?: Partial<AgentObserver>;
  /** Called once, when the agent serves its socket and starts to connect. */
  readonly onStart?: (agent: { readonly serverId: string; readonly view: () => AgentView }) => void;
}

/** DESIGN: "heartbeat on change (looked for every 5 s)". */
const LOOK_MS = 5 * SECOND;
/** The protocol's limit. */
const MAX_HOSTNAME = 255;

/** The parts of one agent, built and not yet running. */
interface Agent extends Followers {
  readonly stated: StatedLabels;
  readonly report: () => Report;
  readonly view: () => AgentView;
  /** Only for an agent with diagnostics: a registry is a large part of an agent's memory. */
  readonly registry: Registry | undefined;
}

/**
 * Runs one agent until the signal aborts.
 *
 * @throws ConfigError when data_dir, socket or diagnostics cannot be had, or there are no credentials and no
 *   way to get any; TaskError when a part failed
 */
export async function runAgent(settings: AgentSettings, options: RunOptions): Promise<void> {
  const { signal, log } = options;
  const agent = await composeAgent(settings, options);
  const { identity, credentials, stated, client, report, view, registry } = agent;
  const { socket, diagnostics } = settings;
  await using _servers = await serve({ socket, diagnostics, registry, credentials, view, log });
  const { serverId } = view();
  log.info({ event: 'agent_started', server_id: serverId, aws: identity.source });
  options.onStart?.({ serverId, view });
  await runTasks(signal, {
    ...(credentials === undefined ? {} : { credentials: (stop: AbortSignal) => credentials.run(stop) }),
    'control stream': async (stop) => {
      await credentials?.held(stop);
      await client.run(stop);
    },
    'look for changes': (stop) => lookForChanges(report, client, log, stop),
    ...stated.tasks(),
    'aws identity': (stop) => identity.watch(stop, (change) => followMetadata(change, agent, log)),
  });
  log.info({ event: 'agent_stopped' });
}

async function composeAgent(settings: AgentSettings, options: RunOptions): Promise<Agent> {
  const { signal, log, env = {} } = options;
  const boot = bootId();
  const clock = systemClock(boot);
  const state = settings.dataDir === undefined ? memoryState() : await openDiskState(settings.dataDir, log);
  const kept = await keptCredentials(settings, state, log);
  const named = settings.security.mode === 'mutual';
  const certified = kept?.certified;
  const identity = await AgentIdentity.settle({ settings, state, boot, env, log, named, certified }, signal);
  const owner = () => ({ serverId: identity.serverId, instance: identity.recordedInstance });
  const holder = new LabelHolder(state.labelStore(owner), await state.readLabels(owner()), clock, log);
  const registry = settings.diagnostics && createRegistry('agent');
  const observer = tellAll([
    ...(registry === undefined ? [] : [agentMetrics(registry, () => holder.view())]),
    { connected: () => credentials?.keeper?.connected() },
    options.observer ?? {},
  ]);
  const stated = composeStated({ settings, env, clock, observer, log });
  const credentials = await composeCredentials({
    ...{ settings, state, identity, kept, registry, env, log },
    renew: (current, limit) => client.renew(current, limit),
    onChange: (next) => followCredentials(next, agent, log),
  });
  const report = () => reportOf({ identity, credentials, stated, holder });
  const client = new ControlClient({
    addresses: settings.addresses,
    reconnect: settings.reconnect ?? DEFAULT_RECONNECT,
    serverId: () => identity.serverId,
    security: () => (credentials === undefined ? { mode: 'insecure' } : credentials.connection()),
    report,
    trustChanged: (...news) => credentials?.trustChanged(...news),
    refused: () => credentials?.keeper?.refused(),
    apply: (update) => holder.apply(update),
    clock,
    observer,
    log,
  });
  const parts = { identity, credentials, stated, holder, client };
  const agent = { ...parts, report, view: () => viewOf(settings, { ...parts, report }), registry };
  return agent;
}

function viewOf(settings: AgentSettings, agent: Omit<Agent, 'view' | 'registry'>): AgentView {
  const { identity, credentials, stated, holder, client, report } = agent;
  const { security } = settings;
  return {
    ...report(),
    serverId: identity.provisional ? '' : identity.serverId,
    version: VERSION,
    stated: stated.view(),
    held: holder.view(),
    connection: client.status(),
    instanceSource: identity.source,
    instanceProblem: identity.problem,
    credentials: credentials?.status(),
    joinMethod: security.mode === 'mutual' ? security.join?.by.method : undefined,
  };
}

function reportOf({
  identity,
  credentials,
  stated,
  holder,
}: Pick<Agent, 'identity' | 'credentials' | 'stated' | 'holder'>): Report {
  const { revision, remainingMs } = holder.view();
  const said = stated.view();
  return {
    hostname: hostname().slice(0, MAX_HOSTNAME),
    ownLabels: ownLabels(said),
    importedLabels: importedLabels(said),
    instance: identity.instance,
    heldRevision: revision,
    heldRemainingMs: remainingMs,
    trustGeneration: credentials?.keeper?.current().trust.generation ?? 0,
  };
}

async function lookForChanges(
  report: () => Report,
  client: ControlClient,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  let last = fingerprint(report());
  let stale = hasRunOut(report());
  for (;;) {
    await sleep(LOOK_MS, signal);
    const now = report();
    const text = fingerprint(now);
    if (text !== last) client.changed();
    if (hasRunOut(now) && !stale) log.warn({ event: 'labels_stale', revision: now.heldRevision });
    stale = hasRunOut(now);
    last = text;
  }
}
