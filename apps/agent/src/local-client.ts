import { request } from 'node:http';
import { SECOND } from '@tagplane/runtime';
import { isErrno, messageOf } from './errors.ts';

/** The agent could not be asked. The message is one line, for a person. */
export class AgentUnreachableError extends Error {
  override readonly name = 'AgentUnreachableError';
}

const TIMEOUT_MS = 5 * SECOND;
/** All labels an agent can hold are some 300 KiB. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * Asks the agent behind a local socket.
 *
 * @returns the JSON document
 * @throws AgentUnreachableError
 */
export async function askAgent(socket: string, path: string, signal: AbortSignal): Promise<unknown> {
  try {
    return JSON.parse(await get(socket, path, signal)) as unknown;
  } catch (error) {
    throw new AgentUnreachableError(problemOf(error, socket), { cause: error });
  }
}

function get(socketPath: string, path: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, signal, timeout: TIMEOUT_MS, agent: false }, (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on('data', (part: Buffer) => {
        size += part.length;
        if (size > MAX_ANSWER_BYTES) call.destroy(new Error('its answer is too long'));
        parts.push(part);
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(parts).toString('utf8'));
        else reject(new Error(`it answered ${response.statusCode ?? 0}`));
      });
    });
    call.on('timeout', () => {
      call.destroy(new Error(`it did not answer within ${TIMEOUT_MS / SECOND} s`));
    });
    call.on('error', reject);
    call.end();
  });
}

function problemOf(error: unknown, socket: string): string {
  if (isErrno(error, 'ENOENT')) return `no agent is running: there is no socket ${socket}`;
  if (isErrno(error, 'ECONNREFUSED')) return `no agent is running: nothing listens on ${socket}`;
  if (isErrno(error, 'EACCES')) return `the agent's socket ${socket} is its owner's only`;
  return `the agent cannot be asked over ${socket}: ${messageOf(error)}`;
}
