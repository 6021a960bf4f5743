import { randomBytes } from 'node:crypto';
import { joinStatement, provesPossession } from '@tagplane/credentials';
import type { Issued } from '@tagplane/credentials';
import { formatSpiffeId, instanceKeyText } from '@tagplane/identity';
import type { CertificateIdentity, InstanceKey } from '@tagplane/identity';
import type { JoinProof } from '@tagplane/protocol';
import { SECOND } from '@tagplane/runtime';
import type { Authority } from '../ca/authority.ts';
import type { Locks } from '../locks/locks.ts';
import type { JoinRecords } from './join-records.ts';
import type { JoinVerifiers } from './methods.ts';
import type { JoinRole } from './roles.ts';
import type { JoinClaim, Proven, Refusal, Verdict } from './verifier.ts';
import { denied, unavailable } from './verifier.ts';

const NONCE_BYTES = 32;
/** To forget the name that was given; the caller may be gone already. */
const RELEASE_MS = 5 * SECOND;

export interface ExchangeParts {
  readonly authority: Pick<Authority, 'cluster' | 'issue'>;
  readonly verifiers: JoinVerifiers;
  readonly records: Pick<JoinRecords, 'claim'>;
  readonly locks: Locks;
  readonly now: () => number;
}

export interface JoinRequested {
  readonly role: JoinRole;
  /** Empty: none in particular. */
  readonly name: string;
  readonly publicKey: Uint8Array;
  readonly remoteAddress: string | undefined;
}

/** A certificate, and what it was made on the strength of. */
export interface Joined {
  readonly ok: true;
  readonly issued: Issued;
  readonly identity: CertificateIdentity;
  readonly proof: string;
}

export type JoinMethodName = NonNullable<JoinProof['method']['case']>;

/** One exchange: its challenge is good for it alone. */
export class JoinExchange {
  readonly nonce = randomBytes(NONCE_BYTES).toString('base64url');
  readonly #parts: ExchangeParts;
  readonly #requested: JoinRequested;

  constructor(parts: ExchangeParts, requested: JoinRequested) {
    this.#parts = parts;
    this.#requested = requested;
  }

  get cluster(): string {
    return this.#parts.authority.cluster;
  }

  /**
   * Judges the proof and, if it is good, issues. Nothing of the proof but its signature by the key is
   * looked at before that signature is good. Rejects with the signal's reason and as the store does.
   */
  async finish(proof: JoinProof, signal: AbortSignal): Promise<Joined | Refusal> {
    const claim: JoinClaim = { ...this.#requested, nonce: this.nonce, cluster: this.cluster };
    if (!provesPossession(joinStatement(claim), claim.publicKey, proof.possession)) {
      return denied('the possession of the key is not proven');
    }
    if (!this.#parts.locks.loaded) return unavailable('the locks are not known yet');
    const verdict = await this.#verify(proof, claim, signal);
    return verdict.ok ? await this.#admit(verdict, proof.method.case ?? '', signal) : verdict;
  }

  async #verify({ method }: JoinProof, claim: JoinClaim, signal: AbortSignal): Promise<Verdict> {
    const { token, iam, ec2 } = this.#parts.verifiers;
    switch (method.case) {
      case 'token':
        return await token.verify(method.value, claim, { signal });
      case 'iam':
        return (await iam?.verify(method.value, claim, { signal })) ?? notSetUp(method.case);
      case 'ec2':
        return (await ec2?.verify(method.value, claim, { signal })) ?? notSetUp(method.case);
      case undefined:
        return denied('the proof is missing');
    }
  }

  async #admit(proven: Proven, method: string, signal: AbortSignal): Promise<Joined | Refusal> {
    const { authority, records, now } = this.#parts;
    const { role, name, publicKey, remoteAddress } = this.#requested;
    const claimed = await records.claim(
      {
        role,
        name,
        proven,
        method,
        proof: proven.proof,
        now: now(),
        remoteAddress: remoteAddress ?? '',
      },
      { check: (wanted) => this.#lockRefusal(wanted, proven), spend: proven.spend },
      signal,
    );
    if (!claimed.ok) return { ...claimed, details: { ...provenDetails(proven), ...claimed.details } };
    try {
      const subject = { role, name: claimed.name, instance: proven.instance, publicKey };
      return { ok: true, ...(await authority.issue(subject)), proof: proven.proof };
    } catch (error) {
      // Why there is no certificate is what matters, not whether this works.
      await claimed.release(AbortSignal.timeout(RELEASE_MS)).catch(() => undefined);
      throw error;
    }
  }

  #lockRefusal(name: string, { instance, aliases = [] }: Proven): Refusal | undefined {
    const { locks } = this.#parts;
    const { role } = this.#requested;
    const id = formatSpiffeId({ cluster: this.cluster, role, name });
    const peer = { role, name, proof: 'certificate' } as const;
    const instances: (InstanceKey | undefined)[] = [instance, ...aliases];
    for (const each of instances) {
      const reason = locks.lockedReason({
        id,
        peer: each === undefined ? peer : { ...peer, instance: each },
      });
      if (reason !== undefined) return denied('it is locked', { locked: reason });
    }
    return undefined;
  }
}

function notSetUp(method: string): Refusal {
  return denied(`joining by ${method} is not set up here`);
}

function provenDetails({ proof, instance }: Proven): Record<string, string> {
  return { proof, ...(instance === undefined ? {} : { instance: instanceKeyText(instance) }) };
}
