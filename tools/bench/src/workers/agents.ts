// Bare agents, a connection each: they say hello, acknowledge every update, and report it.
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@connectrpc/connect';
import { InventoryService, createClientConnection } from '@tagplane/protocol';
import type { ControlStreamRequest, UpdateLabels } from '@tagplane/protocol';
import { agentHello, labelsAck, serverIdOf } from '../messages.ts';
import { Outbox } from '../outbox.ts';
import type { AgentsReport } from '../agents.ts';
import { workerArgument } from '../worker.ts';

const { port, count } = workerArgument() as { port: number; count: number };
/** Connections that open at a time: the subject is the push, not the storm before it. */
const OPENING = 50;

function report(message: AgentsReport): void {
  process.send?.(message);
}

/** The generation that `labelsOf` wrote into every label's value. */
function generationIn(update: UpdateLabels): number {
  if (update.change.case !== 'replace') return -1;
  const [value] = Object.values(update.change.value.sets[0]?.labels ?? {});
  return Number(value?.split('-')[0] ?? -1);
}

async function runAgent(index: number, onHello: () => void): Promise<void> {
  const connection = createClientConnection({
    address: { host: '127.0.0.1', port },
    security: { mode: 'insecure', peer: { role: 'agent', name: serverIdOf(index), proof: 'claimed' } },
  });
  const outbox = new Outbox<ControlStreamRequest>();
  outbox.send(agentHello(index));
  const stream = createClient(InventoryService, connection.transport).controlStream(outbox, { timeoutMs: 0 });
  for await (const { message } of stream) {
    if (message.case === 'hello') onHello();
    if (message.case !== 'updateLabels') continue;
    outbox.send(labelsAck(message.value.nonce));
    const at = performance.timeOrigin + performance.now();
    report({ type: 'acked', index, generation: generationIn(message.value), at });
  }
}

let connected = 0;
for (let first = 0; first < count; first += OPENING) {
  const opening = Math.min(OPENING, count - first);
  for (let index = first; index < first + opening; index += 1) {
    runAgent(index, () => {
      connected += 1;
      if (connected === count) report({ type: 'connected' });
    }).catch((error: unknown) => {
      report({ type: 'failed', index, error: String(error) });
    });
  }
  while (connected < first + opening) await delay(5);
}
process.once('message', () => process.exit(0));
