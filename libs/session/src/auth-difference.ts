import { NAMESPACES } from '@tagplane/labels';
import { earliestExpiry, equalSpans } from './lifetimes.ts';
import type { LabelsVersion } from './lifetimes.ts';
import type { AuthSessionState, Held, HeldClaim, UpdateKind } from './auth-session-state.ts';

/** What must be sent so that an agent which holds one thing has the wanted one. */
export function difference(
  held: Held,
  wanted: LabelsVersion,
  now: number,
  toleranceMs: number,
): UpdateKind | 'nothing' {
  if (held.known === 'not') return 'replace';
  const revision = held.known === 'exactly' ? held.version.revision : held.revision;
  if (revision !== wanted.revision) return 'replace';
  // The agent's word does not say whether what it imported counts: once told, it is known.
  const cleared = held.known === 'exactly' && held.version.cleared === true;
  if (cleared !== (wanted.cleared === true)) return 'replace';
  const expiry = earliestExpiry(wanted.spans);
  // A lifetime that is over renews nothing: without a newer word the agent's own clock decides.
  if (revision === '' || (expiry !== undefined && expiry <= now)) return 'nothing';
  if (held.known === 'exactly') return equalSpans(held.version.spans, wanted.spans) ? 'nothing' : 'renew';
  // The agent names only the first of its ends, so with two namespaces it may be right by chance.
  const several = NAMESPACES.every((namespace) => wanted.spans[namespace] !== undefined);
  return !several && near(held.expiresAt, expiry, toleranceMs) ? 'nothing' : 'renew';
}

/** The agent's word as knowledge. */
export function heldByWord(claim: HeldClaim, now: number): Held {
  const expiresAt = claim.remainingMs === undefined ? undefined : now + claim.remainingMs;
  return { known: 'by-word', revision: claim.revision, expiresAt };
}

/** Whether the agent's word is what it acknowledged. */
export function confirms(
  claim: HeldClaim,
  version: LabelsVersion,
  now: number,
  toleranceMs: number,
): boolean {
  if (claim.revision !== version.revision) return false;
  if (claim.revision === '') return true;
  const expiresAt = claim.remainingMs === undefined ? undefined : now + claim.remainingMs;
  return near(expiresAt, earliestExpiry(version.spans), toleranceMs);
}

function near(a: number | undefined, b: number | undefined, toleranceMs: number): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Math.abs(a - b) <= toleranceMs;
}

/** What the agent is known, or says, to hold. */
export interface Holds {
  /** Undefined: uncertain. */
  readonly revision: string | undefined;
  /**
   * It says that this never ends. Then none of it is from discovery, whose labels always do: it is what
   * operators assigned.
   */
  readonly endless: boolean;
}

export function holdsNow({ sync }: AuthSessionState): Holds {
  switch (sync.phase) {
    case 'synced':
      return { revision: sync.version.revision, endless: false };
    case 'admitting':
    case 'undecided':
    case 'backing-off':
      return holdsBy(sync.held);
    case 'awaiting-hello':
    case 'awaiting-ack':
    case 'overdue':
    case 'closed':
      return UNCERTAIN;
  }
}

const UNCERTAIN: Holds = { revision: undefined, endless: false };

function holdsBy(held: Held): Holds {
  if (held.known === 'not') return UNCERTAIN;
  if (held.known === 'exactly') return { revision: held.version.revision, endless: false };
  return { revision: held.revision, endless: held.revision !== '' && held.expiresAt === undefined };
}
