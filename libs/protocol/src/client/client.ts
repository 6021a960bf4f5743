import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { Interceptor, Transport } from '@connectrpc/connect';
import { Http2SessionManager, createConnectTransport } from '@connectrpc/connect-node';
import type { Peer } from '@tagplane/identity';
import { peerText } from '@tagplane/identity';
import type { Address } from '@tagplane/runtime';
import { ConfigError, SECOND, formatAddress, isLoopback } from '@tagplane/runtime';
import { MAX_MESSAGE_BYTES, PEER_HEADER } from '../limits.ts';
import type { ClientSecurity } from './client-security.ts';

export interface ClientOptions {
  readonly address: Address;
  readonly security: ClientSecurity;
  /** For calls without a deadline of their own; streams set their own to undefined (0). Default 10 s. */
  readonly timeoutMs?: number;
}

/**
 * One HTTP/2 connection to an auth service, opened on first use and again after a loss; a half-open
 * one is found by ping (sent after 10 s of silence, 5 s for its answer).
 */
export function createClientConnection(
  options: ClientOptions,
): Disposable & { readonly transport: Transport } {
  const { address, security } = options;
  if (security.mode !== 'insecure') throw new Error('not there yet');
  const { host } = address;
  if (!isLoopback(host)) throw new ConfigError(`tls.mode: insecure is for loopback addresses only: ${host}`);
  const baseUrl = `http://${formatAddress(address)}`;
  const sessions = new HeardSessionManager(baseUrl, {
    pingIntervalMs: 10 * SECOND,
    pingTimeoutMs: 5 * SECOND,
  });
  const transport = createConnectTransport({
    baseUrl,
    httpVersion: '2',
    sessionManager: sessions,
    defaultTimeoutMs: options.timeoutMs ?? 10 * SECOND,
    // Labels are short; compressing each message costs more than it saves inside a data centre.
    acceptCompression: [],
    readMaxBytes: MAX_MESSAGE_BYTES,
    writeMaxBytes: MAX_MESSAGE_BYTES,
    interceptors: [claimPeer(security.peer)],
  });
  return {
    transport,
    [Symbol.dispose]() {
      sessions.abort();
    },
  };
}

/**
 * A session that breaks (the other side speaks no HTTP/2, say) may emit `error` a second time, after
 * the manager has stopped listening; unheard, that would end the process.
 */
class HeardSessionManager extends Http2SessionManager {
  readonly #heard = new WeakSet<ClientHttp2Session>();

  override async request(...args: Parameters<Http2SessionManager['request']>): Promise<ClientHttp2Stream> {
    const stream = await super.request(...args);
    const session = stream.session as ClientHttp2Session | undefined;
    if (session !== undefined && !this.#heard.has(session)) {
      this.#heard.add(session);
      session.on('error', () => undefined);
    }
    return stream;
  }
}

function claimPeer(peer: Peer): Interceptor {
  const claim = peerText(peer);
  return (next) => (request) => {
    request.header.set(PEER_HEADER, claim);
    return next(request);
  };
}
