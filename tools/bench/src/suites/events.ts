import { setTimeout as delay } from 'node:timers/promises';
import { parseInstanceKey } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import { createClientConnection, upsertDrafts } from '@tagplane/protocol';
import { freePort, metricSum, startService, waitFor, waitUntilReady } from '@tagplane/harness';
import { carryAll, draftOf as draftOfFound, observeInstance } from '@tagplane/serverinfo';
import type { ServerInfoDraft } from '@tagplane/serverinfo';
import { startRedis } from '@tagplane/store-redis/testing';
import { startAgents } from '../agents.ts';
import type { Sample } from '../figure.ts';
import { inBatches } from '../fleet.ts';
import { startAuth, startSimulator } from '../servers.ts';
import type { Suite } from '../suite.ts';

const INSTANCES = 10_000;
const CHANGES = 200;
/** 200 changes in a minute. */
const INTERVAL_MS = 300;
const REGION = 'eu-central-1';
const QUEUE = 'bench';
/** From the change to the queue: EventBridge's own delay is about half a second. */
const EVENT_DELAY_MS = 500;
/** The tag that is changed; its value begins with a generation. */
const LABEL = 'bench';
const TTL_MS = 85 * 60 * 1_000;

interface Listed {
  readonly account: string;
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * EVENTS: from a change of a tag in EC2, through its event, the queue, the describe and the express lane, to
 * the acknowledgement of the instance's agent. Nothing but events can bring it: the poll is 20 minutes away.
 */
export const eventsSuite: Suite = async ({ runs }) => {
  const [p50, p99]: [Sample[], Sample[]] = [[], []];
  for (let run = 0; run < runs; run += 1) {
    const times = (await changesToAcks()).toSorted((a, b) => a - b);
    p50.push({ value: quantile(times, 0.5), floor: undefined });
    p99.push({ value: quantile(times, 0.99), floor: undefined });
  }
  const name = `events, ${INSTANCES} instances, ${CHANGES} tag changes in a minute: change to ack`;
  const bound = 5_000 + EVENT_DELAY_MS;
  return [
    { name: `${name}, p50`, unit: 'ms', samples: p50 },
    { name: `${name}, p99`, unit: 'ms', samples: p99, goal: { of: 'value', at: 'most', bound } },
  ];
};

async function changesToAcks(): Promise<number[]> {
  await using redis = await startRedis();
  await using auth = await startAuth(redis.url);
  await using simulator = await startSimulator(INSTANCES);
  const control = (method: string, path: string, body?: object): Promise<Response> =>
    fetch(`${simulator.url}/_control/${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
  const list = async (): Promise<Listed[]> => {
    const answer = await control('GET', `instances?region=${REGION}&limit=${INSTANCES}`);
    return ((await answer.json()) as { instances: Listed[] }).instances;
  };
  const changed = (await list()).filter((_, index) => index % (INSTANCES / CHANGES) === 0);
  const setTag = async ({ id }: Listed, generation: number): Promise<void> => {
    const set = { [LABEL]: `${generation}-${id}` };
    const answer = await control('POST', `instances/${REGION}/${id}/tags`, { set });
    if (!answer.ok) throw new Error(await answer.text());
  };
  for (const instance of changed) await setTag(instance, 1);
  await fill(auth.port, await list());
  await control('PUT', 'events', { queue: QUEUE, delay_ms: EVENT_DELAY_MS });
  await using discovery = await startDiscovery(auth.port, simulator.url, changed[0]?.account ?? '');
  await using agents = await startAgents({
    ...{ port: auth.port, count: changed.length, label: `aws/${LABEL}` },
    instances: changed.map(keyOf),
  });
  await agents.acked(1);
  await discovery.idle();
  const sentAt = new Map<number, number>();
  const times = new Map<number, number>();
  agents.onAck(({ index, generation, at }) => {
    const sent = sentAt.get(index);
    if (sent !== undefined && generation === 2 && !times.has(index)) times.set(index, at - sent);
  });
  for (const [index, instance] of changed.entries()) {
    sentAt.set(index, performance.timeOrigin + performance.now());
    await setTag(instance, 2);
    await delay(INTERVAL_MS);
  }
  await waitFor('all changes are acknowledged', () => times.size === CHANGES, { timeoutMs: 120_000 });
  return [...times.values()];
}

/** Writes what a discovery that has run for a while would have written. */
async function fill(port: number, listed: readonly Listed[]): Promise<void> {
  using connection = createClientConnection({
    address: { host: '127.0.0.1', port },
    security: { mode: 'insecure', peer: { role: 'discovery', name: 'bench', proof: 'claimed' } },
  });
  await inBatches(listed.length, { size: 500, inFlight: 4 }, async (from, to) => {
    await upsertDrafts(connection.transport, listed.slice(from, to).map(draftOf), { timeoutMs: 60_000 });
  });
}

function keyOf({ account, id }: Listed): InstanceKey {
  const key = parseInstanceKey({ account, region: REGION, instance: id });
  if (key === undefined) throw new RangeError(`no instance: ${id}`);
  return key;
}

function draftOf(listed: Listed): ServerInfoDraft {
  const tags = new Map(Object.entries(listed.tags));
  const described = { key: keyOf(listed), state: 'running', platform: 'linux', tags } as const;
  return draftOfFound(observeInstance(described, Date.now(), { carry: carryAll }), TTL_MS);
}

async function startDiscovery(authPort: number, simulatorUrl: string, account: string) {
  const diagnosticsPort = await freePort();
  const queue = `${simulatorUrl}/${account}/${QUEUE}`;
  const process = await startService(
    'discovery',
    'discovery',
    {
      AUTH_ADDRESS: `127.0.0.1:${authPort}`,
      DIAGNOSTICS: `127.0.0.1:${diagnosticsPort}`,
      TLS_MODE: 'insecure',
      NAME: 'bench',
      POLL_INTERVAL: '20m',
      LOG_LEVEL: 'warn',
      AWS: JSON.stringify([{ regions: [REGION] }]),
      EVENTS: JSON.stringify([{ queue, region: REGION }]),
    },
    {
      AWS_ENDPOINT_URL: simulatorUrl,
      AWS_ACCESS_KEY_ID: 'any',
      AWS_SECRET_ACCESS_KEY: 'any',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  );
  await waitUntilReady(process, diagnosticsPort, 120_000);
  const metrics = async (): Promise<string> =>
    await (await fetch(`http://127.0.0.1:${diagnosticsPort}/metrics`)).text();
  return {
    /** Resolves when nothing is left to be sent, since nothing was due. */
    idle: () =>
      waitFor(
        'discovery has nothing to send',
        async () => metricSum(await metrics(), 'tagplane_discovery_queue_length') === 0,
        { timeoutMs: 120_000 },
      ),
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
