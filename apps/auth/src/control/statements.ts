import { create } from '@bufbuild/protobuf';
import { labelsStatement, rolesStatement } from '@tagplane/credentials';
import type { AuthStatement, SignedStatement, StatedLifetime, StatementSigner } from '@tagplane/credentials';
import { NAMESPACES } from '@tagplane/labels';
import { SignatureSchema, StatementProofSchema } from '@tagplane/protocol';
import type { Signature } from '@tagplane/protocol';
import { MINUTE } from '@tagplane/runtime';
import { ROLES_LIFE_MS } from '@tagplane/session';
import type { LabelSets, LabelsVersion } from '@tagplane/session';
import { lifetimeOf } from './messages.ts';
import { SigningQueue } from './signing-queue.ts';

export interface StatementsOptions {
  readonly cluster: string;
  /** Of this process's own certificate, as it is now. */
  readonly signer: () => StatementSigner;
}

/** Labels of one server, to be vouched for. */
export interface SaidLabels {
  readonly serverId: string;
  readonly version: LabelsVersion;
  readonly sets: LabelSets;
  /** Unix milliseconds. */
  readonly now: number;
}

/** A statement on roles is the same for all agents, so that one signature a minute is enough. */
const ROLES_REUSE_MS = MINUTE;

/** What this auth process vouches for, so that agents can keep it. */
export class Statements {
  readonly #options: StatementsOptions;
  readonly #queue: SigningQueue;
  #roles:
    { readonly revision: string; readonly issuedAt: number; readonly signed: SignedStatement } | undefined;

  constructor(options: StatementsOptions) {
    this.#options = options;
    this.#queue = new SigningQueue(options.signer);
  }

  /** Names the authority under which it signs now. */
  get authority(): string {
    return this.#options.signer().issuer;
  }

  /** Each set's lifetime as the update says it, also that of a set without labels. */
  labels(said: SaidLabels): SignedStatement {
    return this.#options.signer().sign(this.#statement(said));
  }

  /** The same, signed together with what else is said in this turn of the loop. */
  labelsTogether(said: SaidLabels, done: (signed: SignedStatement) => void): void {
    this.#queue.add(this.#statement(said), done);
  }

  #statement({ serverId, version, sets, now }: SaidLabels): Uint8Array {
    const { cluster } = this.#options;
    const lifetimes = new Map<string, StatedLifetime>();
    for (const namespace of NAMESPACES) {
      if (sets[namespace] !== undefined) lifetimes.set(namespace, lifetimeOf(version.spans[namespace], now));
    }
    const issuedAt = Math.round(now);
    const { revision } = version;
    return labelsStatement({ cluster, serverId, revision, issuedAt, lifetimes });
  }

  roles(revision: string, now: number): SignedStatement {
    const { cluster, signer } = this.#options;
    const by = signer();
    const last = this.#roles;
    const usable =
      last?.revision === revision &&
      last.signed.certificates === by.certificates &&
      Math.abs(now - last.issuedAt) < ROLES_REUSE_MS;
    if (usable) return last.signed;
    const issuedAt = Math.round(now);
    const signed = by.sign(rolesStatement({ cluster, revision, issuedAt, remainingMs: ROLES_LIFE_MS }));
    this.#roles = { revision, issuedAt, signed };
    return signed;
  }
}

/** The signatures on one stream: certificates go along until an answer shows that the agent has read them. */
export class StreamSignatures {
  /** Under which authority the latest of each kind was signed; undefined: not on this stream. */
  readonly #authorities: { labels: string | undefined; roles: string | undefined };
  #known: readonly Uint8Array[] | undefined;
  #carried: readonly Uint8Array[] | undefined;

  /** @param authority under which what the agent has kept is taken to be signed; undefined: nobody knows */
  constructor(authority: string | undefined) {
    this.#authorities = { labels: authority, roles: authority };
  }

  /** It has missed a step of a rotation: what it keeps may be signed under an authority of before. */
  doubt(): void {
    this.#authorities.labels = undefined;
    this.#authorities.roles = undefined;
  }

  /** Whether the agent keeps a statement of this kind that another authority stands for. */
  outdated(kind: AuthStatement['kind'], authority: string): boolean {
    return this.#authorities[kind] !== authority;
  }

  message(
    kind: AuthStatement['kind'],
    authority: string,
    { statement, signature, certificates, proof }: SignedStatement,
  ): Signature {
    this.#authorities[kind] = authority;
    const message = create(SignatureSchema, { statement, signature });
    if (proof !== undefined) {
      message.proof = create(StatementProofSchema, { ...proof, hashes: [...proof.hashes] });
    }
    if (certificates === this.#known) return message;
    this.#carried = certificates;
    message.certificates = [...certificates];
    return message;
  }

  /** The agent has read what was sent last. */
  acknowledged(): void {
    this.#known = this.#carried;
  }

  /** It has refused it, perhaps for want of certificates. */
  refused(): void {
    this.#known = undefined;
  }
}
