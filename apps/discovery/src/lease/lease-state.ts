import { MINUTE, SECOND } from '@tagplane/runtime';

/** Without another word for this long the lease goes to whoever asks: the bound on a standby's wait. */
export const LEASE_TTL_MS = 20 * SECOND;
/** How often it is renewed, and asked for: 20 s and 5 s leave a takeover 5 s of its 30 for the start. */
export const ASK_EVERY_MS = 5 * SECOND;
/** A term ends this long before its lease would: longer than two clocks drift apart within 20 s. */
export const MARGIN_MS = 5 * SECOND;
/** The most that one question may take; after a failure there is time for two more before the end. */
export const ASK_TIMEOUT_MS = 3 * SECOND;
const RETRY_MS = SECOND;
/** A lease that runs out is asked for right then, but never in a tight circle. */
const AFTER_END_MS = 100;
const LEAST_PAUSE_MS = 500;
/** How soon an auth service that has learned of leases is noticed. */
const ALONE_POLL_MS = 15 * SECOND;
/** While auth processes are being replaced, one that knows no leases says nothing of the others. */
const DOWNGRADE_MS = MINUTE;

/** When to ask next; `asked` while a question is under way. There is never more than one. */
type Asking = number | 'asked';

/** A replica's part in its group. All times are of a monotonic clock, in milliseconds. */
export type Lease =
  | {
      readonly phase: 'standby';
      readonly asking: Asking;
      /** The replica that has the lease; undefined while nobody is known to. */
      readonly leader: string | undefined;
      /** Why the last question had no answer. */
      readonly problem: string | undefined;
      /** When an auth service last spoke of a lease. */
      readonly heardAt: number | undefined;
    }
  | {
      readonly phase: 'leading';
      readonly asking: Asking;
      readonly token: bigint;
      /** When the lease runs out, as if it had been renewed when that was asked for. */
      readonly until: number;
      readonly problem: string | undefined;
    }
  /** The auth service knows no leases: as if there were no other replica. */
  | { readonly phase: 'alone'; readonly asking: Asking }
  /** The term has been told to end. `token` is given back when it has. */
  | {
      readonly phase: 'ending';
      readonly asking: Asking;
      readonly token: bigint | undefined;
      readonly then: 'standby' | 'leave';
    }
  /** The answer that is under way may still make this replica the holder. */
  | { readonly phase: 'leaving'; readonly token: bigint | undefined }
  | { readonly phase: 'releasing' }
  | { readonly phase: 'over' };

/** Why a term ends before its time. */
export type LossReason =
  /** The auth service refused a write for its fence. */
  | 'refused'
  /** It could not be renewed in time. */
  | 'overdue'
  /** Another replica has it. */
  | 'taken'
  /** It is this replica's, but anew: whoever had it in between has been here. */
  | 'renumbered'
  /** An auth service that knew no leases does now. */
  | 'leases-known';

export type LeaseEvent =
  | { readonly type: 'due' }
  | { readonly type: 'held'; readonly token: bigint; readonly askedAt: number; readonly remainingMs: number }
  | { readonly type: 'others'; readonly holder: string; readonly remainingMs: number }
  /** The auth service knows no leases. */
  | { readonly type: 'unknown' }
  | { readonly type: 'failed'; readonly problem: string }
  /** Seen at a write. */
  | { readonly type: 'void'; readonly reason: 'refused' | 'overdue' }
  | { readonly type: 'term-ended' }
  | { readonly type: 'released' }
  | { readonly type: 'stop' };

export type LeaseEffect =
  /** Asks, and answers with held, others, unknown or failed. */
  | { readonly do: 'ask'; readonly token: bigint }
  /** Gives up the question under way soon. */
  | { readonly do: 'hurry' }
  /** Begins a term; without a token under no lease. Says term-ended when it has ended. */
  | { readonly do: 'begin'; readonly token: bigint | undefined }
  | { readonly do: 'end'; readonly reason: LossReason | 'stopped' }
  /** Gives the lease back, and says released, whatever came of it. */
  | { readonly do: 'release'; readonly token: bigint };

export interface Step {
  readonly lease: Lease;
  readonly effects: readonly LeaseEffect[];
}

/** Of a replica that has just started: it asks at once. */
export function firstLease(now: number): Lease {
  return { phase: 'standby', asking: now, leader: undefined, problem: undefined, heardAt: undefined };
}

/** When `due` is to be said, if nothing else happens; undefined: never. */
export function dueAt(lease: Lease): number | undefined {
  if (!('asking' in lease) || lease.phase === 'ending') return undefined;
  const asking = lease.asking === 'asked' ? Infinity : lease.asking;
  const due = lease.phase === 'leading' ? Math.min(asking, lease.until - MARGIN_MS) : asking;
  return due === Infinity ? undefined : due;
}

/** Whether the lease is this replica's, with this token, and may be written under. */
export function isUsable(lease: Lease, token: bigint, now: number): boolean {
  return lease.phase === 'leading' && lease.token === token && now < lease.until - MARGIN_MS;
}

export function next(lease: Lease, event: LeaseEvent, now: number): Step {
  switch (event.type) {
    case 'due':
      return onDue(lease, now);
    case 'void':
      return lease.phase === 'leading' ? lose(lease, event.reason) : stay(lease);
    case 'term-ended':
      return onEnded(lease, now);
    case 'released':
      return stay({ phase: 'over' });
    case 'stop':
      return onStop(lease);
    default:
      return onAnswer(lease, event, now);
  }
}

