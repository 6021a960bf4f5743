import type { Expected, Store } from '@tagplane/store';
import type { Applicant } from './name-plan.ts';
import type { InstanceRecord } from './record-codec.ts';
import { encodeInstanceRecord, encodeNameRecord, instanceRecordKey, nameKey } from './record-codec.ts';
import type { Proven, Refusal } from './verifier.ts';

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
  /** Revisions of the records that this claim wrote where there were none. */
  readonly #fresh = new Map<string, number>();

  constructor(store: Store, request: ClaimRequest) {
    this.#store = store;
    this.#request = request;
  }

  /** Whether the record of the instance that was found is this claim's own. */
  wrote({ instance }: Pick<Proven, 'instance'>, held: Expected): boolean {
    if (instance === undefined || !('revision' in held)) return false;
    return held.revision === this.#fresh.get(instanceRecordKey(instance));
  }

  /**
   * False: somebody else was first. An instance that was not known is written first, so that of two joins
   * of it one sees the other; a server id that it had is only lost once it has another.
   */
  async write({ name, nameHeld, instanceHeld }: Chosen, signal: AbortSignal): Promise<boolean> {
    const { role, proven } = this.#request;
    const writeName = () => this.#put(nameKey(role, name), this.#nameRecord(), nameHeld, signal);
    const { instance } = proven;
    if (instance === undefined || instanceHeld === undefined) return await writeName();
    const value = encodeInstanceRecord(this.#instanceRecord(name));
    const writeInstance = () => this.#put(instanceRecordKey(instance), value, instanceHeld, signal);
    return 'live' in instanceHeld
      ? (await writeInstance()) && (await writeName())
      : (await writeName()) && (await writeInstance());
  }

  /** A refusal, after what was written is taken back. */
  async refuse(refusal: Refusal, signal: AbortSignal): Promise<Refusal> {
    await this.release(signal);
    return refusal;
  }

  /** Takes the records back that were not there before, unless somebody has written them since. */
  async release(signal: AbortSignal): Promise<void> {
    if (this.#fresh.size === 0) return;
    const deletes = Array.from(this.#fresh, ([key, revision]) => ({ key, expected: { revision } }));
    this.#fresh.clear();
    await this.#store.delete(deletes, { signal });
  }

  #instanceRecord(name: string): InstanceRecord {
    const { method, now, remoteAddress } = this.#request;
    return { name, method, joinedAt: now, remoteAddress };
  }

  #nameRecord(): string {
    const { method, proof, proven, now, remoteAddress } = this.#request;
    const { instance, principal } = proven;
    return encodeNameRecord({ method, proof, instance, principal, joinedAt: now, remoteAddress });
  }

  async #put(key: string, value: string, expected: Expected, signal: AbortSignal): Promise<boolean> {
    const [result] = await this.#store.put([{ key, value, ttlMs: undefined, expected }], { signal });
    if (result?.written !== true) return false;
    const own = 'revision' in expected && this.#fresh.get(key) === expected.revision;
    if (own || 'live' in expected) this.#fresh.set(key, result.revision);
    return true;
  }
}
