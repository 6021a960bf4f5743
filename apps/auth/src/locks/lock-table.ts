import type { CertificateIdentity } from '@tagplane/identity';
import { MINUTE } from '@tagplane/runtime';
import { lockIdsOf } from './lock.ts';
import type { Lock } from './lock.ts';

/**
 * A lock ends when the store says so. Its own time counts only so much later, for when the store is away:
 * the two clocks may differ.
 */
const EXPIRY_SLACK_MS = MINUTE;

/** The locks that this process knows, by id. */
export class LockTable {
  readonly #locks = new Map<string, Lock>();

  get size(): number {
    return this.#locks.size;
  }

  values(): readonly Lock[] {
    return [...this.#locks.values()];
  }

  get(id: string): Lock | undefined {
    return this.#locks.get(id);
  }

  set(lock: Lock): void {
    this.#locks.set(lock.id, lock);
  }

  delete(id: string): boolean {
    return this.#locks.delete(id);
  }

  /** The lock that locks this identity at this time (Unix milliseconds). */
  find(identity: Pick<CertificateIdentity, 'id' | 'peer'>, now: number): Lock | undefined {
    if (this.#locks.size === 0) return undefined;
    for (const id of lockIdsOf(identity)) {
      const lock = this.#locks.get(id);
      if (lock !== undefined && !isOver(lock, now)) return lock;
    }
    return undefined;
  }

  /** Forgets those whose time is over by far. */
  sweep(now: number): void {
    for (const lock of this.#locks.values()) if (isOver(lock, now)) this.#locks.delete(lock.id);
  }
}

function isOver({ expiresAt }: Lock, now: number): boolean {
  return expiresAt !== undefined && now >= expiresAt + EXPIRY_SLACK_MS;
}
