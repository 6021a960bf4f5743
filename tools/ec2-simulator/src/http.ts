import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeAnswer } from './answer.ts';
import { AwsError } from './aws-error.ts';
import { CONTROL_PREFIX, handleControl } from './control-api.ts';
import { checkCredentials } from './credential-check.ts';
import { parseCredentialScope } from './credential-scope.ts';
import type { Extension, PlainResponse } from './extension.ts';
import type { Estate } from './estate/estate.ts';
import type { FleetControl } from './fleet-control.ts';
import type { Fault } from './faults.ts';
import type { Quotas } from './quota/quotas.ts';
import type { Caller, HttpExchange, Service } from './service.ts';
import type { StsControl } from './sts/sts-control.ts';

/** 1,000 resources with 50 tags each come to less. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** Longer than a client's pool keeps an idle connection, so that the server is not the one to close it. */
const KEEP_ALIVE_MS = 65_000;

export interface HttpOptions {
  readonly services: ReadonlyMap<string, Service>;
  /** Answers what carries no readable credential scope. */
  readonly fallback: Service;
  readonly control: FleetControl;
  readonly sts: StsControl;
  readonly estate: Estate;
  readonly quotas: Quotas;
  /** Seeded, as all answers are. */
  readonly requestIds: () => string;
  readonly extensions: readonly Extension[];
  readonly accountOf: (accessKeyId: string) => string;
  readonly now: () => number;
}

export function createHttpServer(options: HttpOptions): Server {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    serve(request, response, options).catch(() => {
      // The client went away, or an answer broke in the middle: no status can be sent any more.
      response.destroy();
    });
  });
  return server;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpOptions,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://simulator');
  const body = await readBody(request);
  if (url.pathname.startsWith(CONTROL_PREFIX)) {
    await serveControl(request, response, { url, body, ...options });
    return;
  }
  const http = { method: request.method ?? '', url, headers: headersOf(request), body: body ?? '' };
  const plain = servePlain(http, options.extensions);
  if (plain !== undefined) await writeAnswer(response, plain.status, plain);
  else await serveAws(http, response, { url, body, ...options });
}

function servePlain(http: HttpExchange, extensions: readonly Extension[]): PlainResponse | undefined {
  for (const { paths } of extensions) {
    for (const [prefix, answer] of paths ?? []) if (http.url.pathname.startsWith(prefix)) return answer(http);
  }
  return undefined;
}

interface Received {
  readonly url: URL;
  readonly body: string | undefined;
}

async function serveAws(
  http: HttpExchange,
  response: ServerResponse,
  { url, body, ...options }: HttpOptions & Received,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  const requestId = options.requestIds();
  response.setHeader('x-amzn-requestid', requestId);
  let service = options.fallback;
  try {
    if (body === undefined) throw new AwsError('RequestEntityTooLarge', 'The request is too large', 413);
    const parameters = new URLSearchParams(body === '' ? url.searchParams : body);
    const caller = readCaller(http, options.accountOf);
    service = options.services.get(caller.service) ?? service;
    const now = options.now();
    const asked = { caller, parameters, http, requestId, now };
    const action = service.actionOf(asked);
    const page = service.pageOf?.(asked) ?? 1;
    options.control.stats.request(action);
    const fault = options.control.faults.take({ action, page, now, ...caller });
    if (fault !== undefined) await applyFault(fault, response, gone.signal);
    if (response.destroyed) return;
    if (fault?.body !== undefined) {
      await writeAnswer(response, 200, { contentType: 'text/plain', body: [fault.body] });
      return;
    }
    if (caller.service !== service.name) {
      throw new AwsError('InvalidAction', `The simulator has no service '${caller.service}'`);
    }
    checkCredentials(asked, action, options);
    options.quotas.take(asked, action);
    const answer = await service.handle({ ...asked, view: fault?.view }, gone.signal);
    await writeAnswer(response, 200, answer, fault);
  } catch (error) {
    // Past its head, an answer can only be cut off.
    if (response.headersSent || response.destroyed) throw error;
    const { code, message, status } = asAwsError(error);
    options.control.stats.error(code);
    await writeAnswer(response, status, service.errorBody({ code, message }, requestId));
  }
}

function readCaller({ headers }: HttpExchange, accountOf: (accessKeyId: string) => string): Caller {
  const scope = parseCredentialScope(headers['authorization']);
  return { ...scope, account: accountOf(scope.accessKeyId) };
}

function headersOf({ headers }: IncomingMessage): HttpExchange['headers'] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]),
  );
}

/** Waits, drops or throws the fault's error, as it says. */
async function applyFault(fault: Fault, response: ServerResponse, signal: AbortSignal): Promise<void> {
  if (fault.delayMs > 0) await sleep(fault.delayMs, undefined, { signal });
  if (fault.drop === true) response.destroy();
  if (fault.error === undefined) return;
  throw new AwsError(fault.error.code, fault.error.message, fault.error.status);
}

async function serveControl(
  { method = '' }: IncomingMessage,
  response: ServerResponse,
  { url, body, ...context }: HttpOptions & Received,
): Promise<void> {
  response.setHeader('content-type', 'application/json');
  try {
    if (body === undefined) throw new AwsError('BadRequest', 'the body is too large', 413);
    response.end(`${JSON.stringify(await handleControl({ method, url, body }, context))}\n`);
  } catch (error) {
    const { code, message, status } = asAwsError(error);
    response.statusCode = status;
    response.end(`${JSON.stringify({ error: { code, message } })}\n`);
  }
}

function asAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  return new AwsError('InternalError', 'An internal error has occurred', 500);
}

/** The body's text, or undefined when it is longer than any request should be; it is read to its end. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return size <= MAX_BODY_BYTES ? Buffer.concat(chunks).toString('utf8') : undefined;
}
