import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** The host's name, and a suffix that tells one start of the process from the next. */
export function processName(): string {
  const host = hostname()
    .replaceAll(/[^A-Za-z0-9.-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '');
  return `${host.slice(0, 50) || 'auth'}-${randomBytes(3).toString('hex')}`;
}