type Answer = Extract<LeaseEvent, { type: 'held' | 'others' | 'unknown' | 'failed' }>;

function stay(lease: Lease): Step {
  return { lease, effects: [] };
}

function lose(lease: Extract<Lease, { asking: Asking }>, reason: LossReason): Step {
  return {
    lease: { phase: 'ending', asking: lease.asking, token: undefined, then: 'standby' },
    effects: [{ do: 'end', reason }],
  };
}

function onDue(lease: Lease, now: number): Step {
  if (!('asking' in lease) || lease.phase === 'ending') return stay(lease);
  if (lease.phase === 'leading' && now >= lease.until - MARGIN_MS) return lose(lease, 'overdue');
  if (lease.asking === 'asked' || lease.asking > now) return stay(lease);
  const token = lease.phase === 'leading' ? lease.token : 0n;
  return { lease: { ...lease, asking: 'asked' }, effects: [{ do: 'ask', token }] };
}

function onEnded(lease: Lease, now: number): Step {
  switch (lease.phase) {
    case 'ending': {
      if (lease.then === 'leave') return leave(lease);
      const asking = lease.asking === 'asked' ? lease.asking : now;
      return stay({ phase: 'standby', asking, leader: undefined, problem: undefined, heardAt: now });
    }
    // A term that ends by itself has no more to do, or has failed: both end the process.
    case 'leading':
      return leave(lease);
    case 'alone':
      return leave({ asking: lease.asking, token: undefined });
    default:
      return stay(lease);
  }
}

function onStop(lease: Lease): Step {
  switch (lease.phase) {
    case 'standby':
      return leave({ asking: lease.asking, token: undefined });
    case 'leading':
    case 'alone': {
      const token = lease.phase === 'leading' ? lease.token : undefined;
      return {
        lease: { phase: 'ending', asking: lease.asking, token, then: 'leave' },
        effects: [{ do: 'end', reason: 'stopped' }],
      };
    }
    case 'ending':
      return stay({ ...lease, then: 'leave' });
    default:
      return stay(lease);
  }
}

/** No question is left behind: its answer could take the lease for a process that is gone. */
function leave({ asking, token }: { asking: Asking; token: bigint | undefined }): Step {
  if (asking === 'asked') return { lease: { phase: 'leaving', token }, effects: [{ do: 'hurry' }] };
  return release(token);
}

function release(token: bigint | undefined): Step {
  if (token === undefined) return stay({ phase: 'over' });
  return { lease: { phase: 'releasing' }, effects: [{ do: 'release', token }] };
}

function onAnswer(lease: Lease, answer: Answer, now: number): Step {
  switch (lease.phase) {
    case 'standby':
      return onAnswerToStandby(lease, answer, now);
    case 'leading':
      return onAnswerToLeader(lease, answer, now);
    case 'alone':
      if (answer.type === 'held' || answer.type === 'others') {
        return lose({ ...lease, asking: now }, 'leases-known');
      }
      return stay({ ...lease, asking: now + ALONE_POLL_MS });
    case 'ending':
      return stay({ ...lease, asking: now });
    case 'leaving':
      return release(answer.type === 'held' ? answer.token : lease.token);
    default:
      return stay(lease);
  }
}

function onAnswerToStandby(lease: Lease & { phase: 'standby' }, answer: Answer, now: number): Step {
  switch (answer.type) {
    case 'held': {
      const held = leading(answer, now);
      // An answer that was long in coming is not worth a term.
      if (now >= held.until - MARGIN_MS) return stay({ ...lease, asking: now, heardAt: now });
      return { lease: held, effects: [{ do: 'begin', token: answer.token }] };
    }
    case 'others': {
      const pause = Math.max(LEAST_PAUSE_MS, Math.min(ASK_EVERY_MS, answer.remainingMs + AFTER_END_MS));
      const { holder: leader } = answer;
      return stay({ phase: 'standby', asking: now + pause, leader, problem: undefined, heardAt: now });
    }
    case 'unknown': {
      if (lease.heardAt === undefined || now - lease.heardAt >= DOWNGRADE_MS) {
        const alone: Lease = { phase: 'alone', asking: now + ALONE_POLL_MS };
        return { lease: alone, effects: [{ do: 'begin', token: undefined }] };
      }
      const problem = 'the auth service that answered knows no leases';
      return stay({ ...lease, asking: now + RETRY_MS, problem });
    }
    case 'failed':
      return stay({ ...lease, asking: now + RETRY_MS, problem: answer.problem });
  }
}

function onAnswerToLeader(lease: Lease & { phase: 'leading' }, answer: Answer, now: number): Step {
  switch (answer.type) {
    case 'held':
      if (answer.token !== lease.token) return lose({ ...lease, asking: now }, 'renumbered');
      return stay(leading(answer, now));
    case 'others':
      return lose({ ...lease, asking: now }, 'taken');
    case 'unknown':
      return stay({ ...lease, asking: now + RETRY_MS, problem: 'the auth service knows no leases' });
    case 'failed':
      return stay({ ...lease, asking: now + RETRY_MS, problem: answer.problem });
  }
}

function leading(
  { token, askedAt, remainingMs }: Answer & { type: 'held' },
  now: number,
): Lease & { phase: 'leading' } {
  const until = askedAt + Math.min(LEASE_TTL_MS, remainingMs);
  const asking = Math.max(now + LEAST_PAUSE_MS, askedAt + ASK_EVERY_MS);
  return { phase: 'leading', asking, token, until, problem: undefined };
}
