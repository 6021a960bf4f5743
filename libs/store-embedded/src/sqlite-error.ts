// SQLITE_BUSY, sqlite.org/rescode.html: another connection holds the lock.
const BUSY = 5;

/** Whether another process holds the file's lock. Extended codes keep the primary one in their low byte. */
export function isBusy(error: unknown): boolean {
  return hasKey(error, 'errcode') && (Number(error.errcode) & 0xff) === BUSY;
}

/** The error's message. Errors of Node's own modules may be of another realm: `instanceof` misses them. */
export function reasonOf(error: unknown): string {
  return hasKey(error, 'message') ? String(error.message) : String(error);
}

function hasKey<Key extends string>(error: unknown, key: Key): error is Record<Key, unknown> {
  return typeof error === 'object' && error !== null && key in error;
}
