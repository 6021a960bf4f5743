import { hostname } from 'node:os';
import type { Environment, Logger, Registry } from '@tagplane/runtime';
import { SECOND, VERSION, createRegistry, runTasks, sleep, startDiagnostics } from '@tagplane/runtime';
import { NO_LABELS } from '@tagplane/labels';
import { AgentIdentity } from './agent-identity.ts';
import type { IdentityChange } from './agent-identity.ts';
import { readinessOf } from './readiness.ts';
import type { AgentView } from './agent-view.ts';
import { bootId, systemClock } from './clock.ts';
import { DEFAULT_RECONNECT } from './config.ts';
import type { AgentSettings } from './config.ts';
import { ControlClient } from './control-client.ts';
import { memoryState, openDiskState } from './disk-state.ts';
import { LabelHolder } from './label-holder.ts';
import { serveLocally } from './local-socket.ts';
import { agentMetrics } from './metrics.ts';
import { tellAll } from './observer.ts';
import type { AgentObserver } from './observer.ts';
import { fingerprint, hasRunOut } from './report.ts';
import type { Report } from './report.ts';
import { labelsDocument } from './routes/labels.ts';
import { statusDocument } from './routes/status.ts';

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
interface Agent {
  readonly identity: AgentIdentity;
  readonly holder: LabelHolder;
  readonly client: ControlClient;
  readonly report: () => Report;
  readonly view: () => AgentView;
  /** Only for an agent with diagnostics: a registry is a large part of an agent's memory. */
  readonly registry: Registry | undefined;
}

/**
 * Runs one agent until the signal aborts.
 *
 * @throws ConfigError when data_dir, socket or diagnostics cannot be had; TaskError when a part failed
 */
export async function runAgent(settings: AgentSettings, options: RunOptions): Promise<void> {
  const { signal, log } = options;
  const agent = await composeAgent(settings, options);
  const { identity, client, report, view } = agent;
  await using _servers = await serve(settings, agent, log);
  log.info({ event: 'agent_started', server_id: identity.serverId, aws: identity.source });
  options.onStart?.({ serverId: identity.serverId, view });
  await runTasks(signal, {
    'control stream': (stop) => client.run(stop),
    'look for changes': (stop) => lookForChanges(report, client, log, stop),
    'aws identity': (stop) => identity.watch(stop, (change) => follow(change, agent, log)),
  });
  log.info({ event: 'agent_stopped' });
}

async function composeAgent(settings: AgentSettings, options: RunOptions): Promise<Agent> {
  const { signal, log, env = {} } = options;
  const boot = bootId();
  const clock = systemClock(boot);
  const state = settings.dataDir === undefined ? memoryState() : await openDiskState(settings.dataDir, log);
  const identity = await AgentIdentity.settle({ settings, state, boot, env, log }, signal);
  const owner = () => ({ serverId: identity.serverId, instance: identity.recordedInstance });
  const holder = new LabelHolder(state.labelStore(owner), await state.readLabels(owner()), clock, log);
  const report = () => reportOf(settings, identity, holder);
  const registry = settings.diagnostics && createRegistry('agent');
  const metrics = registry === undefined ? [] : [agentMetrics(registry, () => holder.view())];
  const client = new ControlClient({
    addresses: settings.addresses,
    reconnect: settings.reconnect ?? DEFAULT_RECONNECT,
    serverId: () => identity.serverId,
    report,
    apply: (update) => holder.apply(update),
    clock,
    observer: tellAll([...metrics, options.observer ?? {}]),
    log,
  });
  const view = (): AgentView => ({
    ...report(),
    serverId: identity.serverId,
    version: VERSION,
    held: holder.view(),
    connection: client.status(),
    instanceSource: identity.source,
    instanceProblem: identity.problem,
  });
  return { identity, holder, client, report, view, registry };
}

function reportOf(settings: AgentSettings, identity: AgentIdentity, holder: LabelHolder): Report {
  const { revision, remainingMs } = holder.view();
  return {
    hostname: hostname().slice(0, MAX_HOSTNAME),
    ownLabels: settings.ownLabels ?? NO_LABELS,
    instance: identity.instance,
    heldRevision: revision,
    heldRemainingMs: remainingMs,
  };
}

async function serve(settings: AgentSettings, agent: Agent, log: Logger): Promise<AsyncDisposable> {
  const { view, registry } = agent;
  await using servers = new AsyncDisposableStack();
  if (settings.socket !== undefined) {
    const routes = {
      '/v1/labels': () => labelsDocument(view()),
      '/v1/status': () => statusDocument(view(), Date.now()),
    };
    servers.use(await serveLocally({ path: settings.socket, routes, log }));
  }
  if (registry !== undefined && settings.diagnostics !== undefined) {
    const readiness = () => [readinessOf(view())];
    servers.use(await startDiagnostics({ listen: settings.diagnostics, registry, readiness, log }));
  }
  return servers.move();
}

/** Instance metadata answered at last. */
async function follow(
  { discard, renamed }: IdentityChange,
  { identity, holder, client }: Agent,
  log: Logger,
): Promise<void> {
  if (discard === undefined && !renamed) {
    client.changed();
    return;
  }
  // Before anything waits: what comes on the stream there is is meant for another server.
  client.reidentified();
  if (discard === undefined) return;
  log.warn({ event: 'identity_changed', reason: discard, server_id: identity.serverId });
  await holder.discard();
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
