import { fromJson, toJson } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { InstanceKey } from '@tagplane/identity';
import { EnrolmentRecordSchema, EnrolmentState } from '@tagplane/protocol';
import type { EnrolmentRecord } from '@tagplane/protocol';
import { HOUR } from '@tagplane/runtime';
import { discoveredName } from '@tagplane/serverinfo';
import type { Entry, Expected, Found, Put, Store } from '@tagplane/store';
import { z } from 'zod';
import { parsed } from './parsed.ts';

/** By the name of the instance's ServerInfo: both are in one order. */
export const ENROLMENT_PREFIX = 'enrol/';
const TTL_MS = 24 * HOUR;

/** What is kept of the enrolment of an instance. */
export interface StoredEnrolment {
  /** As `discovery/GROUP`: who said it. */
  readonly origin: string;
  /** An attempt may be under way until then; Unix milliseconds of the auth process that gave the claim. */
  readonly claimedUntil: number | undefined;
  readonly record: EnrolmentRecord | undefined;
}

const stored = z.tuple([
  z.literal(1),
  z.string(),
  z.int().nullable(),
  z.int(),
  z.record(z.string(), z.json()).nullable(),
]);

export function enrolmentKey(instance: InstanceKey): string {
  return ENROLMENT_PREFIX + discoveredName(instance);
}

/** The enrolments of instances: what was last said of each, and which attempts are under way. */
export class EnrolmentRecords {
  readonly #store: Store;

  constructor({ store }: { readonly store: Store }) {
    this.#store = store;
  }

  /**
   * Claims instances for one attempt each: of several at once, one gets it.
   *
   * @returns for each, until when somebody else has it; undefined: it is the caller's
   */
  async claim(
    instances: readonly InstanceKey[],
    { origin, until, now }: { readonly origin: string; readonly until: number; readonly now: number },
    signal: AbortSignal,
  ): Promise<(number | undefined)[]> {
    const found = await this.#find(instances, signal);
    const free: { readonly index: number; readonly put: Put }[] = [];
    const taken = instances.map((instance, index) => {
      const there = found[index];
      const before = there?.state === 'live' ? decodeEnrolment(there) : undefined;
      if (before?.claimedUntil !== undefined && before.claimedUntil > now) return before.claimedUntil;
      const value = encode({ origin, claimedUntil: until, record: before?.record }, now);
      free.push({
        index,
        put: { key: enrolmentKey(instance), value, ttlMs: TTL_MS, expected: asFound(there) },
      });
      return undefined;
    });
    const written = await this.#store.put(
      free.map(({ put }) => put),
      { signal },
    );
    for (const [at, { index }] of free.entries()) if (written[at]?.written !== true) taken[index] = until;
    return taken;
  }

  /** Writes down how instances stand. An attempt is under way while it is PENDING; else its claim is over. */
  async record(
    records: readonly { readonly instance: InstanceKey; readonly record: EnrolmentRecord }[],
    { origin, now }: { readonly origin: string; readonly now: number },
    signal: AbortSignal,
  ): Promise<void> {
    const found = await this.#find(
      records.map(({ instance }) => instance),
      signal,
    );
    const puts = records.map(({ instance, record }, index): Put => {
      const there = found[index];
      const pending = record.state === EnrolmentState.PENDING && there?.state === 'live';
      const claimedUntil = pending ? decodeEnrolment(there)?.claimedUntil : undefined;
      return {
        key: enrolmentKey(instance),
        value: encode({ origin, claimedUntil, record }, now),
        ttlMs: TTL_MS,
      };
    });
    await this.#store.put(puts, { signal });
  }

  async remove(instances: readonly InstanceKey[], signal: AbortSignal): Promise<void> {
    if (instances.length === 0) return;
    await this.#store.delete(
      instances.map((instance) => ({ key: enrolmentKey(instance) })),
      { signal },
    );
  }

  async #find(instances: readonly InstanceKey[], signal: AbortSignal): Promise<readonly Found[]> {
    return await this.#store.getMany(instances.map(enrolmentKey), { signal });
  }
}

function asFound(found: Found | undefined): Expected {
  return found?.state === 'live' ? { revision: found.revision } : { live: false };
}

function encode({ origin, claimedUntil, record }: StoredEnrolment, now: number): string {
  const json = record === undefined ? null : toJson(EnrolmentRecordSchema, record);
  return JSON.stringify([1, origin, claimedUntil ?? null, now, json]);
}

/** Undefined for one of a version that is not known here. */
export function decodeEnrolment({ value }: Pick<Entry, 'value'>): StoredEnrolment | undefined {
  const result = stored.safeParse(parsed(value));
  if (!result.success) return undefined;
  const [, origin, claimedUntil, at, json] = result.data;
  const record =
    json === null ? undefined : fromJson(EnrolmentRecordSchema, json, { ignoreUnknownFields: true });
  return {
    origin,
    claimedUntil: claimedUntil ?? undefined,
    record: record && { ...record, recordedAt: timestampFromMs(at) },
  };
}
