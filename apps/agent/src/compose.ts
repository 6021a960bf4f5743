import type { Environment, Logger } from '@tagplane/runtime';
import { SECOND, runTasks, sleep } from '@tagplane/runtime';
import type { AgentView } from './agent-view.ts';
import { composeAgent } from './compose-agent.ts';
import type { AgentSettings } from './config.ts';
import type { ControlClient } from './control-client.ts';
import { followMetadata } from './follow.ts';
import type { AgentObserver } from './observer.ts';
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

/**
 * Runs one agent until the signal aborts.
 *
 * @throws ConfigError when data_dir, socket or diagnostics cannot be had, or there are no credentials and no
 *   way to get any; TaskError when a part failed
 */
export async function runAgent(settings: AgentSettings, options: RunOptions): Promise<void> {
  const { signal, log } = options;
  const agent = await composeAgent(settings, options);
  const { identity, credentials, stated, client, report, view } = agent;
  await using _servers = await serve(settings, agent, log);
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
