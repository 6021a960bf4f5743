// Whole agents, many in one process: each joins by its token, and what becomes of it is reported.
import { X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { runAgent } from '@tagplane/agent/host';
import type { AgentView } from '@tagplane/agent/host';
import type { Credentials } from '@tagplane/credentials';
import { parseServerId, publicKeyPin } from '@tagplane/identity';
import type { Address } from '@tagplane/runtime';
import { createLogger, errorMessage } from '@tagplane/runtime';
import { TURN, now } from './messages.ts';
import type { AgentPlan, AgentState, FleetCommand, FleetPlan, FleetReport } from './messages.ts';

/** Agents that join at a time: the subject is what comes after. */
const JOINING = 12;
/** Soon again: how long an agent that was thrown out stays away is not the subject either. */
const RECONNECT = { firstMs: 3_000, longestMs: 4_000 };
/** Agents looked at before the others get their turn: they share one loop, and must answer pings in time. */
const LOOK_AT = 10;

const views: (() => AgentView)[] = [];
const logged: Record<string, number> = {};
const log = createLogger('agents', 'info', {
  write(line) {
    const { event } = JSON.parse(line) as { event: string };
    logged[event] = (logged[event] ?? 0) + 1;
  },
});

process.on('message', (command: FleetCommand) => {
  const done = command.type === 'states' ? reportStates() : startAll(command.plan);
  done.catch(fail);
});

function report(message: FleetReport): void {
  process.send?.(message);
}

function fail(error: unknown): void {
  process.stderr.write(`${errorMessage(error)}\n`);
  process.exit(1);
}

async function startAll(plan: FleetPlan): Promise<void> {
  const queue = [...plan.agents.entries()];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      await startOne(next[0], next[1], plan.authPorts);
    }
  };
  await Promise.all(Array.from({ length: JOINING }, work));
}

/** Resolves when it is connected for the first time. */
async function startOne(index: number, plan: AgentPlan, ports: readonly number[]): Promise<void> {
  const connected = Promise.withResolvers<undefined>();
  const { serverId, instance, token, caPins } = plan;
  const running = runAgent(
    {
      addresses: addressesOf(ports),
      security: { mode: 'mutual', join: { by: { method: 'token', token }, pins: caPins } },
      serverId: parseServerId(serverId),
      instance,
      reconnect: RECONNECT,
    },
    {
      signal: new AbortController().signal,
      log,
      onStart: ({ view }) => {
        views[index] = view;
      },
      observer: {
        connected(authId) {
          report({ type: 'connected', index, authId, at: now() });
          connected.resolve(undefined);
        },
        disconnected(reason) {
          report({ type: 'disconnected', index, reason, at: now() });
        },
        updateAnswered() {
          const view = views[index]?.();
          const turn = view && turnOf(view);
          if (turn !== undefined) report({ type: 'held', index, turn, at: now() });
        },
      },
    },
  );
  running.catch((error: unknown) => {
    report({ type: 'ended', index, error: errorMessage(error) });
  });
  await connected.promise;
}

function addressesOf(ports: readonly number[]): readonly [Address, ...Address[]] {
  const [first, ...others] = ports.map((port): Address => ({ host: '127.0.0.1', port }));
  if (first === undefined) throw new TypeError('no address');
  return [first, ...others];
}

function turnOf({ held }: AgentView): string | undefined {
  return held.fresh.find(({ namespace }) => namespace === 'aws/')?.labels.get(`aws/${TURN}`);
}

async function reportStates(): Promise<void> {
  const states: AgentState[] = [];
  for (const read of views) {
    states.push(stateOf(read()));
    if (states.length % LOOK_AT === 0) await setImmediate();
  }
  report({ type: 'states', states, logged });
}

function stateOf(view: AgentView): AgentState {
  const credentials = view.credentials?.credentials;
  return {
    connected: view.connection.state === 'connected',
    turn: turnOf(view),
    generation: credentials?.trust.generation ?? 0,
    authorities: (credentials?.trust.authorities ?? []).map((pem) => authority(pem).pin),
    issuer: credentials && issuerOf(credentials),
    receivedAt: credentials?.receivedAt ?? 0,
    validUntil: credentials?.validUntil ?? 0,
  };
}

/** The few that all agents share; reading one takes as long as everything else here. */
const authorities = new Map<string, { readonly pin: string; readonly key: KeyObject }>();

function authority(pem: string) {
  const known = authorities.get(pem);
  if (known !== undefined) return known;
  const certificate = new X509Certificate(pem);
  const read = { pin: publicKeyPin(certificate), key: certificate.publicKey };
  authorities.set(pem, read);
  return read;
}

const issuers = new WeakMap<Credentials, { readonly pin: string | undefined }>();

function issuerOf(credentials: Credentials): string | undefined {
  const known = issuers.get(credentials);
  if (known !== undefined) return known.pin;
  const own = new X509Certificate(credentials.certificates[0] ?? '');
  const found = credentials.trust.authorities.map(authority).find(({ key }) => own.verify(key));
  issuers.set(credentials, { pin: found?.pin });
  return found?.pin;
}
