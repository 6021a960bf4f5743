import { randomUUID } from 'node:crypto';
import type { InstanceKey } from '@tagplane/identity';
import { fullJitter, sleep } from '@tagplane/runtime';
import type { Delete, Expected, Store } from '@tagplane/store';
import type { Chosen, ClaimRequest } from './claim.ts';
import { Claim } from './claim.ts';
import { mayTake, wantedName } from './name-plan.ts';
import type { NameRecord } from './record-codec.ts';
import {
  decodeInstanceRecord,
  decodeNameRecord,
  encodeNameRecord,
  instanceRecordKey,
  nameKey,
} from './record-codec.ts';
import type { JoinRole } from './roles.ts';
import type { Refusal } from './verifier.ts';
import { denied } from './verifier.ts';

/** Joins for the same name or instance at once: each write lets one of them through. */
const CONFLICT_RETRY = { baseMs: 2, maxMs: 100 };

export interface ClaimSteps {
  /** Asked about each name before it is taken. */
  readonly check: (name: string) => Refusal | undefined;
  /** Asked once, when all else is good; what it has used up stays so. */
  readonly spend: ((signal: AbortSignal) => Promise<Refusal | undefined>) | undefined;
}

export type Claimed =
  | {
      readonly ok: true;
      readonly name: string;
      /** Takes back what was not there before, when no certificate came of it. */
      readonly release: (signal: AbortSignal) => Promise<void>;
    }
  | Refusal;

interface Held<Value> {
  readonly value: Value | undefined;
  readonly expected: Expected;
}

/** Which name belongs to which proof, in the store. */
export class JoinRecords {
  readonly #store: Store;
  readonly #newName: () => string;

  constructor({ store, newName = randomUUID }: { readonly store: Store; readonly newName?: () => string }) {
    this.#store = store;
    this.#newName = newName;
  }

  /**
   * Gives the applicant a name, or says why not. Two at once for the same name or the same instance: one
   * is first, and the other is judged by that.
   */
  async claim(request: ClaimRequest, steps: ClaimSteps, signal: AbortSignal): Promise<Claimed> {
    const attempt = new Claim(this.#store, request);
    let spent = false;
    for (let failures = 0; ; failures += 1) {
      const chosen = await this.#choose(request, attempt, signal);
      const refusal = chosen.ok ? steps.check(chosen.name) : chosen;
      if (refusal !== undefined) return await attempt.refuse(refusal, signal);
      if (!chosen.ok) return chosen;
      if (!spent) {
        const unspent = await steps.spend?.(signal);
        if (unspent !== undefined) return unspent;
        spent = true;
      }
      if (await attempt.write(chosen, signal)) {
        const release = (stop: AbortSignal) => attempt.release(stop);
        return { ok: true, name: chosen.name, release };
      }
      await sleep(fullJitter(failures, CONFLICT_RETRY), signal);
    }
  }

  /** Writes who has a name, whoever had it before. */
  async record(role: JoinRole, name: string, record: NameRecord, signal: AbortSignal): Promise<void> {
    await this.#store.put([{ key: nameKey(role, name), value: encodeNameRecord(record), ttlMs: undefined }], {
      signal,
    });
  }

  /** Forgets a name, and the join of the instance that has it. False: nobody has it. */
  async resetName(role: JoinRole, name: string, signal: AbortSignal): Promise<boolean> {
    const held = await this.#read(nameKey(role, name), decodeNameRecord, signal);
    if (held.value === undefined) return false;
    const keys = [nameKey(role, name)];
    const { instance } = held.value;
    if (instance !== undefined && (await this.#nameOf(instance, signal)) === name) {
      keys.push(instanceRecordKey(instance));
    }
    return await this.#forget(keys, signal);
  }

  /** Forgets that an instance has joined, and the server id that it has. False: it has not joined. */
  async resetInstance(instance: InstanceKey, signal: AbortSignal): Promise<boolean> {
    const name = await this.#nameOf(instance, signal);
    if (name === undefined) return false;
    const keys = [instanceRecordKey(instance)];
    const held = await this.#read(nameKey('agent', name), decodeNameRecord, signal);
    if (held.value !== undefined && isOf(instance, held.value)) keys.push(nameKey('agent', name));
    return await this.#forget(keys, signal);
  }

  async #choose(request: ClaimRequest, attempt: Claim, signal: AbortSignal): Promise<Chosen | Refusal> {
    const { role, proven } = request;
    const instance =
      proven.instance === undefined
        ? undefined
        : await this.#read(instanceRecordKey(proven.instance), decodeInstanceRecord, signal);
    const known =
      instance === undefined || attempt.wrote(proven, instance.expected) ? undefined : instance.value;
    const wanted = wantedName(request, known, this.#newName);
    if (!wanted.ok) return wanted;
    const name = await this.#read(nameKey(role, wanted.name), decodeNameRecord, signal);
    if (name.value === undefined || mayTake(wanted.name, name.value, request)) {
      return { ok: true, name: wanted.name, nameHeld: name.expected, instanceHeld: instance?.expected };
    }
    if (wanted.from === 'asked')
      return denied('the name is in use: an operator may reset it, or give a token for it');
    // Somebody with a better proof took over what the instance had before.
    const other = this.#newName();
    return { ok: true, name: other, nameHeld: { live: false }, instanceHeld: instance?.expected };
  }

  async #nameOf(instance: InstanceKey, signal: AbortSignal): Promise<string | undefined> {
    const { value } = await this.#read(instanceRecordKey(instance), decodeInstanceRecord, signal);
    return value?.name;
  }

  async #read<Value>(
    key: string,
    decode: (text: string) => Value,
    signal: AbortSignal,
  ): Promise<Held<Value>> {
    const [found] = await this.#store.getMany([key], { signal });
    if (found?.state !== 'live') return { value: undefined, expected: { live: false } };
    return { value: decode(found.value), expected: { revision: found.revision } };
  }

  async #forget(keys: readonly string[], signal: AbortSignal): Promise<boolean> {
    const results = await this.#store.delete(
      keys.map((key): Delete => ({ key })),
      { signal },
    );
    return results[0]?.written === true;
  }
}

function isOf(instance: InstanceKey, record: NameRecord): boolean {
  return record.instance !== undefined && instanceRecordKey(record.instance) === instanceRecordKey(instance);
}
