import { MINUTE, SECOND } from '@tagplane/runtime';
import type { UpdateLabels } from '@tagplane/protocol';
import type { Put, Store } from '@tagplane/store';
import { DISCOVERED_PREFIX } from '@tagplane/serverinfo';
import { versionOf } from '@tagplane/session';
import { replaceMessage } from '../control/messages.ts';
import { FakeAgent } from './fake-agent.ts';
import { discovered, put, selecting } from './fleet.ts';
import { overridden, testPlane, testStores } from './test-plane.ts';
import type { TestPlane, TestStores } from './test-plane.ts';

/** What one write to all nodes came to. */
export interface Convergence {
  /** From before the write until the last ack was taken. */
  readonly convergedMs: number;
  /** Until every node's record said so as well. */
  readonly recordedMs: number;
  /** Label updates to nodes that the selector picks, and to all others. */
  readonly sentToPicked: number;
  readonly sentToOthers: number;
  /** The most updates that one node got. */
  readonly mostForOne: number;
  /** Resident memory before, and the most while it lasted. */
  readonly rssBeforeMiB: number;
  readonly rssPeakMiB: number;
  /** Lookups of single nodes' ServerInfos in the store. */
  readonly lookups: number;
  /** The longest that a timer of a few milliseconds was late. */
  readonly longestStallMs: number;
}

export interface ConvergeOptions {
  /** Nodes that the selector picks, and others. */
  readonly picked: number;
  readonly others: number;
}

const DEADLINE_MS = 5 * MINUTE;
const SAMPLE_MS = 5;
const PAGE = 1_000;
const KEY = 'dynamic/tier';

/**
 * One command over a fleet: an operator's selector is written while an agent for every node is connected to
 * one control plane, in this process, over a store in memory.
 */
export async function converge({ picked, others }: ConvergeOptions): Promise<Convergence> {
  await using stores = testStores();
  let lookups = 0;
  const serverInfos = overridden(stores.serverInfos, {
    getMany(keys, options) {
      lookups += keys.filter((key) => key.startsWith(DISCOVERED_PREFIX)).length;
      return stores.serverInfos.getMany(keys, options);
    },
  });
  await using auth = testPlane({ ...stores, serverInfos }, { admissionRate: 1_000_000 });
  const agents = await connectAll(auth, stores, { picked, others });
  lookups = 0;
  for (const agent of agents) agent.updates = 0;
  const watch = watchProcess();
  const start = performance.now();
  await put(stores.serverInfos, selecting('tier', 'aws/team=db', { tier: 'back' }));
  await eventually('every node that is picked has the label', () =>
    agents.every((agent, index) => index >= picked || agent.holds(KEY, 'back')),
  );
  await eventually('every ack is taken', () => agents.every((agent) => agent.session?.phase === 'synced'));
  const convergedMs = performance.now() - start;
  await eventually('every record says so', async () => (await recorded(stores.nodes, KEY)) === picked);
  const recordedMs = performance.now() - start;
  const sent = agents.map((agent) => agent.updates);
  return {
    convergedMs,
    recordedMs,
    sentToPicked: sum(sent.slice(0, picked)),
    sentToOthers: sum(sent.slice(picked)),
    mostForOne: sent.reduce((most, count) => Math.max(most, count), 0),
    lookups,
    ...watch.stop(),
  };
}

/** The least that it could be: an update built for each node, and taken and answered by its agent. */
export function convergeBare(
  count: number,
): Pick<Convergence, 'convergedMs' | 'rssBeforeMiB' | 'rssPeakMiB'> {
  const agents = Array.from({ length: count }, (_, number) => new FakeAgent(`s${number}`));
  const span = { observedAt: Date.now(), expiresAt: Date.now() + 90 * MINUTE };
  const dynamic = { labels: new Map([[KEY, 'back']]), ...span };
  const rssBeforeMiB = rssMiB();
  const start = performance.now();
  for (const [number, agent] of agents.entries()) {
    const labels = new Map(Object.entries(tagsOf(number, 'db')).map(([key, value]) => [`aws/${key}`, value]));
    const sets = { 'aws/': { labels, ...span }, 'dynamic/': dynamic };
    const { message } = replaceMessage(String(number), versionOf(sets), sets, Date.now());
    if (message.case === 'updateLabels') agent.answer(message.value);
  }
  const convergedMs = performance.now() - start;
  if (agents.some((agent) => agent.labels[KEY] !== 'back')) throw new Error('an agent took no labels');
  return { convergedMs, rssBeforeMiB, rssPeakMiB: rssMiB() };
}

function tagsOf(number: number, team: string): Record<string, string> {
  return { Name: `node-${number}`, team, env: 'prod' };
}

class CountingAgent extends FakeAgent {
  updates = 0;

  override answer(update: UpdateLabels): this {
    this.updates += 1;
    return super.answer(update);
  }

  holds(key: string, value: string): boolean {
    return this.held?.sets.some((set) => set.labels.get(key) === value) === true;
  }
}

async function connectAll(
  auth: TestPlane,
  { serverInfos, nodes }: Pick<TestStores, 'serverInfos' | 'nodes'>,
  { picked, others }: ConvergeOptions,
): Promise<readonly CountingAgent[]> {
  const infos: Put[] = Array.from({ length: picked + others }, (_, number) =>
    discovered(number, tagsOf(number, number < picked ? 'db' : 'web')),
  );
  await put(serverInfos, ...infos);
  const agents = infos.map((_, number) => new CountingAgent(`s${number}`, { runsOn: number }));
  for (const agent of agents) agent.connect(auth.plane);
  await eventually('every node has its tags', () => agents.every((agent) => agent.holds('aws/env', 'prod')));
  await eventually(
    'every node is recorded',
    async () => (await recorded(nodes, 'aws/env')) === agents.length,
  );
  return agents;
}

/** Nodes whose record has this key. */
async function recorded(nodes: Store, key: string): Promise<number> {
  const { signal } = new AbortController();
  let count = 0;
  let after: string | undefined;
  for (;;) {
    const range = { prefix: '', limit: PAGE, ...(after === undefined ? {} : { after }) };
    const page = await nodes.range(range, { signal });
    count += page.filter(({ value }) => value.includes(JSON.stringify(key))).length;
    after = page.at(-1)?.key;
    if (page.length < PAGE) return count;
  }
}

function rssMiB(): number {
  return process.memoryUsage.rss() / 2 ** 20;
}

function watchProcess(): { stop(): Pick<Convergence, 'rssBeforeMiB' | 'rssPeakMiB' | 'longestStallMs'> } {
  const rssBeforeMiB = rssMiB();
  let rssPeakMiB = rssBeforeMiB;
  let longestStallMs = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longestStallMs = Math.max(longestStallMs, now - last - SAMPLE_MS);
    last = now;
    rssPeakMiB = Math.max(rssPeakMiB, rssMiB());
  }, SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      return { rssBeforeMiB, rssPeakMiB, longestStallMs };
    },
  };
}

async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not so within ${DEADLINE_MS / SECOND} s: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, SAMPLE_MS);
    });
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
