import { setTimeout as delay } from 'node:timers/promises';
import type { Operator } from '@tagplane/harness';
import { connectOperator, metricSum, waitFor } from '@tagplane/harness';
import { errorMessage } from '@tagplane/runtime';
import { AGENTS } from './agents.ts';
import { LOGIN, putDemoRole } from './login.ts';
import { NodeBoard } from './progress.ts';
import type { Progress } from './progress.ts';
import type { Screen } from './screen.ts';
import type { Stack } from './stack.ts';
import { INSTANCES, SCAN_EVERY } from './stack.ts';

/** 200 ServerInfos at five a second are 40 s; the rest is for slow machines. */
const LABELLED_WITHIN_MS = 180_000;
const CHANGE_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 200;
const BROKEN_WATCH_WAITS_MS = 1_000;
/** No instance of the simulator has it before. */
const TAG = 'demo-changed-at';

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
  /** What the agent says of a login by a role that asks for that tag: before the change, and after it. */
  readonly login_before: 'allowed' | 'denied';
  readonly login_after: 'allowed' | 'denied';
}

/**
 * Watches labels arrive at every agent, then changes a tag and times it.
 *
 * @throws Error that says which step did not happen; the signal's reason when it aborts
 */
export async function runDemo(stack: Stack, screen: Screen, signal: AbortSignal): Promise<DemoResult> {
  using operator = connectOperator({ port: stack.authPort, credentials: stack.cluster.credentials });
  const board = new NodeBoard();
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const watching = followNodes(operator, board, stop);
  try {
    return await Promise.race([measure(stack, operator, board, screen, stop), whenItFails(watching)]);
  } finally {
    ended.abort();
    await watching.catch(() => undefined);
  }
}

async function measure(
  stack: Stack,
  operator: Operator,
  board: NodeBoard,
  screen: Screen,
  signal: AbortSignal,
): Promise<DemoResult> {
  const start = performance.now();
  let firstLabel: number | undefined;
  const final = await waitFor(
    'every instance is stored and every agent labelled',
    async () => {
      const progress = await look(stack, operator, board);
      screen.progress(progress);
      if (progress.labelled > 0) firstLabel ??= performance.now() - start;
      return isDone(progress) && progress;
    },
    { timeoutMs: LABELLED_WITHIN_MS, everyMs: LOOK_EVERY_MS, signal },
  );
  const login = await putDemoRole(operator, { socket: stack.socket, key: TAG }, signal);
  const before = await login.ask();
  screen.say(
    `\nA role lets ${LOGIN} in where aws/${TAG} is set: on ${stack.places[0].serverId} that is ${before} so far.`,
  );
  const changeToAck = await timeChange(stack, board, screen, signal);
  const after = await login.ask();
  screen.say(`The same question again, asked of the agent itself: ${after}.`);
  if (before !== 'denied' || after !== 'allowed') {
    throw new Error(`the login was ${before} before the change and ${after} after it`);
  }
  return {
    instances: final.instances,
    server_infos: final.serverInfos,
    agents: final.agents,
    labelled: final.labelled,
    first_label_ms: Math.round(firstLabel ?? Number.NaN),
    change_to_ack_ms: changeToAck,
    login_before: before,
    login_after: after,
  };
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

async function timeChange(
  stack: Stack,
  board: NodeBoard,
  screen: Screen,
  signal: AbortSignal,
): Promise<number> {
  const [{ serverId, region, instance }] = stack.places;
  const [key, value] = [TAG, new Date().toISOString()];
  screen.say(`\nIn EC2, instance ${instance} gets the tag ${key}=${value} …`);
  const changed = performance.now();
  stack.ec2.fleet.changeTags({ region, id: instance }, { set: new Map([[key, value]]) });
  await waitFor(
    `${serverId} acknowledged the changed tag`,
    () => board.holds(serverId, `aws/${key}`, value),
    { timeoutMs: CHANGE_WITHIN_MS, everyMs: 5, signal },
  );
  const took = Math.round(performance.now() - changed);
  screen.say(`… and its agent, ${serverId}, has acknowledged it ${took} ms later.`);
  screen.say(`Most of that was the wait for the next scan: one every ${SCAN_EVERY} here, 5m by default.`);
  return took;
}

async function followNodes(operator: Operator, board: NodeBoard, signal: AbortSignal): Promise<void> {
  for await (const event of operator.nodes.watchNodes({}, { signal, timeoutMs: 0 })) board.apply(event);
}

/** Rejects when the watch of the nodes breaks off; never resolves. */
async function whenItFails(watching: Promise<void>): Promise<never> {
  const why = await watching.then(
    () => 'auth ended it',
    (error: unknown) => errorMessage(error),
  );
  // An auth that ended breaks the watch too, and what is known of its end says more.
  await delay(BROKEN_WATCH_WAITS_MS);
  throw new Error(`the watch of the nodes broke off: ${why}`);
}
