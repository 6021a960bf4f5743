import { X509Certificate } from 'node:crypto';
import { publicKeyPin } from '@tagplane/identity';
import { createAuthority, crossSign, openSecret, sealSecret } from '@tagplane/pki';
import type { AuthorityKeys } from '@tagplane/pki';
import { HOUR, MINUTE } from '@tagplane/runtime';
import type { CaRecord, StableCa, StoredAuthority } from './ca-record.ts';
import { trustedAuthorities } from './ca-record.ts';
import type { RotationMaterial } from './rotation.ts';

/** Certificates are good from a while ago: a clock that is 10 minutes behind must not matter. */
export const BACKDATE_MS = 15 * MINUTE;
/** An authority is replaced by rotation, long before. */
const AUTHORITY_LIFE_MS = 10 * 365 * 24 * HOUR;

/** A record with the keys opened that this process signs with. */
export interface OpenedCa {
  readonly record: CaRecord;
  readonly signer: AuthorityKeys;
  /** All that are trusted, the one that signs first. */
  readonly authorities: readonly X509Certificate[];
  /** Of the same, in the same order. */
  readonly pins: readonly [string, ...string[]];
  /**
   * PEM: what the server shows after its own certificate, so that whoever trusts or has the pin of any of them
   * can verify it.
   */
  readonly chain: readonly string[];
}

/** @throws SealError when the key is not the one that the record was sealed with */
export function openCa(record: CaRecord, sealingKey: Uint8Array): OpenedCa {
  const [first, ...others] = trustedAuthorities(record);
  const { cluster } = record;
  // All of them: a key that does not fit is to be found before the next step, not after it.
  for (const other of others) openAuthority(cluster, other, sealingKey);
  const certificates = [first, ...others].map(({ certificate }) => new X509Certificate(certificate));
  const [cross, old] = record.phase === 'signing' ? [[record.cross], [record.old.certificate]] : [[], []];
  return {
    record,
    signer: openAuthority(cluster, first, sealingKey),
    authorities: certificates,
    pins: [pinOf(first), ...others.map(pinOf)],
    // The cross certificate first: of two with the same subject, the first one that fits is taken.
    chain: [...cross, first.certificate, ...old],
  };
}

/** The record of a cluster that had no authority. */
export async function newCa(cluster: string, sealingKey: Uint8Array, now: number): Promise<StableCa> {
  const authority = sealedAuthority(cluster, await newAuthority(cluster, now), sealingKey);
  return {
    cluster,
    createdAt: now,
    phase: 'stable',
    phaseSince: now,
    generation: 1,
    bootstrap: undefined,
    authority,
  };
}

/** What a rotation begins with. */
export async function newMaterial(
  ca: OpenedCa,
  sealingKey: Uint8Array,
  now: number,
): Promise<RotationMaterial> {
  const { cluster } = ca.record;
  const keys = await newAuthority(cluster, now);
  const cross = await crossSign({ authority: ca.signer, certificate: keys.certificate });
  return { fresh: sealedAuthority(cluster, keys, sealingKey), cross };
}

function newAuthority(cluster: string, now: number): Promise<AuthorityKeys> {
  return createAuthority({ cluster, validFrom: now - BACKDATE_MS, validUntil: now + AUTHORITY_LIFE_MS });
}

function sealedAuthority(cluster: string, keys: AuthorityKeys, sealingKey: Uint8Array): StoredAuthority {
  const { certificate, privateKey } = keys;
  return { certificate, sealedKey: sealSecret(privateKey, sealingKey, sealContext(cluster, certificate)) };
}

function openAuthority(
  cluster: string,
  { certificate, sealedKey }: StoredAuthority,
  sealingKey: Uint8Array,
): AuthorityKeys {
  return { certificate, privateKey: openSecret(sealedKey, sealingKey, sealContext(cluster, certificate)) };
}

/** A key that was put beside another certificate does not open. */
function sealContext(cluster: string, certificate: string): string {
  return `ca/${cluster}/${publicKeyPin(new X509Certificate(certificate))}`;
}

function pinOf({ certificate }: StoredAuthority): string {
  return publicKeyPin(new X509Certificate(certificate));
}
