import { randomBytes } from 'node:crypto';
import { createKey } from '@tagplane/credentials';
import type { CertificateIdentity, Role } from '@tagplane/identity';
import type { PeerConnection } from '@tagplane/protocol';
import type { Registry } from '@tagplane/runtime';
import { silentLogger } from '@tagplane/runtime';
import type { Store } from '@tagplane/store';
import type { Authority } from '../ca/authority.ts';
import type { CaCopy } from '../ca/ca-copy.ts';
import { openClusterAuthority } from '../ca/cluster-authority.ts';
import type { ClusterAuthority } from '../ca/cluster-authority.ts';
import { RecordingAudit } from './recording-audit.ts';

export const SEALING_KEY: Uint8Array = randomBytes(32);

export interface TestCaOptions {
  readonly store: Store;
  readonly authId?: string;
  readonly cluster?: string;
  readonly sealingKey?: Uint8Array;
  readonly certificateTtlMs?: number;
  readonly audit?: RecordingAudit;
  readonly copy?: CaCopy;
  readonly registry?: Registry;
  readonly now?: () => number;
  readonly connections?: () => Iterable<PeerConnection>;
}

/** One auth process's hold on the authority; it follows the store once it runs. */
export function openTestCa(options: TestCaOptions): Promise<ClusterAuthority> {
  return openClusterAuthority(
    {
      authId: 'auth-1',
      cluster: 'test',
      sealingKey: SEALING_KEY,
      certificateTtlMs: 12 * 3_600_000,
      audit: new RecordingAudit(),
      connections: () => [],
      log: silentLogger(),
      ...options,
    },
    new AbortController().signal,
  );
}

/** Runs until it is disposed of. */
export function running(authority: Pick<ClusterAuthority, 'run'>): AsyncDisposable {
  const stop = new AbortController();
  const run = authority.run(stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test is over'));
      await run;
    },
  };
}

/** A connection whose peer renews when it is told to. */
export class RenewingPeer implements PeerConnection {
  readonly remoteAddress = '192.0.2.7';
  readonly problem = undefined;
  /** Reasons of its cuts. */
  readonly cuts: string[] = [];
  trustGeneration = 0;
  identity: CertificateIdentity;

  constructor(identity: CertificateIdentity) {
    this.identity = identity;
  }

  static async of(authority: Authority, role: Role = 'agent', name = 'web-1'): Promise<RenewingPeer> {
    const { issued, identity } = await authority.issue(subjectOf(role, name));
    const peer = new RenewingPeer(identity);
    peer.trustGeneration = issued.generation;
    return peer;
  }

  renewed(identity: CertificateIdentity): void {
    this.identity = identity;
  }

  cut(reason: string): void {
    this.cuts.push(reason);
  }

  /** As an agent does that was told of a change. */
  async follow(authority: Authority): Promise<void> {
    const { role, name } = this.identity.peer;
    const { issued, identity } = await authority.issue(subjectOf(role, name), 'renew');
    this.renewed(identity);
    this.trustGeneration = issued.generation;
  }
}

export function subjectOf(role: Role, name: string): Parameters<Authority['issue']>[0] {
  return { role, name, instance: undefined, publicKey: createKey().publicKey };
}
