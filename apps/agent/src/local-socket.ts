import { lstat, unlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Logger } from '@tagplane/runtime';
import { ConfigError, SECOND } from '@tagplane/runtime';
import { isErrno, messageOf } from './errors.ts';
import { BadQuestionError, readQuestion } from './local-question.ts';
import type { Question } from './local-question.ts';

export interface LocalSocketOptions {
  readonly path: string;
  /** By path; each answers from memory. */
  readonly routes: Readonly<Record<string, () => unknown>>;
  /**
   * By path: those that are asked something, by GET with a query or by POST with JSON; a BadQuestionError is
   * answered with 400.
   */
  readonly questions?: Readonly<Record<string, (question: Question) => unknown>>;
  readonly log: Logger;
}

/** What is at the path cannot be replaced; the message follows the path. */
class InTheWayError extends Error {
  override readonly name = 'InTheWayError';
}

const OWNER_ONLY_UMASK = 0o177;
const PROBE_TIMEOUT_MS = 2 * SECOND;

/**
 * Serves JSON by HTTP/1.1 on a Unix socket that only its owner may use. The socket of a process that
 * is gone is replaced.
 *
 * @throws ConfigError naming `socket` when it is in use, or cannot be made
 */
export async function serveLocally(options: LocalSocketOptions): Promise<AsyncDisposable> {
  const server = createServer({ maxHeaderSize: 8 * 1024 }, (request, response) => {
    void answer(options, request, response);
  });
  server.headersTimeout = 5 * SECOND;
  server.requestTimeout = 10 * SECOND;
  server.maxConnections = 64;
  const listening = await listenLocally(server, options.path, 'socket');
  options.log.debug({ event: 'socket_listening', path: options.path });
  return listening;
}

/**
 * Has a server listen on a Unix socket that only its owner may use. The socket of a process that is gone is
 * replaced; the server is closed with what this resolves to.
 *
 * @param key what it is in the configuration
 * @throws ConfigError naming the key when it is in use, or cannot be made
 */
export async function listenLocally(server: Server, path: string, key: string): Promise<AsyncDisposable> {
  try {
    await removeDeadSocket(path);
    await listenForOwner(server, path);
  } catch (error) {
    const problem = error instanceof InTheWayError ? error.message : `cannot be made: ${messageOf(error)}`;
    throw new ConfigError(`${key}: ${path} ${problem}`, { cause: error });
  }
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}

async function answer(
  { routes, questions = {}, log }: LocalSocketOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = '/'] = (request.url ?? '/').split('?', 1);
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  const asked = Object.hasOwn(questions, path) ? questions[path] : undefined;
  const methods = asked === undefined ? ['GET'] : ['GET', 'POST'];
  if (route === undefined && asked === undefined) {
    const paths = [...Object.keys(routes), ...Object.keys(questions)];
    reply(response, 404, { error: `there are ${paths.join(', ')}` });
  } else if (!methods.includes(request.method ?? '')) {
    reply(response, 405, { error: `only ${methods.join(' and ')}` });
  } else if (asked !== undefined) {
    await answerQuestion(asked, request, response, log);
  } else {
    reply(response, 200, route?.());
  }
}

/** Never rejects. */
async function answerQuestion(
  asked: (question: Question) => unknown,
  request: IncomingMessage,
  response: ServerResponse,
  log: Logger,
): Promise<void> {
  try {
    reply(response, 200, asked(await readQuestion(request)));
  } catch (error) {
    if (error instanceof BadQuestionError) {
      reply(response, 400, { error: error.message });
      // What is left of a question that was too long is not read.
      request.destroy();
      return;
    }
    if (!request.destroyed) log.warn({ event: 'question_failed', reason: messageOf(error) });
    response.destroy();
  }
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** The file is made within the call, so the process's umask differs for no one else. */
function listenForOwner(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const umask = process.umask(OWNER_ONLY_UMASK);
    try {
      server.listen({ path }, () => {
        server.removeListener('error', reject);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
}

async function removeDeadSocket(path: string): Promise<void> {
  try {
    if (!(await lstat(path)).isSocket()) throw new InTheWayError('is there and no socket');
    if (await isAlive(path)) throw new InTheWayError('is in use by a running agent');
    await unlink(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    // One that accepts but has no room any more is a living process too.
    socket.setTimeout(PROBE_TIMEOUT_MS, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      if (isErrno(error, 'ECONNREFUSED') || isErrno(error, 'ENOENT')) resolve(false);
      else reject(new InTheWayError(`cannot be used: ${error.message}`, { cause: error }));
    });
  });
}
