import { chmod, chown, mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import type { AccessRequest, Decision, RuleFact } from '@tagplane/access';
import type { Logger } from '@tagplane/runtime';
import { ConfigError, SECOND } from '@tagplane/runtime';
import { messageOf } from '../errors.ts';
import { listenLocally } from '../local-socket.ts';
import type { SshConfig } from './config.ts';
import { groupId } from './group.ts';
import { DECIDE_PATH } from './paths.ts';
import { readQuestion } from './question.ts';
import type { AskedLogin } from './question.ts';

export interface LoginSocketOptions {
  readonly config: SshConfig;
  readonly decide: (request: AccessRequest) => Decision;
  readonly log: Logger;
}

/** 256 roles and as many traits are some 100 KiB. */
const MAX_QUESTION_BYTES = 256 * 1024;
/** Who asks has it all at hand; whoever is slow keeps the place from others. */
const QUESTION_MS = 2 * SECOND;
const MAX_CONNECTIONS = 256;
/** The agent's own socket tells all of them. */
const MAX_LOGGED_FACTS = 8;

/**
 * Answers `POST /v1/decide`, and nothing else, on a Unix socket that others than the agent's owner may use: the
 * unprivileged user that sshd asks as. It tells whether a login is allowed and by which of the roles asked
 * about, and no reason: what labels a node has is not everybody's to know.
 *
 * @throws ConfigError naming `ssh.socket` or `ssh.group`
 */
export async function serveLogins(options: LoginSocketOptions): Promise<AsyncDisposable> {
  const { socket, group } = options.config;
  const gid = group === undefined ? undefined : await groupId(group);
  // Looked at often enough that a question that does not come ends when it should.
  const server = createServer({ connectionsCheckingInterval: SECOND / 2 }, (request, response) => {
    void answer(options, request, response);
  });
  server.headersTimeout = QUESTION_MS;
  server.requestTimeout = QUESTION_MS;
  server.timeout = QUESTION_MS;
  server.maxConnections = MAX_CONNECTIONS;
  await mkdir(dirname(socket), { recursive: true, mode: 0o755 });
  await using listening = new AsyncDisposableStack();
  listening.use(await listenLocally(server, socket, 'ssh.socket'));
  await openTo(socket, gid);
  options.log.info({ event: 'ssh_socket_listening', path: socket, group: group ?? null });
  return listening.move();
}

async function openTo(socket: string, gid: number | undefined): Promise<void> {
  try {
    if (gid !== undefined) await chown(socket, process.getuid?.() ?? -1, gid);
    await chmod(socket, gid === undefined ? 0o666 : 0o660);
  } catch (error) {
    throw new ConfigError(`ssh.group: ${socket} cannot be given to it: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function answer(
  { decide, log }: LoginSocketOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    if (request.url !== DECIDE_PATH) {
      reply(response, 404, { error: `there is ${DECIDE_PATH}` });
      return;
    }
    const question = request.method === 'POST' ? readQuestion(await readJson(request)) : undefined;
    if (question === undefined) {
      reply(response, 400, { error: 'no question' });
      return;
    }
    const said = decide(question);
    logAnswer(log, question, said);
    reply(response, 200, { allowed: said.allowed, granted_by: said.grantedBy });
  } catch (error) {
    log.warn({ event: 'ssh_question_failed', error: messageOf(error) });
    response.destroy();
  }
}

/** Says why by names of roles and keys of labels: what values a node's labels have is not for every log. */
function logAnswer(log: Logger, { login, keyId, serial }: AskedLogin, decision: Decision): void {
  const { allowed, grantedBy, reason } = decision;
  log.info({
    event: 'ssh_login_decided',
    ...{ login, key_id: keyId, serial },
    ...{ allowed, granted_by: grantedBy, reason: reason.cause, detail: reason.detail },
    facts: reason.facts.slice(0, MAX_LOGGED_FACTS).map(factName),
  });
}

function factName({ role, outcome, effect, rule, labels }: RuleFact): string {
  const where = effect === undefined ? role : `${role} ${effect} ${rule ?? 0}`;
  const states = labels.map(({ key, state }) => `${key} ${state}`);
  return [`${where}: ${outcome}`, ...states].join(', ');
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_QUESTION_BYTES) return undefined;
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    return undefined;
  }
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    connection: 'close',
  });
  response.end(text);
}
