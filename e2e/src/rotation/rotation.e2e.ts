import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Credentials } from '@tagplane/credentials';
import { connectOperator, waitFor } from '@tagplane/harness';
import { SyncState } from '@tagplane/protocol';
import { ChangeBook } from './change-book.ts';
import { startChurn } from './churn.ts';
import type { FleetAgent } from './fleet/fleet.ts';
import { namesWhere } from './fleet/fleet.ts';
import { now } from './fleet/messages.ts';
import { cutByLock } from './locks.ts';
import type { Plane } from './plane.ts';
import { startPlane } from './plane.ts';
import { watchPhases } from './phases.ts';

const AGENTS = 500;
/** Renewed after 40 s, give or take 4 s. */
const CERTIFICATE_TTL = '60s';
/** A busy machine is slow. */
const PATIENCE_MS = 120_000;
const START_MS = 300_000;
/** Renewals after a step are spread over 6 s for 250 agents of one auth process; later ones are by age. */
const STEP_MS = 10_000;
/** How long after an authority was dropped those are cut that have not followed: 30 s, and to spare. */
const CUT_AFTER_MS = 33_000;
const LOCKED_WITHIN_MS = 5_000;

let plane: Plane;
const book = new ChangeBook();

beforeAll(async () => {
  const began = now();
  plane = await startPlane({
    agents: AGENTS,
    certificateTtl: CERTIFICATE_TTL,
    onHeld: ({ index, turn, at }) => {
      book.held(index, Number(turn), at);
    },
  });
  await plane.fleet.connected(START_MS);
  print('start', { agents: AGENTS, ms: Math.round(now() - began) });
}, START_MS + 60_000);

afterAll(async () => {
  await plane[Symbol.asyncDispose]();
}, 60_000);

describe('500 agents, a label changed every 100 ms', () => {
  it('follow a rotation of the authority, and renew their certificates, without losing a stream or a change', async () => {
    const before = await counts();
    const old = plane.cluster.credentials;
    const churn = startChurn(plane, book);
    const phases = watchPhases(plane);
    const from = now();
    const run = await plane.tagctl('auth-1', 'ca', 'rotate', '--now');
    const rotated = now();
    const durations = await phases.stop();
    print('phases', durations);
    expect(disconnects(plane.fleet.agents)).toEqual([]);
    const pins = pinsOf(run.stdout);
    expect(pins).toHaveLength(1);
    await everybodyFollows(pins);
    const renewedByAge = await everyAgentRenewedSince(rotated + STEP_MS);
    await waitFor('who has not followed would be cut', () => now() > rotated + CUT_AFTER_MS, {
      timeoutMs: PATIENCE_MS,
    });
    await churn.stop();
    await waitFor('every agent holds what was written last', () => book.settled, { timeoutMs: PATIENCE_MS });
    const after = await counts();
    const { logged } = await plane.fleet.states();
    const [all, during] = [book.figures(), book.figures(from, rotated)];
    print('rotation', {
      agents: AGENTS,
      renewals: after.renewals - before.renewals,
      renewedByAge,
      failedRenewals: logged['certificate_not_renewed'] ?? 0,
      disconnects: disconnects(plane.fleet.agents).length,
      changes: all.changes,
      duringRotation: during.changes,
      arrived: all.arrived,
      superseded: all.superseded,
      lost: all.lost,
      medianMs: Math.round(during.medianMs),
      longestMs: Math.round(during.longestMs),
    });
    expect(all).toMatchObject({ lost: 0, backwards: 0 });
    expect(during.changes).toBeGreaterThan(0);
    expect(disconnects(plane.fleet.agents)).toEqual([]);
    expect(after).toMatchObject({ streams: AGENTS, hellos: before.hellos, ended: before.ended });
    expect(after.renewals - before.renewals).toBeGreaterThanOrEqual(4 * AGENTS);
    await everyNodeSynced();
    await isNoLongerAccepted(old, await plane.operatorCredentials());
  }, 480_000);

  it('a lock on one auth process cuts the stream on the other, and keeps it out until it is removed', async () => {
    const figures = await cutByLock(plane, book);
    print('locks', figures);
    for (const [, ms] of Object.entries(figures)) expect(ms).toBeLessThan(LOCKED_WITHIN_MS);
  }, 240_000);
});

