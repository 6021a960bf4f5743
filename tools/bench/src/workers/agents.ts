// Bare agents, a connection each: they say hello, acknowledge every update, and report it.
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@connectrpc/connect';
import { InventoryService, TlsSessions, createClientConnection } from '@tagplane/protocol';
import type { ClientSecurity, ControlStreamRequest, UpdateLabels } from '@tagplane/protocol';
import { agentHello, labelsAck, serverIdOf } from '../messages.ts';
import { Outbox } from '../outbox.ts';
import type { AgentsOptions, AgentsReport } from '../agents.ts';
import { agentCredentials, readFleet } from '../tls/fleet.ts';
import { workerArgument } from '../worker.ts';

const { port, count, first = 0, fleetFile, instances, label } = workerArgument() as AgentsOptions;
/** Connections that open at a time: the subject is the push, not the storm before it. */
const OPENING = 50;
const fleet = fleetFile === undefined ? undefined : readFleet(fleetFile);

function report(message: AgentsReport): void {
  process.send?.(message);
}

/** The generation that `labelsOf` wrote into every label's value, or another into one label's. */
function generationIn(update: UpdateLabels): number {
  if (update.change.case !== 'replace') return -1;
  const labels = update.change.value.sets[0]?.labels ?? {};
  const value = label === undefined ? Object.values(labels)[0] : labels[label];
  return Number(value?.split('-')[0] ?? -1);
}

function securityOf(index: number): ClientSecurity {
  const name = serverIdOf(index);
  if (fleet === undefined) {
    return { mode: 'insecure', peer: { role: 'agent', name, proof: 'claimed' } };
  }
  const credentials = agentCredentials(fleet, index);
  // Each agent of a fleet is a process with sessions of its own.
  return { mode: 'mutual', credentials: () => credentials, sessions: new TlsSessions() };
}

class BareAgent {
  readonly #index: number;
  readonly #security: ClientSecurity;
  #connection: Disposable | undefined;

  constructor(index: number) {
    this.#index = index;
    this.#security = securityOf(index);
  }

  leave(): void {
    this.#connection?.[Symbol.dispose]();
    this.#connection = undefined;
  }

  /** Rejects when the stream is lost, unless it was left. */
  async run(onHello: () => void): Promise<void> {
    const connection = createClientConnection({
      address: { host: '127.0.0.1', port },
      security: this.#security,
    });
    this.#connection = connection;
    const outbox = new Outbox<ControlStreamRequest>();
    outbox.send(agentHello(this.#index, instances?.[this.#index - first]));
    const client = createClient(InventoryService, connection.transport);
    try {
      for await (const { message } of client.controlStream(outbox, { timeoutMs: 0 })) {
        if (message.case === 'hello') onHello();
        if (message.case !== 'updateLabels') continue;
        outbox.send(labelsAck(message.value.nonce));
        const at = performance.timeOrigin + performance.now();
        report({ type: 'acked', index: this.#index, generation: generationIn(message.value), at });
      }
    } catch (error) {
      if (this.#connection === connection) throw error;
    }
  }
}

const agents = Array.from({ length: count }, (_, offset) => new BareAgent(first + offset));

async function connectAll(): Promise<void> {
  let connected = 0;
  for (let start = 0; start < count; start += OPENING) {
    const opening = agents.slice(start, start + OPENING);
    for (const [offset, agent] of opening.entries()) {
      const onHello = (): void => {
        connected += 1;
      };
      agent.run(onHello).catch((error: unknown) => {
        report({ type: 'failed', index: first + start + offset, error: String(error) });
      });
    }
    while (connected < start + opening.length) await delay(5);
  }
  report({ type: 'connected' });
}

process.on('message', () => {
  for (const agent of agents) agent.leave();
  connectAll().catch((error: unknown) => {
    report({ type: 'failed', index: first, error: String(error) });
  });
});
await connectAll();
