import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Bytes of a sealing key. */
export const SEALING_KEY_BYTES = 32;

const ALGORITHM = 'aes-256-gcm';
const FORM = 'sealed-v1';
/** What GCM is made for (NIST SP 800-38D, 8.2). */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A sealed text that this key does not open. The message holds neither. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

/**
 * Encrypts a text (AES-256-GCM, random nonce). It can be opened only with the same key and context.
 *
 * @param context what the text is and whom it belongs to, so that it cannot be taken for another one
 * @returns `sealed-v1.NONCE.CIPHERTEXT`, base64url
 */
export function sealSecret(text: string, key: Uint8Array, context: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, checkedKey(key), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(additionalData(context));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return [FORM, nonce.toString('base64url'), sealed.toString('base64url')].join('.');
}

/** @throws SealError when the key or the context is another, or the text was altered or is not sealed */
export function openSecret(sealed: string, key: Uint8Array, context: string): string {
  const [form, nonce = '', body = '', ...more] = sealed.split('.');
  const bytes = Buffer.from(body, 'base64url');
  const nonceBytes = Buffer.from(nonce, 'base64url');
  if (form !== FORM || more.length > 0 || nonceBytes.length !== NONCE_BYTES || bytes.length < TAG_BYTES) {
    throw new SealError('not a sealed text of a form known here');
  }
  const decipher = createDecipheriv(ALGORITHM, checkedKey(key), nonceBytes, { authTagLength: TAG_BYTES });
  decipher.setAAD(additionalData(context));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return decipher.update(bytes.subarray(0, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  } catch (error) {
    throw new SealError('the key is not the one it was sealed with, or it was altered', { cause: error });
  }
}

function additionalData(context: string): Buffer {
  return Buffer.from(`${FORM}\n${context}`);
}

function checkedKey(key: Uint8Array): Uint8Array {
  if (key.length !== SEALING_KEY_BYTES) throw new RangeError(`a sealing key has ${SEALING_KEY_BYTES} bytes`);
  return key;
}
