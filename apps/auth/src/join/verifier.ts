import type { InstanceKey } from '@tagplane/identity';
import type { JoinRole } from './roles.ts';

/** What the process that joins has said of itself, and the challenge it was given. */
export interface JoinClaim {
  readonly role: JoinRole;
  /** The name it asks for; empty: none. */
  readonly name: string;
  /** Of the challenge; good for this exchange only. */
  readonly nonce: string;
  /** SubjectPublicKeyInfo in DER, its possession proven. */
  readonly publicKey: Uint8Array;
  /** IP address; undefined where there is no connection below, as in memory. */
  readonly remoteAddress: string | undefined;
  readonly cluster: string;
}

/** Why nobody is let in. No secret and nothing that was signed belongs in it. */
export interface Refusal {
  readonly ok: false;
  /** `unavailable`: it is not the caller's fault, and worth another try. */
  readonly code: 'denied' | 'unavailable';
  /** For the caller: helps an honest operator, tells nobody what a secret is. */
  readonly reason: string;
  /** What was proven all the same, or what it was about, for the audit. */
  readonly details?: Readonly<Record<string, string>>;
}

/** What a method has proven. */
export interface Proven {
  readonly ok: true;
  /** In a few words: a token's id, a role's ARN. */
  readonly proof: string;
  readonly instance: InstanceKey | undefined;
  /** The name that the proof itself gives to its holder, who takes it over if it is in use. */
  readonly name?: string | undefined;
  /** Whoever proves the same again may have the name again, though no instance is proven. */
  readonly principal?: string | undefined;
  /** The proof lets its instance in once, until an operator resets it. */
  readonly once?: boolean;
  /** Other keys that the instance may go by: a lock on one of them holds. */
  readonly aliases?: readonly InstanceKey[];
  /** Uses the proof up, when all else is good; undefined: done. */
  readonly spend?: (signal: AbortSignal) => Promise<Refusal | undefined>;
}

export type Verdict = Proven | Refusal;

/** A way in. */
export interface JoinVerifier<Proof> {
  /** Rejects with the signal's reason, and as the store does. */
  verify(proof: Proof, claim: JoinClaim, options: { readonly signal: AbortSignal }): Promise<Verdict>;
}

export function denied(reason: string, details?: Readonly<Record<string, string>>): Refusal {
  return { ok: false, code: 'denied', reason, ...(details === undefined ? {} : { details }) };
}

export function unavailable(reason: string, details?: Readonly<Record<string, string>>): Refusal {
  return { ok: false, code: 'unavailable', reason, ...(details === undefined ? {} : { details }) };
}
