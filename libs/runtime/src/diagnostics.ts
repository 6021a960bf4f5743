import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import type { Logger } from 'pino';
import type { Address } from './address.ts';
import { listen, warnUnlessLoopback } from './listen.ts';

/** One thing that must hold before the service can do its work. */
export interface ReadinessCheck {
  readonly name: string;
  readonly ready: boolean;
  /** Why not, or a detail worth knowing, for a person. */
  readonly reason?: string;
}

export interface DiagnosticsOptions {
  readonly listen: Address;
  readonly registry: Registry;
  /** Asked at each `/readyz`; answers from memory. */
  readonly readiness: () => readonly ReadinessCheck[];
  readonly log: Logger;
}

/**
 * Serves `/healthz` (200 while the process runs), `/readyz` (200, or 503 with what is not ready and
 * why, as JSON) and `/metrics` (Prometheus text).
 */
export async function startDiagnostics(
  options: DiagnosticsOptions,
): Promise<AsyncDisposable & { readonly address: Address }> {
  warnUnlessLoopback(options.log, 'diagnostics', options.listen);
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      options.log.error({ event: 'diagnostics_failed', err: error });
      if (response.headersSent) response.destroy();
      else reply(response, 500, 'text/plain', 'failed; the log says why\n');
    });
  });
  server.headersTimeout = 5_000;
  server.requestTimeout = 10_000;
  server.maxConnections = 64;
  const address = await listen(server, options.listen);
  // Such as no file descriptor left for a connection: worth a line, not the end of the service.
  server.on('error', (error) => {
    options.log.error({ event: 'diagnostics_failed', err: error });
  });
  return { address, [Symbol.asyncDispose]: () => close(server) };
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}

async function answer(
  options: DiagnosticsOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [pathname] = (request.url ?? '').split('?', 1);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    reply(response, 405, 'text/plain', 'only GET\n');
  } else if (pathname === '/healthz') {
    reply(response, 200, 'text/plain', 'ok\n');
  } else if (pathname === '/readyz') {
    const checks = options.readiness();
    const ready = checks.every((check) => check.ready);
    reply(response, ready ? 200 : 503, 'application/json', `${JSON.stringify({ ready, checks }, null, 2)}\n`);
  } else if (pathname === '/metrics') {
    reply(response, 200, options.registry.contentType, await options.registry.metrics());
  } else {
    reply(response, 404, 'text/plain', 'there are /healthz, /readyz and /metrics\n');
  }
}

function reply(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
