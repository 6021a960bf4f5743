// Clients that do nothing but connect over mutual TLS, with a session to resume and without.
import { setTimeout as delay } from 'node:timers/promises';
import { connect, createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { MINUTE } from '@tagplane/runtime';
import { inBatches } from '../fleet.ts';
import { agentCredentials, readFleet } from '../tls/fleet.ts';
import type { HandshakeCost, HandshakeWork } from '../tls/handshakes.ts';
import { answer, cpuSecondsOf, workerArgument } from '../worker.ts';

const { port, pid, fleetFile, count, warmUp } = workerArgument() as HandshakeWork;
const fleet = readFleet(fleetFile);
const IN_FLIGHT = 16;
/** A server that says nothing for that long hangs. */
const PATIENCE_MS = MINUTE;
/** Agents that connect, by turns. */
const AGENTS = Math.min(64, fleet.agents.length);

const contexts = Array.from({ length: AGENTS }, (_, index): SecureContext => {
  const { privateKey, certificates, trust } = agentCredentials(fleet, index);
  return createSecureContext({
    key: privateKey,
    cert: certificates.join('\n'),
    ca: [...trust.authorities],
    minVersion: 'TLSv1.3',
  });
});
const sessions: Buffer[] = [];

/** Done when the server has sent something, HTTP/2's settings: it does so after the client's last word. */
async function handshake(index: number, resume: boolean): Promise<void> {
  const agent = index % AGENTS;
  const session = resume ? sessions[agent] : undefined;
  const socket = connect({
    host: '127.0.0.1',
    port,
    secureContext: contexts[agent],
    ALPNProtocols: ['h2'],
    checkServerIdentity: () => undefined,
    ...(session && { session }),
  });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject).once('close', () => {
        reject(new Error('the connection was closed within the handshake'));
      });
      socket.setTimeout(PATIENCE_MS, () => {
        reject(new Error('the server said nothing'));
      });
      // Only a full handshake ends with one.
      socket.once('session', (made) => {
        sessions[agent] = made;
      });
      socket.once('data', () => {
        resolve();
      });
    });
    if (socket.isSessionReused() !== resume) throw new Error(resume ? 'not resumed' : 'resumed');
  } finally {
    socket.on('error', () => undefined).destroy();
  }
}

/** Handshakes in a row; the server's CPU for one, microseconds. */
async function run(total: number, resume: boolean): Promise<number> {
  const before = cpuSecondsOf(pid);
  await inBatches(total, { size: 1, inFlight: IN_FLIGHT }, (index) => handshake(index, resume));
  // The server takes leave of the last ones.
  await delay(300);
  return ((cpuSecondsOf(pid) - before) * 1e6) / total;
}

await run(warmUp, false);
const cold = await run(count, false);
const resumed = await run(count, true);
answer({ cold, resumed } satisfies HandshakeCost);
