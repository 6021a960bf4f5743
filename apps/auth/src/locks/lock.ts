import { instanceKeyText, parseInstanceKey, parseServerId, parseSpiffeId } from '@tagplane/identity';
import type { CertificateIdentity, InstanceKey, ServerId } from '@tagplane/identity';

/** What a lock locks. */
export type LockTarget =
  | { readonly kind: 'agent'; readonly serverId: ServerId }
  /** Every agent that proves to be this instance. */
  | { readonly kind: 'instance'; readonly instance: InstanceKey }
  /** A SPIFFE ID. */
  | { readonly kind: 'identity'; readonly id: string };

/** A lock, as it was asked for. */
export interface LockDraft {
  readonly target: LockTarget;
  /** Why, for a person; may be empty. */
  readonly message: string;
  /** Milliseconds; undefined: until it is removed. */
  readonly ttlMs: number | undefined;
  /** `role/name`. */
  readonly createdBy: string;
}

export interface Lock extends Omit<LockDraft, 'ttlMs'> {
  /** Made of the target: equal targets have equal ids. */
  readonly id: string;
  /** Unix milliseconds, as `expiresAt`. */
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
}

export const LOCK_PREFIX = 'lock/';

/** `agent:web-1`, `instance:ACCOUNT/REGION/ID` or `identity:spiffe://CLUSTER/ROLE/NAME`. */
export function lockId(target: LockTarget): string {
  switch (target.kind) {
    case 'agent':
      return `agent:${target.serverId}`;
    case 'instance':
      return `instance:${instanceKeyText(target.instance)}`;
    case 'identity':
      return `identity:${target.id}`;
  }
}

/** The ids of all locks that lock this identity, whether there are such or not. */
export function lockIdsOf({ id, peer }: Pick<CertificateIdentity, 'id' | 'peer'>): readonly string[] {
  const ids = [`identity:${id}`];
  if (peer.role === 'agent') ids.push(`agent:${peer.name}`);
  if (peer.instance !== undefined) ids.push(`instance:${instanceKeyText(peer.instance)}`);
  return ids;
}

/** The target that an id is made of; undefined for any other text. */
export function parseLockId(id: string): LockTarget | undefined {
  const at = id.indexOf(':');
  const [kind, rest] = [id.slice(0, Math.max(0, at)), id.slice(at + 1)];
  if (kind === 'agent') {
    const serverId = parseServerId(rest);
    return serverId && { kind, serverId };
  }
  if (kind === 'instance') {
    const [account = '', region = '', instance = '', ...more] = rest.split('/');
    const key = more.length > 0 ? undefined : parseInstanceKey({ account, region, instance });
    return key && { kind, instance: key };
  }
  if (kind === 'identity' && parseSpiffeId(rest) !== undefined) return { kind, id: rest };
  return undefined;
}

/** What is told to whom it locks, and to people. */
export function lockReason({ id, message }: Pick<Lock, 'id' | 'message'>): string {
  return message === '' ? `locked (${id})` : `locked (${id}): ${message}`;
}

/** First element of every value; a reader takes what a later form says differently for a lock all the same. */
const VERSION = 1;

/** The value for the store, under `lock/ID`: `[1, message, createdBy, createdAt]`. */
export function encodeLock(lock: Pick<Lock, 'message' | 'createdBy' | 'createdAt'>): string {
  return JSON.stringify([VERSION, lock.message, lock.createdBy, lock.createdAt]);
}

/**
 * The lock in an entry; undefined when its key is no lock's. What locks is the key: a value that cannot be
 * read takes nothing from it.
 */
export function decodeLock(entry: {
  readonly key: string;
  readonly value: string;
  readonly expiresAt: number | undefined;
}): Lock | undefined {
  const id = entry.key.slice(LOCK_PREFIX.length);
  const target = entry.key.startsWith(LOCK_PREFIX) ? parseLockId(id) : undefined;
  if (target === undefined) return undefined;
  const [version, message, createdBy, createdAt] = parseValue(entry.value);
  const known = version === VERSION;
  return {
    id,
    target,
    message: known && typeof message === 'string' ? message : '',
    createdBy: known && typeof createdBy === 'string' ? createdBy : '',
    createdAt: known && typeof createdAt === 'number' ? createdAt : 0,
    expiresAt: entry.expiresAt,
  };
}

function parseValue(value: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(value);
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}
