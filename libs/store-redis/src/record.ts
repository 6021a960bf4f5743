import type { Entry, Expected, Found, Guard } from '@tagplane/store';

/**
 * A value key's text: a header of 32 characters, then the item's value. The header is one letter, the
 * revision in 16 digits and the expiry in 15 (zero: never). A tombstone has no value. The scripts write it;
 * fixed widths let both sides cut it without searching.
 */
const REVISION_AT = 1;
const EXPIRY_AT = 17;
const VALUE_AT = 32;

/** The item that a value key holds, or undefined when it is not live; `text` is null for no such key. */
export function parseEntry(key: string, text: string | null): Entry | undefined {
  if (text?.[0] !== 'L') return undefined;
  const expiresAt = Number(text.slice(EXPIRY_AT, VALUE_AT));
  return {
    key,
    value: text.slice(VALUE_AT),
    revision: revisionOf(text),
    expiresAt: expiresAt === 0 ? undefined : expiresAt,
  };
}

/** What a value key says of its item. */
export function parseRecord(key: string, text: string | null): Found {
  const entry = parseEntry(key, text);
  if (entry !== undefined) return { state: 'live', ...entry };
  if (text === null) return { state: 'absent', key };
  const reason = REASONS[text[0] ?? ''];
  if (reason === undefined) throw new Error('a value key has a header that this version does not know');
  return { state: 'gone', key, revision: revisionOf(text), reason };
}

const REASONS: Readonly<Record<string, 'deleted' | 'expired'>> = { D: 'deleted', X: 'expired' };

function revisionOf(text: string): number {
  return Number(text.slice(REVISION_AT, EXPIRY_AT));
}

/**
 * What a script compares a value key with: nothing (empty), that it is not live (`-`), the 16 digits of its
 * revision, or `$` and what its value ends with.
 */
export function expectation(expected: Expected | undefined): string {
  if (expected === undefined) return '';
  if ('endsWith' in expected) return `$${expected.endsWith}`;
  return 'revision' in expected ? String(expected.revision).padStart(EXPIRY_AT - REVISION_AT, '0') : '-';
}

/** What a script compares the guard's key with: that it is not live (`-`), or `^` and what its value begins with. */
export function condition(guard: Guard): string {
  return 'startsWith' in guard ? `^${guard.startsWith}` : '-';
}
