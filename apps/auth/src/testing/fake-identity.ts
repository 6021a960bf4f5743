import type { CertificateIdentity } from '@tagplane/identity';
import { formatSpiffeId, instanceKeyText } from '@tagplane/identity';
import type { Authority, CertificateSubject } from '../ca/authority.ts';
import type { Locks } from '../locks/locks.ts';

export const TEST_CLUSTER = 'test';
const PIN = `sha256:${'0'.repeat(64)}`;

/** An authority whose certificates are no certificates; it knows whom it made them for. */
export class FakeAuthority implements Pick<Authority, 'cluster' | 'pins' | 'issue'> {
  readonly cluster = TEST_CLUSTER;
  readonly subjects: CertificateSubject[] = [];
  /** What the next calls of `issue` fail with. */
  readonly failures: Error[] = [];

  pins(): readonly string[] {
    return [PIN];
  }

  issue(subject: CertificateSubject): ReturnType<Authority['issue']> {
    const failure = this.failures.shift();
    if (failure !== undefined) return Promise.reject(failure);
    this.subjects.push(subject);
    const { role, name, instance } = subject;
    const peer = { role, name, proof: 'certificate' as const };
    const identity: CertificateIdentity = {
      peer: instance === undefined ? peer : { ...peer, instance },
      id: formatSpiffeId({ cluster: this.cluster, role, name }),
      issuer: PIN,
      validUntil: Number.MAX_SAFE_INTEGER,
    };
    const certificates = [Buffer.from(`certificate of ${identity.id}`)];
    const issued = { certificates, generation: 1, authorities: [Buffer.from('authority')] };
    return Promise.resolve({ issued, identity });
  }
}

/** Locks by what they lock: a SPIFFE ID, or `account/region/instance`. */
export class FakeLocks implements Locks {
  loaded = true;
  readonly reasons = new Map<string, string>();

  lockedReason({ id, peer }: Pick<CertificateIdentity, 'id' | 'peer'>): string | undefined {
    const { instance } = peer;
    return this.reasons.get(id) ?? (instance && this.reasons.get(instanceKeyText(instance)));
  }
}
