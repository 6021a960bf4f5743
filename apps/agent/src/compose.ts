import { hostname } from 'node:os';
import type { Environment, Logger, ReadinessCheck } from '@tagplane/runtime';
import {
  SECOND,
  VERSION,
  createRegistry,
  formatDuration,
  runTasks,
  sleep,
  startDiagnostics,
} from '@tagplane/runtime';
import { NO_LABELS } from '@tagplane/labels';
import { AgentIdentity } from './agent-identity.ts';
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
import { freshnessOf, labelsDocument } from './routes/labels.ts';
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

/**
 * Runs one agent until the signal aborts.
 *
 * @throws ConfigError when data_dir, socket or diagnostics cannot be had; TaskError when a part failed
 */
export async function runAgent(settings: AgentSettings, options: RunOptions): Promise<void> {
  const { signal, log, env = {} } = options;
  const boot = bootId();
  const clock = systemClock(boot);
  const state = settings.dataDir === undefined ? memoryState() : await openDiskState(settings.dataDir, log);
  const identity = await AgentIdentity.settle({ settings, state, boot, env, log }, signal);
  const owner = () => ({ serverId: identity.serverId, instance: identity.recordedInstance });
  const holder = new LabelHolder(state.labelStore(owner), await state.readLabels(owner()), clock, log);
  const report = (): Report => {
    const { revision, remainingMs } = holder.view();
    return {
      hostname: hostname().slice(0, MAX_HOSTNAME),
      ownLabels: settings.ownLabels ?? NO_LABELS,
      instance: identity.instance,
      heldRevision: revision,
      heldRemainingMs: remainingMs,
    };
  };
  const registry = settings.diagnostics && createRegistry('agent');
  const client = new ControlClient({
    addresses: settings.addresses,
    reconnect: settings.reconnect ?? DEFAULT_RECONNECT,
    serverId: () => identity.serverId,
    report,
    apply: (update) => holder.apply(update),
    clock,
    observer: tellAll([
      ...(registry === undefined ? [] : [agentMetrics(registry, () => holder.view())]),
      options.observer ?? {},
    ]),
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
  log.info({ event: 'agent_started', server_id: identity.serverId, aws: identity.source });
  options.onStart?.({ serverId: identity.serverId, view });
  await runTasks(signal, {
    'control stream': (stop) => client.run(stop),
    'look for changes': (stop) => lookForChanges(report, client, log, stop),
    'aws identity': (stop) =>
      identity.watch(stop, async ({ discard, renamed }) => {
        if (discard !== undefined) {
          log.warn({ event: 'identity_changed', reason: discard, server_id: identity.serverId });
          await holder.discard();
        }
        if (renamed) client.reidentified();
        else client.changed();
      }),
  });
  log.info({ event: 'agent_stopped' });
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

function readinessOf(view: AgentView): ReadinessCheck {
  const { connection, held } = view;
  const name = 'labels';
  if (connection.state === 'connected')
    return { name, ready: true, reason: `connected to ${connection.address ?? ''}` };
  const why = connection.lastError ?? 'not connected yet';
  if (freshnessOf(view) !== 'fresh') {
    return { name, ready: false, reason: `not connected (${why}), and no fresh labels held` };
  }
  const rest = held.remainingMs === undefined ? 'for ever' : `for ${formatDuration(held.remainingMs)}`;
  return { name, ready: true, reason: `not connected (${why}); labels from ${held.source} stand ${rest}` };
}