/** What auth counts. */
async function counts() {
  const [renewals, streams, hellos, goodbyes, cuts] = await Promise.all([
    plane.metric('tagplane_auth_certificates_issued_total', 'role="agent",kind="renew"'),
    plane.metric('tagplane_auth_connected_agents'),
    plane.metric('tagplane_auth_hellos_total'),
    plane.metric('tagplane_auth_goodbyes_total'),
    plane.metric('tagplane_auth_cut_streams_total'),
  ]);
  return { renewals, streams, hellos, ended: goodbyes + cuts };
}

/** Agents, the discovery process, the writer, the operator and both auth processes. */
async function everybodyFollows(pins: readonly string[]): Promise<void> {
  const authority = (await plane.operatorCredentials()).trust.authorities;
  await waitFor(
    'every agent trusts the new authority alone, and has its certificate of it',
    async () => {
      const { states } = await plane.fleet.states();
      const behind = namesWhere(
        plane.fleet.agents,
        states,
        ({ issuer, authorities }) => issuer !== pins[0] || authorities.length !== 1,
      );
      if (behind.length > 0) throw new Error(`${behind.length} do not, such as ${behind[0] ?? ''}`);
      return true;
    },
    { timeoutMs: PATIENCE_MS, everyMs: 2_000 },
  );
  await waitFor(
    'the discoveries trust the new authority alone',
    async () => {
      expect((await plane.discoveryCredentials()).trust.authorities).toEqual(authority);
      expect(plane.writer.current().trust.authorities).toEqual(authority);
      return true;
    },
    { timeoutMs: PATIENCE_MS, everyMs: 250 },
  );
  for (const { id } of plane.auths) {
    const status = JSON.parse((await plane.tagctl(id, 'ca', 'status')).stdout) as CaStatusText;
    expect(status).toMatchObject({ phase: 'STABLE', authorities: [{ pin: pins[0], signing: true }] });
    expect(status.followers.map(({ auth_id }) => auth_id).sort()).toEqual(['auth-1', 'auth-2']);
    expect(status.followers.every(({ following }) => following)).toBe(true);
  }
}

interface CaStatusText {
  readonly phase: string;
  readonly authorities: readonly { readonly pin: string }[];
  readonly followers: readonly { readonly auth_id: string; readonly following: boolean }[];
}

function pinsOf(status: string): string[] {
  return (JSON.parse(status) as CaStatusText).authorities.map(({ pin }) => pin);
}

/** Waits until all have a certificate that they got after this time; returns how many that are. */
async function everyAgentRenewedSince(time: number): Promise<number> {
  return await waitFor(
    'every agent has renewed its certificate, by its age alone',
    async () => {
      const { states } = await plane.fleet.states();
      const renewed = states.filter(({ receivedAt }) => receivedAt > time).length;
      return renewed === AGENTS && renewed;
    },
    { timeoutMs: PATIENCE_MS, everyMs: 2_000 },
  );
}

/** Every stream that an agent lost, and why. */
function disconnects(agents: readonly FleetAgent[]): string[] {
  return agents.flatMap((agent) => agent.disconnects.map(({ reason }) => `${agent.id}: ${reason}`));
}

/** As auth has it: every agent acknowledged what it should have. */
async function everyNodeSynced(): Promise<void> {
  using operator = connectOperator({
    port: plane.auths[1]?.port ?? 0,
    credentials: await plane.operatorCredentials(),
  });
  await waitFor(
    'every node is in sync',
    async () => {
      const nodes = await operator.listNodes();
      const behind = nodes.filter(({ connected, sync }) => !connected || sync?.state !== SyncState.SYNCED);
      if (behind.length > 0) throw new Error(`${behind.length} are not`);
      return nodes.length === AGENTS;
    },
    { timeoutMs: PATIENCE_MS, everyMs: 500 },
  );
}

/** Neither is a certificate of the old authority good for anything, nor does it speak for an auth service. */
async function isNoLongerAccepted(old: Credentials, present: Credentials): Promise<void> {
  for (const { port } of plane.auths) {
    using good = connectOperator({ port, credentials: present });
    await good.status.getStatus({});
    using outdated = connectOperator({ port, credentials: { ...old, trust: present.trust } });
    expect(await codeOf(outdated.status.getStatus({}))).toBe(Code.Unauthenticated);
    using distrustful = connectOperator({ port, credentials: { ...present, trust: old.trust } });
    expect(await codeOf(distrustful.status.getStatus({}))).not.toBeUndefined();
  }
}

/** Undefined: it was answered. */
async function codeOf(call: Promise<unknown>): Promise<Code | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return ConnectError.from(error).code;
  }
}

function print(what: string, figures: object): void {
  process.stdout.write(`${JSON.stringify({ test: what, ...figures })}\n`);
}
