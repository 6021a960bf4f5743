import type { X509Certificate } from 'node:crypto';
import type { Interceptor, Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import type { Peer } from '@tagplane/identity';
import { peerText } from '@tagplane/identity';
import type { Address } from '@tagplane/runtime';
import { ConfigError, SECOND, formatAddress, isLoopback } from '@tagplane/runtime';
import { MAX_MESSAGE_BYTES, PEER_HEADER } from '../limits.ts';
import type { ClientPinned, ClientSecurity } from './client-security.ts';
import { ExplainingSessionManager } from './session-manager.ts';
import type { SessionManagerOptions } from './session-manager.ts';
import { findPinned, openMutual, openPinned, openPlain } from './tls-connect.ts';

export interface ClientOptions {
  readonly address: Address;
  readonly security: ClientSecurity;
  /** For calls without a deadline of their own; streams set their own to undefined (0). Default 10 s. */
  readonly timeoutMs?: number;
}

/**
 * One HTTP/2 connection to an auth service, opened on first use and again after a loss; a half-open
 * one is found by ping (sent after 10 s of silence, 5 s for its answer).
 *
 * @throws ConfigError for an address that is not loopback, without TLS
 */
export function createClientConnection(
  options: ClientOptions,
): Disposable & { readonly transport: Transport } {
  const { address, security } = options;
  const text = formatAddress(address);
  if (security.mode === 'insecure' && !isLoopback(address.host)) {
    throw new ConfigError(`tls.mode: insecure is for loopback addresses only, and the address is ${text}`);
  }
  const baseUrl = `${security.mode === 'insecure' ? 'http' : 'https'}://${text}`;
  const sessions = new ExplainingSessionManager(baseUrl, { address: text, ...openerOf(address, security) });
  const transport = createConnectTransport({
    baseUrl,
    httpVersion: '2',
    sessionManager: sessions,
    defaultTimeoutMs: options.timeoutMs ?? 10 * SECOND,
    // Labels are short; compressing each message costs more than it saves inside a data centre.
    acceptCompression: [],
    readMaxBytes: MAX_MESSAGE_BYTES,
    writeMaxBytes: MAX_MESSAGE_BYTES,
    interceptors: security.mode === 'insecure' ? [claimPeer(security.peer)] : [],
  });
  return {
    transport,
    [Symbol.dispose]() {
      sessions.abort();
    },
  };
}

type Opener = Pick<SessionManagerOptions, 'prepare' | 'open'>;

function openerOf(address: Address, security: ClientSecurity): Opener {
  switch (security.mode) {
    case 'insecure':
      return { open: () => openPlain(address) };
    case 'mutual':
      return { open: () => openMutual(address, security.credentials(), security.sessions) };
    case 'pinned':
      return pinnedOpener(address, security);
  }
}

/** TLS itself knows no pins, so the authority is found first, and then trusted. */
function pinnedOpener(address: Address, { pins, cluster }: ClientPinned): Opener {
  let authorities: readonly X509Certificate[] | undefined;
  return {
    async prepare() {
      authorities ??= await findPinned(address, pins);
    },
    open: () => openPinned(address, { authorities: authorities ?? [], cluster }),
  };
}

function claimPeer(peer: Peer): Interceptor {
  const claim = peerText(peer);
  return (next) => (request) => {
    request.header.set(PEER_HEADER, claim);
    return next(request);
  };
}
