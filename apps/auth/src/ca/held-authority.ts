import type { X509Certificate } from 'node:crypto';
import { createStatementSigner } from '@tagplane/credentials';
import type { StatementSigner } from '@tagplane/credentials';
import type { IdentifiedCertificate } from '@tagplane/identity';
import { identifyCertificate } from '@tagplane/identity';
import type { ServerCredentials } from '@tagplane/protocol';
import type { Logger } from '@tagplane/runtime';
import { ConfigError, errorMessage } from '@tagplane/runtime';
import type { Store } from '@tagplane/store';
import type { Authority, CertificateSubject } from './authority.ts';
import type { CaReading } from './ca-metrics.ts';
import { CaRecordError } from './ca-record.ts';
import type { FoundCa } from './ca-store.ts';
import { findCa, openFound, writeCa } from './ca-store.ts';
import { issueFrom, trustOf } from './issue-from.ts';
import type { IssuedCertificate } from './issue-from.ts';
import type { OpenedCa } from './opened-ca.ts';
import { makeOwnCertificate, serverCredentials } from './own-certificate.ts';
import type { OwnCertificate } from './own-certificate.ts';
import { outlasts } from './rotation.ts';

export interface HeldOptions {
  readonly store: Store;
  readonly authId: string;
  readonly cluster: string;
  readonly sealingKey: Uint8Array;
  readonly certificateTtlMs: number;
  readonly log: Logger;
  readonly now: () => number;
}

/** Replaced as a whole, so that whoever worked on it can see that it is another one. */
interface Held {
  readonly ca: OpenedCa;
  /** Of the record in the store. */
  readonly revision: number;
  readonly own: OwnCertificate;
}

/** The authority as this process knows it, whether or not the store answers. */
export class HeldAuthority {
  readonly #options: HeldOptions;
  readonly #listeners = new Set<() => void>();
  #signer: { readonly of: OwnCertificate; readonly signer: StatementSigner } | undefined;
  #held: Held;
  #problem: string | undefined;

  private constructor(options: HeldOptions, held: Held) {
    this.#options = options;
    this.#held = held;
  }

  static async open(options: HeldOptions, ca: OpenedCa, revision: number): Promise<HeldAuthority> {
    return new HeldAuthority(options, { ca, revision, own: await ownCertificate(options, ca) });
  }

  get ca(): OpenedCa {
    return this.#held.ca;
  }

  get revision(): number {
    return this.#held.revision;
  }

  /** Unix milliseconds. */
  get renewAt(): number {
    return this.#held.own.renewAt;
  }

  /** Unix milliseconds: the end of its own certificate. */
  get validUntil(): number {
    return this.#held.own.validUntil;
  }

  get problem(): string | undefined {
    if (this.#held.own.validUntil <= this.#options.now()) return 'the own certificate has ended';
    return this.#problem;
  }

  reading(): CaReading {
    const { ca, own } = this.#held;
    const seconds = (end: number): number => Math.round((end - this.#options.now()) / 1_000);
    return {
      generation: ca.record.generation,
      phase: ca.record.phase,
      certificateExpires: seconds(own.validUntil),
      authorityExpires: seconds(ca.authorities[0]?.validToDate.getTime() ?? 0),
    };
  }

  trust(): ReturnType<Authority['trust']> {
    return trustOf(this.#held.ca);
  }

  issue(subject: CertificateSubject): Promise<IssuedCertificate> {
    const { now, certificateTtlMs: ttlMs } = this.#options;
    return issueFrom(this.#held.ca, subject, { now: now(), ttlMs });
  }

  identify(certificate: X509Certificate): IdentifiedCertificate {
    const { cluster, now } = this.#options;
    const { authorities } = this.#held.ca;
    return identifyCertificate(certificate, { cluster, authorities }, now());
  }

  serverCredentials(): ServerCredentials {
    return serverCredentials(this.#held.ca, this.#held.own, this.#options.now());
  }

  /** Signs with the key of the present certificate of its own. */
  signer(): StatementSigner {
    const { own } = this.#held;
    if (this.#signer?.of !== own) this.#signer = { of: own, signer: createStatementSigner(own) };
    return this.#signer.signer;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Tells the listeners: also when only the day of the ticket keys has changed. */
  notify(): void {
    for (const listener of this.#listeners) listener();
  }

  /** A new certificate of its own. */
  async renew(): Promise<void> {
    const before = this.#held;
    const own = await ownCertificate(this.#options, before.ca);
    // Otherwise it has one of the record that came meanwhile, or comes here again.
    if (this.#held !== before) return;
    this.#held = { ...before, own };
    this.notify();
  }

  /**
   * Takes over what is in the store; writes the record back that the store has lost. What cannot be used
   * is logged, and the last known stands.
   *
   * @throws StoreUnavailableError
   */
  async refresh(signal: AbortSignal): Promise<void> {
    for (;;) {
      const before = this.#held;
      try {
        const found = await findCa(this.#options.store, signal);
        if (this.#held === before && (await this.#settle(before, found, signal))) return;
      } catch (error) {
        if (!(error instanceof CaRecordError) && !(error instanceof ConfigError)) throw error;
        this.#problem = errorMessage(error);
        this.#options.log.error({ event: 'ca_record_unusable', err: error });
        return;
      }
    }
  }

  /** Goes over to a record that is in the store now. */
  async adopt(found: FoundCa): Promise<void> {
    while (this.#held.revision !== found.revision && !(await this.#adopt(this.#held, found)));
  }

  /** False when something came between: to be looked at anew. */
  async #settle(before: Held, found: FoundCa | undefined, signal: AbortSignal): Promise<boolean> {
    if (found === undefined || outlasts(before.ca.record, found.record)) {
      await this.#restore(before, found, signal);
      return true;
    }
    return this.#adopt(before, found);
  }

  async #adopt(before: Held, found: FoundCa): Promise<boolean> {
    if (found.revision === before.revision) return true;
    const ca = openFound(found.record, this.#options);
    const same =
      ca.record.generation === before.ca.record.generation && ca.pins.join() === before.ca.pins.join();
    const own = same ? before.own : await ownCertificate(this.#options, ca);
    if (this.#held !== before) return false;
    this.#held = { ca, revision: found.revision, own };
    this.#problem = undefined;
    if (same) return true;
    const { phase, generation } = ca.record;
    this.#options.log.info({ event: 'ca_changed', phase, generation, pins: ca.pins });
    this.notify();
    return true;
  }

  async #restore(before: Held, found: FoundCa | undefined, signal: AbortSignal): Promise<void> {
    const { record } = before.ca;
    const expected = found === undefined ? ({ live: false } as const) : { revision: found.revision };
    const revision = await writeCa(this.#options.store, record, expected, signal);
    // Somebody else wrote: the feed will say so.
    if (revision === undefined) return;
    this.#options.log.warn({ event: 'ca_record_restored', generation: record.generation });
    if (this.#held === before) this.#held = { ...before, revision };
  }
}

function ownCertificate(options: HeldOptions, ca: OpenedCa): Promise<OwnCertificate> {
  const { authId, now, certificateTtlMs: ttlMs } = options;
  return makeOwnCertificate(ca, authId, { now: now(), ttlMs });
}
