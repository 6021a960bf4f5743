import type { Entry } from '@tagplane/store';
import { z } from 'zod';
import { parsed } from './parsed.ts';

/**
 * Leases are kept among the ServerInfos, so that a write of these and the lease that it is made under are one
 * step in either store. Whoever reads ServerInfos asks for the prefixes of those.
 */
export const LEASE_PREFIX = 'lease/';
/** The last attempt to take a group's lease: its revision is the token of the lease that comes of it. */
export const TERM_PREFIX = 'term/';

/** One replica's right to speak for its group. */
export interface Lease {
  readonly group: string;
  /** Rises with every change of the holder. */
  readonly token: number;
  /** Who holds it, as `discovery/NAME`. */
  readonly identity: string;
  /** The process that holds it. */
  readonly replica: string;
  /** Unix milliseconds by the store's clock. */
  readonly expiresAt: number;
  readonly revision: number;
}

const stored = z.tuple([z.literal(1), z.int().min(1), z.string(), z.string()]);

export function leaseKey(group: string): string {
  return LEASE_PREFIX + group;
}

export function termKey(group: string): string {
  return TERM_PREFIX + group;
}

/** `[1, token, identity, replica]`: the same text for as long as the lease lives. */
export function encodeLease({
  token,
  identity,
  replica,
}: Pick<Lease, 'token' | 'identity' | 'replica'>): string {
  return JSON.stringify([1, token, identity, replica]);
}

/** What the value of a lease of this token and holder begins with, and that of no other. */
export function leaseBeginning(token: bigint, identity: string): string {
  return `[1,${token},${JSON.stringify(identity)},`;
}

/** Undefined for one of a version that is not known here. */
export function decodeLease({ key, value, revision, expiresAt }: Entry): Lease | undefined {
  const result = stored.safeParse(parsed(value));
  if (!result.success || expiresAt === undefined) return undefined;
  const [, token, identity, replica] = result.data;
  return { group: key.slice(LEASE_PREFIX.length), token, identity, replica, expiresAt, revision };
}
