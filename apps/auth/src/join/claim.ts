import type { Expected, Store } from '@tagplane/store';
import type { Applicant } from './name-plan.ts';
import type { InstanceRecord } from './record-codec.ts';
import { encodeInstanceRecord, encodeNameRecord, instanceRecordKey, nameKey } from './record-codec.ts';
import type { Refusal } from './verifier.ts';

export interface ClaimRequest extends Applicant {
  readonly method: string;
  readonly proof: string;
  /** Unix milliseconds. */
  readonly now: number;
  readonly remoteAddress: string;
}

/** What is to be written, and what was there. */
export interface Chosen {
  readonly ok: true;
  readonly name: string;
  readonly nameHeld: Expected;
  /** Undefined: no instance was proven. */
  readonly instanceHeld: Expected | undefined;
}

/** The writes of one claim. */
export class Claim {
  readonly #store: Store;
  readonly #request: ClaimRequest;
  /** Of the instance's record, if it is this claim's and there was none before. */
  #revision: number | undefined;

  constructor(store: Store, request: ClaimRequest) {
    this.#store = store;
    this.#request = request;
  }

  wrote(held: Expected): boolean {
    return 'revision' in held && held.revision === this.#revision;
  }

  /**
   * False: somebody else was first. An instance that was not known is written first, so that of two joins
   * of it one sees the other; a server id that it had is only lost once it has another.
   */
  async write({ name, nameHeld, instanceHeld }: Chosen, signal: AbortSignal): Promise<boolean> {
    const fresh = instanceHeld !== undefined && 'live' in instanceHeld;
    if (fresh && !(await this.#writeInstance(name, instanceHeld, signal))) return false;
    if (!(await this.#put(nameKey(this.#request.role, name), this.#nameRecord(), nameHeld, signal)))
      return false;
    if (fresh || instanceHeld === undefined) return true;
    return await this.#writeInstance(name, instanceHeld, signal);
  }

  /** A refusal, after what was written is taken back. */
  async refuse(refusal: Refusal, signal: AbortSignal): Promise<Refusal> {
    await this.release(signal);
    return refusal;
  }

  async release(signal: AbortSignal): Promise<void> {
    const { instance } = this.#request.proven;
    if (this.#revision === undefined || instance === undefined) return;
    const expected = { revision: this.#revision };
    this.#revision = undefined;
    await this.#store.delete([{ key: instanceRecordKey(instance), expected }], { signal });
  }

  async #writeInstance(name: string, held: Expected, signal: AbortSignal): Promise<boolean> {
    const { method, now, remoteAddress, proven } = this.#request;
    if (proven.instance === undefined) return true;
    const record: InstanceRecord = { name, method, joinedAt: now, remoteAddress };
    const revision = await this.#put(
      instanceRecordKey(proven.instance),
      encodeInstanceRecord(record),
      held,
      signal,
    );
    if (revision !== undefined && ('live' in held || this.wrote(held))) this.#revision = revision;
    return revision !== undefined;
  }

  #nameRecord(): string {
    const { method, proof, proven, now, remoteAddress } = this.#request;
    const { instance, principal } = proven;
    return encodeNameRecord({ method, proof, instance, principal, joinedAt: now, remoteAddress });
  }

  async #put(
    key: string,
    value: string,
    expected: Expected,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const [result] = await this.#store.put([{ key, value, ttlMs: undefined, expected }], { signal });
    return result?.written === true ? result.revision : undefined;
  }
}
