import { X509Certificate } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { identifyCertificate } from '@tagplane/identity';
import { silentLogger } from '@tagplane/runtime';
import { createApiServer } from '../server/api-server.ts';
import type { ApiServer, ApiServerOptions } from '../server/api-server.ts';
import type { ConnectionEvent, ConnectionRefusal, MutualTls } from '../server/security.ts';
import type { TestAuthority } from './test-authority.ts';

export type TestServerOptions = Partial<Omit<ApiServerOptions, 'security'>> &
  Partial<Omit<MutualTls, 'mode'>> & {
    /** Unix milliseconds, for the certificates of clients. Default `Date.now`. */
    readonly now?: () => number;
  };

export interface TestServer extends ApiServer, AsyncDisposable {
  /** What happened to connections so far. */
  readonly events: readonly ConnectionEvent[];
  readonly refusals: readonly ConnectionRefusal[];
}

/** A server on loopback that takes the certificates of this authority. */
export async function startTestServer(
  authority: TestAuthority,
  options: TestServerOptions = {},
): Promise<TestServer> {
  const { minVersion = 'TLSv1.3', now = Date.now, admit, limits, ...others } = options;
  const events: ConnectionEvent[] = [];
  const authorities = [new X509Certificate(authority.certificate)];
  const trust = { cluster: authority.cluster, authorities };
  const server = await createApiServer({
    listen: { host: '127.0.0.1', port: 0 },
    log: silentLogger(),
    authorise: () => undefined,
    routes: () => undefined,
    ...others,
    security: {
      mode: 'mutual',
      minVersion,
      credentials: options.credentials ?? (await authority.serverCredentials()),
      identify: options.identify ?? ((certificate) => identifyCertificate(certificate, trust, now())),
      onEvent: (event) => {
        events.push(event);
        options.onEvent?.(event);
      },
      ...(admit && { admit }),
      ...(limits && { limits }),
    },
  });
  return {
    ...server,
    events,
    get refusals() {
      return events.filter((event) => event.type === 'refused');
    },
    [Symbol.asyncDispose]: () => server.close({ graceMs: 100 }),
  };
}

/** Waits until it is so; for 30 s, because machines that run tests are busy. */
export async function until(done: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!done()) {
    if (Date.now() > deadline) throw new Error(`not within 30 s: ${done.toString()}`);
    await delay(5);
  }
}
