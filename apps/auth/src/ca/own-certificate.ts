import { X509Certificate, createPrivateKey, hkdfSync } from 'node:crypto';
import { createKey } from '@tagplane/credentials';
import type { ServerCredentials } from '@tagplane/protocol';
import { HOUR, jittered } from '@tagplane/runtime';
import { issueFrom } from './issue-from.ts';
import type { OpenedCa } from './opened-ca.ts';

/** What this auth process proves itself with; it is in memory only. */
export interface OwnCertificate {
  readonly privateKey: string;
  /** PEM: its own, then those that lead to an authority. */
  readonly certificates: readonly string[];
  /** Unix milliseconds. */
  readonly validUntil: number;
  readonly renewAt: number;
}

/** At two thirds of its life; spread, so that replicas which started together do not renew together. */
const RENEW_AT = 2 / 3;
const RENEW_JITTER = 0.05;

const DAY = 24 * HOUR;
/** As node:tls wants them: 16 of name, 16 for authentication, 16 for encryption. */
const TICKET_KEY_BYTES = 48;

export async function makeOwnCertificate(
  ca: OpenedCa,
  authId: string,
  { now, ttlMs }: { readonly now: number; readonly ttlMs: number },
): Promise<OwnCertificate> {
  const { privateKey, publicKey } = createKey();
  const subject = { role: 'auth', name: authId, instance: undefined, publicKey } as const;
  const { issued, identity } = await issueFrom(ca, subject, { now, ttlMs });
  const lifeMs = identity.validUntil - now;
  return {
    privateKey,
    certificates: [...issued.certificates.map((der) => new X509Certificate(der).toString()), ...ca.chain],
    validUntil: identity.validUntil,
    renewAt: now + jittered(lifeMs * RENEW_AT, RENEW_JITTER),
  };
}

export function serverCredentials(ca: OpenedCa, own: OwnCertificate, now: number): ServerCredentials {
  return {
    privateKey: own.privateKey,
    certificates: own.certificates,
    authorities: ca.authorities.map((authority) => authority.toString()),
    ticketKeys: ticketKeys(ca.signer.privateKey, now),
  };
}

/**
 * Keys of TLS session tickets: the same for all who have the authority's key, and others every day (UTC),
 * so that one which leaks opens a day of sessions at most.
 */
export function ticketKeys(privateKey: string, now: number): Uint8Array {
  const secret = createPrivateKey(privateKey).export({ type: 'pkcs8', format: 'der' });
  const purpose = `tagplane-session-tickets-v1 ${dayOf(now)}`;
  return new Uint8Array(hkdfSync('sha256', secret, '', purpose, TICKET_KEY_BYTES));
}

/** Milliseconds until the ticket keys change. */
export function untilNextDay(now: number): number {
  return (dayOf(now) + 1) * DAY - now;
}

function dayOf(now: number): number {
  return Math.floor(now / DAY);
}
