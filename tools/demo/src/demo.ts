import { setTimeout as delay } from 'node:timers/promises';
import type { Operator } from '@tagplane/harness';
import { connectOperator, metricSum, waitFor } from '@tagplane/harness';
import { NodeBoard } from './progress.ts';
import type { Progress } from './progress.ts';
import type { Screen } from './screen.ts';
import type { Stack } from './stack.ts';
import { AGENTS, INSTANCES } from './stack.ts';

/** 200 ServerInfos at five a second are 40 s; the rest is for slow machines. */
const LABELLED_WITHIN_MS = 180_000;
const CHANGE_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 200;

/** What the demo found; the field names are those of its JSON. */
export interface DemoResult {
  readonly instances: number;
  readonly server_infos: number;
  readonly agents: number;
  readonly labelled: number;
  /** From the start of the agents to the first that acknowledged labels from EC2. */
  readonly first_label_ms: number;
  /** From the tag's change in EC2 to the auth service's record of the agent's ack. */
  readonly change_to_ack_ms: number;
}

/**
 * Watches labels arrive at every agent, then changes a tag and times it.
 *
 * @throws Error that says which step did not happen
 */
export async function runDemo(stack: Stack, screen: Screen): Promise<DemoResult> {
  using operator = connectOperator(stack.authPort);
  const board = new NodeBoard();
  const stop = new AbortController();
  const watching = followNodes(operator, board, stop.signal);
  try {
    const start = performance.now();
    let firstLabel: number | undefined;
    const final = await Promise.race([
      failed(stack, watching),
      waitFor(
        'every instance is stored and every agent labelled',
        async () => {
          const progress = await look(stack, operator, board);
          screen.progress(progress);
          if (progress.labelled > 0) firstLabel ??= performance.now() - start;
          return isDone(progress) && progress;
        },
        { timeoutMs: LABELLED_WITHIN_MS, everyMs: LOOK_EVERY_MS },
      ),
    ]);
    const change = await Promise.race([failed(stack, watching), timeChange(stack, board, screen)]);
    return {
      instances: final.instances,
      server_infos: final.serverInfos,
      agents: final.agents,
      labelled: final.labelled,
      first_label_ms: Math.round(firstLabel ?? Number.NaN),
      change_to_ack_ms: change,
    };
  } finally {
    stop.abort();
    await watching.catch(() => undefined);
  }
}

async function look(stack: Stack, operator: Operator, board: NodeBoard): Promise<Progress> {
  const [metrics, status] = await Promise.all([
    fetch(`http://127.0.0.1:${stack.discoveryDiagnosticsPort}/metrics`).then((response) => response.text()),
    operator.status.getStatus({ withCounts: true }),
  ]);
  return {
    instances: metricSum(metrics, 'tagplane_discovery_instances'),
    serverInfos: Number(status.serverInfos),
    agents: board.connected,
    labelled: board.labelled,
  };
}

function isDone({ instances, serverInfos, agents, labelled }: Progress): boolean {
  return instances === INSTANCES && serverInfos === INSTANCES && agents === AGENTS && labelled === AGENTS;
}

async function timeChange(stack: Stack, board: NodeBoard, screen: Screen): Promise<number> {
  const [{ serverId, region, instance }] = stack.places;
  const [key, value] = ['demo-changed-at', new Date().toISOString()];
  screen.say(`\n  now ${instance} (${serverId}) gets the tag ${key}=${value}`);
  const changed = performance.now();
  stack.ec2.fleet.changeTags({ region, id: instance }, { set: new Map([[key, value]]) });
  await waitFor(
    `${serverId} acknowledged the changed tag`,
    () => board.holds(serverId, `aws/${key}`, value),
    {
      timeoutMs: CHANGE_WITHIN_MS,
      everyMs: 5,
    },
  );
  const took = Math.round(performance.now() - changed);
  screen.say(`  ${serverId} acknowledged it ${took} ms later, most of it until the next scan (every 2 s)`);
  return took;
}

async function followNodes(operator: Operator, board: NodeBoard, signal: AbortSignal): Promise<void> {
  for await (const event of operator.nodes.watchNodes({}, { signal, timeoutMs: 0 })) board.apply(event);
}

/** Rejects as soon as a part has failed; never resolves. */
async function failed(stack: Stack, watching: Promise<void>): Promise<never> {
  const services = stack.services.map(async (service) => {
    const code = await service.exited;
    throw new Error(`${service.name} ended (${code ?? 'killed'}): ${service.output.slice(-3).join('\n')}`);
  });
  await Promise.race([...services, stack.agentsEnded, watching]);
  await delay(0);
  throw new Error('a part of the demo ended by itself');
}
