import { request } from 'node:http';
import { SECOND } from '@tagplane/runtime';
import { isErrno, messageOf } from './errors.ts';

/** The agent could not be asked. The message is one line, for a person. */
export class AgentUnreachableError extends Error {
  override readonly name = 'AgentUnreachableError';
}

/** The agent does not take the question. The message is one line, for a person. */
export class QuestionRefusedError extends Error {
  override readonly name = 'QuestionRefusedError';
}

const TIMEOUT_MS = 5 * SECOND;
/** All labels an agent can hold are some 300 KiB. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * Asks the agent behind a local socket.
 *
 * @param question posted as JSON; undefined: there is none
 * @returns the JSON document
 * @throws AgentUnreachableError; QuestionRefusedError when the agent does not take the question
 */
export async function askAgent(
  socket: string,
  path: string,
  signal: AbortSignal,
  question?: unknown,
): Promise<unknown> {
  try {
    return JSON.parse(await exchange(socket, path, signal, question)) as unknown;
  } catch (error) {
    if (error instanceof QuestionRefusedError) throw error;
    throw new AgentUnreachableError(problemOf(error, socket), { cause: error });
  }
}

function exchange(socketPath: string, path: string, signal: AbortSignal, question: unknown): Promise<string> {
  const method = question === undefined ? 'GET' : 'POST';
  return new Promise((resolve, reject) => {
    const how = { socketPath, path, method, signal, timeout: TIMEOUT_MS, agent: false };
    const call = request(how, (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on('data', (part: Buffer) => {
        size += part.length;
        if (size > MAX_ANSWER_BYTES) call.destroy(new Error('its answer is too long'));
        parts.push(part);
      });
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        if (response.statusCode === 200) resolve(text);
        else if (response.statusCode === 400) reject(new QuestionRefusedError(refusalIn(text)));
        else reject(new Error(`it answered ${response.statusCode ?? 0}`));
      });
    });
    call.on('timeout', () => {
      call.destroy(new Error(`it did not answer within ${TIMEOUT_MS / SECOND} s`));
    });
    call.on('error', reject);
    call.end(question === undefined ? undefined : JSON.stringify(question));
  });
}

function refusalIn(text: string): string {
  const { error } = JSON.parse(text) as { readonly error?: unknown };
  return typeof error === 'string' ? error : 'the agent does not take the question';
}

function problemOf(error: unknown, socket: string): string {
  if (isErrno(error, 'ENOENT')) return `no agent is running: there is no socket ${socket}`;
  if (isErrno(error, 'ECONNREFUSED')) return `no agent is running: nothing listens on ${socket}`;
  if (isErrno(error, 'EACCES')) return `the agent's socket ${socket} is its owner's only`;
  return `the agent cannot be asked over ${socket}: ${messageOf(error)}`;
}
