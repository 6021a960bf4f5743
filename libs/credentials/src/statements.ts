import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { sha256Hex } from '@tagplane/identity';

/** A new key (ECDSA P-256) that a certificate is to be asked for. */
export interface NewKey {
  /** PKCS#8 in PEM. A secret. */
  readonly privateKey: string;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array;
}

export function createKey(): NewKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
  };
}

/** What who joins signs with the key to be certified. */
export function joinStatement(parts: {
  readonly cluster: string;
  readonly nonce: string;
  readonly publicKey: Uint8Array;
}): string {
  return ['tagplane-join-v1', parts.cluster, parts.nonce, sha256Hex(parts.publicKey)].join('\n');
}

/** What who renews signs with the key to be certified. */
export function renewStatement(parts: { readonly id: string; readonly publicKey: Uint8Array }): string {
  return ['tagplane-renew-v1', parts.id, sha256Hex(parts.publicKey)].join('\n');
}

/**
 * ECDSA with SHA-256, in DER.
 *
 * @param privateKey PKCS#8 in PEM, which is parsed anew each time, or a key that was read once
 */
export function signStatement(statement: string | Uint8Array, privateKey: string | KeyObject): Uint8Array {
  return sign('sha256', typeof statement === 'string' ? Buffer.from(statement) : statement, privateKey);
}

/** Whether the signature is that of the holder of this key: P-256, nothing else. Never throws. */
export function provesPossession(statement: string, publicKey: Uint8Array, signature: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
    if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return false;
    return verify('sha256', Buffer.from(statement), key, signature);
  } catch {
    return false;
  }
}
