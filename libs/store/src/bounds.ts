import type { Delete, Expected, Guard, Put, Range } from './store.ts';

/** Items of one call. */
export const MAX_ITEMS = 1_000;
export const MAX_KEY_BYTES = 1_024;
/** 1 MiB. */
export const MAX_VALUE_BYTES = 1_024 * 1_024;
/** 100 years of 365 days: 100 × 365 × 86,400,000 ms; leaves sums with a clock exact. */
export const MAX_TTL_MS = 3_153_600_000_000;

const KIND = /^[a-z][a-z0-9-]{0,31}$/;

/** The checks below throw a RangeError that says which bound was broken; none repeats a value. */
export function checkKind(kind: string): void {
  if (!KIND.test(kind)) throw new RangeError(`a kind is 1 to 32 of a-z, 0-9 and -, from a letter: ${kind}`);
}

export function checkPuts(items: readonly Put[]): void {
  checkNumberOfItems(items.length);
  for (const { key, value, ttlMs, expected } of items) {
    checkKey(key);
    checkText('value', value, MAX_VALUE_BYTES);
    if (ttlMs !== undefined) checkInteger('ttlMs', ttlMs, 1, MAX_TTL_MS);
    checkExpected(expected);
  }
}

export function checkDeletes(items: readonly Delete[]): void {
  checkNumberOfItems(items.length);
  for (const { key, expected } of items) {
    checkKey(key);
    checkExpected(expected);
  }
}

export function checkGuard(guard: Guard | undefined): void {
  if (guard === undefined) return;
  checkKey(guard.key);
  if ('startsWith' in guard) checkText('startsWith', guard.startsWith, MAX_VALUE_BYTES);
}

export function checkKeys(keys: readonly string[]): void {
  checkNumberOfItems(keys.length);
  for (const key of keys) checkKey(key);
}

export function checkRange({ prefix, after, limit }: Range): void {
  checkPrefix(prefix);
  if (after !== undefined) checkText('after', after, MAX_KEY_BYTES);
  checkInteger('limit', limit, 1, MAX_ITEMS);
}

export function checkPrefix(prefix: string): void {
  checkText('prefix', prefix, MAX_KEY_BYTES);
}

/** Of an item, or of a position in the feed. */
export function checkRevision(revision: number): void {
  checkInteger('revision', revision, 0, Number.MAX_SAFE_INTEGER);
}

function checkExpected(expected: Expected | undefined): void {
  if (expected === undefined) return;
  if ('revision' in expected) checkRevision(expected.revision);
  else if ('endsWith' in expected) checkText('endsWith', expected.endsWith, MAX_VALUE_BYTES);
}

function checkKey(key: string): void {
  if (key === '') throw new RangeError('key is empty');
  checkText('key', key, MAX_KEY_BYTES);
}

function checkNumberOfItems(length: number): void {
  if (length > MAX_ITEMS) throw new RangeError(`${length} items in one call, more than ${MAX_ITEMS}`);
}

function checkText(what: string, text: string, maxBytes: number): void {
  if (!text.isWellFormed()) throw new RangeError(`${what} is not well-formed text`);
  // No UTF-16 unit takes more than three bytes: most text is known to fit by its length alone.
  if (text.length * 3 <= maxBytes) return;
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) throw new RangeError(`${what} of ${bytes} bytes is longer than ${maxBytes}`);
}

function checkInteger(what: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${what} must be a whole number from ${min} to ${max}, not ${value}`);
  }
}
