import { waitFor } from '@tagplane/harness';
import { formatSpiffeId, instanceKeyText } from '@tagplane/identity';
import type { ChangeBook } from './change-book.ts';
import type { FleetAgent } from './fleet/fleet.ts';
import { stateAt } from './fleet/fleet.ts';
import type { Plane } from './plane.ts';

/** How an agent is locked: the words for tagctl. */
const WAYS: Readonly<Record<string, (agent: FleetAgent, cluster: string) => readonly [string, string]>> = {
  agent: ({ id }) => ['--agent', id],
  instance: ({ plan }) => ['--instance', instanceKeyText(plan.instance)],
  identity: ({ id }, cluster) => ['--identity', formatSpiffeId({ cluster, role: 'agent', name: id })],
};

/** Far above every turn of the test before. */
const WHILE_LOCKED = 1_000_000;
const MESSAGE = 'under investigation';
const PATIENCE_MS = 60_000;
/** Attempts to come back that must fail while locked. */
const ATTEMPTS = 2;

interface Locked {
  readonly way: string;
  readonly agent: FleetAgent;
  /** Of the lock. */
  readonly id: string;
  /** From the lock until the stream was gone. */
  readonly cutAfterMs: number;
  /** How often it was connected and disconnected until then. */
  readonly connects: number;
  readonly disconnects: number;
}

/**
 * Locks an agent, another one's instance and a third one's identity, each on the auth process that it is
 * not connected to; sees that they stay out, and that they are back when the locks are removed.
 *
 * @returns milliseconds from each lock to the end of the stream
 */
export async function cutByLock(plane: Plane, book: ChangeBook): Promise<Record<string, number>> {
  const { fleet, writer } = plane;
  const others = new Set(fleet.agents);
  const chosen = await chooseOnBoth(plane, Object.keys(WAYS));
  for (const { agent } of chosen) others.delete(agent);
  const disconnectsBefore = countDisconnects(others);
  const locked = await Promise.all(chosen.map(({ way, agent }) => lock(plane, way, agent)));
  await Promise.all(locked.map(staysOut));
  for (const { agent } of locked) book.wrote(agent.index, WHILE_LOCKED, Date.now());
  await writer.write(locked.map(({ agent }) => ({ instance: agent.plan.instance, turn: WHILE_LOCKED })));
  const stillOut = locked.filter(({ agent }) => agent.authId !== undefined);
  if (stillOut.length > 0) throw new Error(`${stillOut.map(({ way }) => way).join(', ')}: came back locked`);
  await plane.tagctl('auth-1', 'lock', 'rm', ...locked.map(({ id }) => id));
  await Promise.all(
    locked.map(({ way, agent }) =>
      waitFor(`the one locked by ${way} is back`, () => agent.authId !== undefined, {
        timeoutMs: PATIENCE_MS,
      }),
    ),
  );
  await waitFor('they got what was written meanwhile', () => book.settled, { timeoutMs: PATIENCE_MS });
  if (countDisconnects(others) > disconnectsBefore) throw new Error('others lost their streams too');
  return Object.fromEntries(locked.map(({ way, cutAfterMs }) => [`${way}CutAfterMs`, cutAfterMs]));
}

/** For each way an agent, by turns of one auth process and the other; with the youngest certificates. */
async function chooseOnBoth(
  { fleet, auths }: Plane,
  ways: readonly string[],
): Promise<{ way: string; agent: FleetAgent }[]> {
  const { states } = await fleet.states();
  const age = ({ index }: FleetAgent): number => -stateAt(states, index).receivedAt;
  const youngest = [...fleet.agents].sort((a, b) => age(a) - age(b));
  const taken = new Set<FleetAgent>();
  return ways.map((way, index) => {
    const authId = auths[index % auths.length]?.id;
    const agent = youngest.find((each) => each.authId === authId && !taken.has(each));
    if (agent === undefined) throw new Error(`no agent is connected to ${authId ?? ''}`);
    taken.add(agent);
    return { way, agent };
  });
}

async function lock(plane: Plane, way: string, agent: FleetAgent): Promise<Locked> {
  const { auths, cluster } = plane;
  const other = auths.find(({ id }) => id !== agent.authId)?.id ?? '';
  const words = WAYS[way]?.(agent, cluster.credentials.trust.cluster) ?? [];
  const disconnects = agent.disconnects.length + 1;
  const connects = agent.connects.length;
  const { stdout } = await plane.tagctl(other, 'lock', 'add', ...words, '--message', MESSAGE);
  const { id, created_at } = JSON.parse(stdout) as { id: string; created_at: string };
  const cut = await waitFor(`the stream of ${agent.id} is cut`, () => agent.disconnects[disconnects - 1], {
    timeoutMs: PATIENCE_MS,
    everyMs: 5,
  });
  const cutAfterMs = Math.max(0, Math.round(cut.at - Date.parse(created_at)));
  return { way, agent, id, cutAfterMs, connects, disconnects };
}

/** Waits until it has tried to come back, and was told each time why it may not. */
async function staysOut({ way, agent, connects, disconnects }: Locked): Promise<void> {
  const refused = await waitFor(
    `the one locked by ${way} has tried to come back`,
    () => {
      const later = agent.disconnects.slice(disconnects);
      return later.length >= ATTEMPTS && later;
    },
    { timeoutMs: PATIENCE_MS },
  );
  if (agent.connects.length > connects) throw new Error(`locked by ${way}, and came back`);
  const other = refused.find(({ reason }) => !reason.includes(MESSAGE));
  if (other !== undefined) throw new Error(`locked by ${way}, and told: ${other.reason}`);
}

function countDisconnects(agents: Iterable<FleetAgent>): number {
  return [...agents].reduce((sum, { disconnects }) => sum + disconnects.length, 0);
}
