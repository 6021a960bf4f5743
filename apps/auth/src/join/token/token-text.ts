import { createHash, randomBytes } from 'node:crypto';

/** A join token: its id may be known, its secret is known to whoever is to join. */
export interface TokenParts {
  readonly id: string;
  readonly secret: string;
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
/** 16 × 5 = 80 bits: no two tokens meet. */
const ID_LENGTH = 16;
const SECRET_BYTES = 32;
const TOKEN = /^tpt_([a-z2-7]{16})_([A-Za-z0-9_-]{43})$/;

const TOKEN_ID = /^[a-z2-7]{16}$/;

export function isTokenId(text: string): boolean {
  return TOKEN_ID.test(text);
}

export function newToken(): TokenParts {
  const id = Array.from(randomBytes(ID_LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
  return { id, secret: randomBytes(SECRET_BYTES).toString('base64url') };
}

/** `tpt_ID_SECRET`. */
export function formatToken({ id, secret }: TokenParts): string {
  return `tpt_${id}_${secret}`;
}

/** Undefined for text that is no token. */
export function parseToken(text: string): TokenParts | undefined {
  const [, id, secret] = TOKEN.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** What is kept of a secret; 32 random bytes need no salt and no slow hash. */
export function secretHash(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
