import { connect } from 'node:net';

/** The agent gave no answer. The message is one line, for a log; `code` is the system's, if it was one. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** A grant of all roles that a certificate can name is some 32 KiB; the reason adds to that. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * Posts JSON to a local socket. By hand, because Node's HTTP client takes as long to load as Node to start.
 *
 * @returns the JSON of the answer
 * @throws NoAnswerError, also when the signal aborts
 */
export async function ask(socket: string, path: string, body: string, signal: AbortSignal): Promise<unknown> {
  const answer = await exchange(socket, requestText(path, body), signal);
  return parseAnswer(answer);
}

function requestText(path: string, body: string): string {
  return [
    `POST ${path} HTTP/1.1`,
    'host: agent',
    'connection: close',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

function exchange(path: string, request: string, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const socket = connect({ path });
    const fail = (message: string, code?: string): void => {
      reject(new NoAnswerError(message, code));
      socket.destroy();
    };
    signal.addEventListener('abort', () => {
      fail('it did not answer in time');
    });
    if (signal.aborted) fail('it did not answer in time');
    socket.on('connect', () => {
      socket.write(request);
    });
    socket.on('data', (part) => {
      parts.push(part);
      size += part.length;
      if (size > MAX_ANSWER_BYTES) fail('its answer is too long');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      fail(error.message, error.code);
    });
    socket.on('end', () => {
      resolve(Buffer.concat(parts));
    });
  });
}

const END_OF_HEAD = '\r\n\r\n';

/** @throws NoAnswerError unless it is a whole answer with status 200 and JSON in it */
export function parseAnswer(answer: Buffer): unknown {
  const end = answer.indexOf(END_OF_HEAD);
  const [statusLine = '', ...headers] = answer.subarray(0, Math.max(0, end)).toString('latin1').split('\r\n');
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1];
  if (status !== '200') throw new NoAnswerError(`it answered ${status ?? 'no HTTP'}`);
  const body = answer.subarray(end + END_OF_HEAD.length);
  const length = headers.find((line) => /^content-length:/i.test(line))?.split(':')[1];
  if (length === undefined || Number(length) !== body.length) {
    throw new NoAnswerError('its answer is not whole');
  }
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new NoAnswerError('its answer is no JSON');
  }
}
