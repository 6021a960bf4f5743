import type { Transport } from '@connectrpc/connect';
import { parsePeerClaim, peerText } from '@tagplane/identity';
import { createClientConnection } from '@tagplane/protocol';
import type { Logger, ReadinessCheck, Registry, Task } from '@tagplane/runtime';
import type { DiscoveryConfig } from '../config.ts';
import { planCertified } from './certified.ts';

/** Who this discovery is, and its connection to the auth service. */
export interface DiscoveryIdentity extends Disposable {
  readonly transport: Transport;
  /** As the auth service knows it: `discovery/<name>`. */
  readonly origin: string;
  /** What keeps it so. */
  readonly tasks: Readonly<Record<string, Task>>;
}

/** How the identity is come by; `readiness` tells of it from the start. */
export interface IdentityPlan {
  /** Joins if it has to, for as long as it takes; rejects with the signal's reason. */
  establish(signal: AbortSignal): Promise<DiscoveryIdentity>;
  readiness(): ReadinessCheck[];
}

export interface IdentityParts {
  readonly config: DiscoveryConfig;
  readonly registry: Registry;
  readonly log: Logger;
}

/** @throws ConfigError when there are no credentials that can be used, and no way to get any */
export async function planIdentity(parts: IdentityParts): Promise<IdentityPlan> {
  return parts.config.tls.mode === 'insecure' ? planClaimed(parts.config) : await planCertified(parts);
}

/** Its own word: on loopback it is believed. */
function planClaimed({ name, auth }: DiscoveryConfig): IdentityPlan {
  const peer = parsePeerClaim(`discovery/${name}`);
  if (peer === undefined) throw new TypeError(`no name for a discovery: ${name}`);
  return {
    readiness: () => [],
    establish() {
      const { address } = auth;
      const connection = createClientConnection({ address, security: { mode: 'insecure', peer } });
      return Promise.resolve({ ...connection, origin: peerText(peer), tasks: {} });
    },
  };
}
