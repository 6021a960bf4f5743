import { formatSpiffeId } from '@tagplane/identity';
import type { CertificateIdentity, InstanceKey, Role } from '@tagplane/identity';
import type { PeerConnection } from '@tagplane/protocol';

export const CLUSTER = 'test';

/** What a certificate of the cluster says of its holder. */
export function identityOf(role: Role, name: string, instance?: InstanceKey): CertificateIdentity {
  const peer = { role, name, proof: 'certificate' as const, ...(instance === undefined ? {} : { instance }) };
  return {
    peer,
    id: formatSpiffeId({ cluster: CLUSTER, role, name }),
    issuer: `sha256:${'0'.repeat(64)}`,
    validUntil: 4e12,
  };
}

/** A connection that notes what is done to it. */
export class FakeConnection implements PeerConnection {
  readonly remoteAddress: string;
  readonly identity: CertificateIdentity | undefined;
  readonly problem = undefined;
  trustGeneration = 0;
  /** Reasons of its cuts. */
  readonly cuts: string[] = [];
  /** What its end does: the streams on it end. */
  onCut: (() => void) | undefined;

  constructor(identity: CertificateIdentity | undefined, remoteAddress = '10.0.0.1') {
    this.identity = identity;
    this.remoteAddress = remoteAddress;
  }

  renewed(): void {
    // Nothing here ends by itself.
  }

  cut(reason: string): void {
    this.cuts.push(reason);
    this.onCut?.();
  }
}
