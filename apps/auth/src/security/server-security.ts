import type { ConnectionEvent, PeerConnection, ServerSecurity } from '@tagplane/protocol';
import type { ClusterAuthority } from '../ca/cluster-authority.ts';
import type { AuthConfig } from '../config.ts';
import type { Locks } from '../locks/locks.ts';

/** How the API's connections are secured: mutual TLS by the authority, or not at all without one. */
export function serverSecurity(
  config: Pick<AuthConfig, 'tls' | 'limits'>,
  authority: ClusterAuthority | undefined,
  parts: { readonly locks: Locks; readonly onEvent: (event: ConnectionEvent) => void },
): ServerSecurity {
  if (authority === undefined) return { mode: 'insecure' };
  const { tls, limits } = config;
  return {
    mode: 'mutual',
    minVersion: tls.min_version === '1.2' ? 'TLSv1.2' : 'TLSv1.3',
    credentials: authority.serverCredentials(),
    identify: (certificate) => authority.identify(certificate),
    // Before the locks are known a connection may wait; its calls are refused until they are.
    admit: (identity) => (parts.locks.loaded ? parts.locks.lockedReason(identity) : undefined),
    onEvent: parts.onEvent,
    limits: {
      handshakesPerSecond: limits.handshakes_per_second,
      handshakesPerAddress: limits.handshakes_per_address,
      unidentified: limits.unidentified_connections,
    },
  };
}

/** How many of these have proven who they are, and how many have not. */
export function countConnections(connections: Iterable<PeerConnection>): {
  readonly identified: number;
  readonly unidentified: number;
} {
  let [identified, unidentified] = [0, 0];
  for (const { identity } of connections) {
    if (identity === undefined) unidentified += 1;
    else identified += 1;
  }
  return { identified, unidentified };
}
