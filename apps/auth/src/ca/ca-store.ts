import { SealError } from '@tagplane/pki';
import { ConfigError } from '@tagplane/runtime';
import type { Expected, Store } from '@tagplane/store';
import type { CaCopy } from './ca-copy.ts';
import type { CaRecord } from './ca-record.ts';
import { CA_KEY, decodeCaRecord, encodeCaRecord } from './ca-record.ts';
import { newCa, openCa } from './opened-ca.ts';
import type { OpenedCa } from './opened-ca.ts';

/** A record and the revision at which it was found. */
export interface FoundCa {
  readonly record: CaRecord;
  readonly revision: number;
}

/**
 * The record; undefined when there is none.
 *
 * @throws CaRecordError, StoreUnavailableError
 */
export async function findCa(store: Store, signal: AbortSignal): Promise<FoundCa | undefined> {
  const [found] = await store.getMany([CA_KEY], { signal });
  return found?.state === 'live'
    ? { record: decodeCaRecord(found.value), revision: found.revision }
    : undefined;
}

/** The revision it was written at; undefined when the store did not hold what was expected. */
export async function writeCa(
  store: Store,
  record: CaRecord,
  expected: Expected,
  signal: AbortSignal,
): Promise<number | undefined> {
  const put = { key: CA_KEY, value: encodeCaRecord(record), ttlMs: undefined, expected };
  const [result] = await store.put([put], { signal });
  return result?.written === true ? result.revision : undefined;
}

/** How the authority was come by: it was there, it was made, or it was put back from the copy. */
export type CaSource = 'found' | 'created' | 'restored';

/**
 * The cluster's authority: the store's, else that of the copy, else a new one. Of several processes that
 * make one at once, one makes it and all have it.
 *
 * @throws ConfigError when it is another cluster's, or sealed with another key
 */
export async function ensureCa(options: {
  readonly store: Store;
  readonly cluster: string;
  readonly sealingKey: Uint8Array;
  readonly copy: CaCopy;
  readonly now: number;
  readonly signal: AbortSignal;
}): Promise<{ readonly ca: OpenedCa; readonly revision: number; readonly source: CaSource }> {
  const { store, cluster, sealingKey, copy, now, signal } = options;
  const known = await findCa(store, signal);
  if (known !== undefined) return { ...known, ca: openFound(known.record, options), source: 'found' };
  const copied = await copy.read();
  const record = copied ?? (await newCa(cluster, sealingKey, now));
  const ca = openFound(record, options);
  const revision = await writeCa(store, record, { live: false }, signal);
  if (revision !== undefined) return { ca, revision, source: copied === undefined ? 'created' : 'restored' };
  const others = await findCa(store, signal);
  if (others === undefined) throw new Error('the authority that was made meanwhile is gone again');
  return { ...others, ca: openFound(others.record, options), source: 'found' };
}

/** @throws ConfigError when it is another cluster's, or sealed with another key */
export function openFound(
  record: CaRecord,
  { cluster, sealingKey }: { readonly cluster: string; readonly sealingKey: Uint8Array },
): OpenedCa {
  if (record.cluster !== cluster) {
    throw new ConfigError(`cluster: the store holds the authority of the cluster ${record.cluster}`);
  }
  try {
    return openCa(record, sealingKey);
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    const problem = "not the key that the cluster's authority in the store was sealed with";
    throw new ConfigError(`ca.key_file: ${problem} (or ca.key)`, { cause: error });
  }
}
