import type { PeerConnection } from '@tagplane/protocol';
import { DeadlineError, MINUTE, SECOND, deadline } from '@tagplane/runtime';
import type { Store } from '@tagplane/store';
import { StoreUnavailableError } from '@tagplane/store';
import type { Gate } from '../control/wakeup.ts';
import { countFollowers, removeFollower, writeFollower } from './follower.ts';
import type { HeldAuthority } from './held-authority.ts';

/** While a rotation is on, operators look on; six missed ones, and the process is taken for gone. */
const ROTATING = { everyMs: 5 * SECOND, ttlMs: 30 * SECOND };
/** Otherwise it is enough to know who is there: a rotation must not begin without somebody. */
const STABLE = { everyMs: MINUTE, ttlMs: 2.5 * MINUTE };
/** The store may be away when the process stops: the report then ends by itself. */
const FAREWELL_MS = SECOND;

export interface ReportOptions {
  readonly store: Store;
  readonly authId: string;
  readonly connections: () => Iterable<PeerConnection>;
  /** Opened when the authority has changed. */
  readonly changed: Gate;
}

/** Reports how far the peers of this process have followed. Runs until the signal aborts. */
export async function reportFollowing(
  held: Pick<HeldAuthority, 'ca'>,
  options: ReportOptions,
  signal: AbortSignal,
): Promise<void> {
  const { store, authId, connections, changed } = options;
  try {
    for (;;) {
      const { record, pins } = held.ca;
      const { everyMs, ttlMs } = record.phase === 'stable' ? STABLE : ROTATING;
      const present = { generation: record.generation, signer: pins[0] };
      const follower = countFollowers(authId, present, connections());
      await unlessUnavailable(writeFollower(store, follower, { ttlMs, signal }));
      await passedWithin(changed, everyMs, signal);
    }
  } finally {
    const farewell = AbortSignal.timeout(FAREWELL_MS);
    await removeFollower(store, authId, farewell).catch(() => undefined);
  }
}

/** The next report comes soon; the store's outages are its monitor's to tell of. */
async function unlessUnavailable(write: Promise<void>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
  }
}

async function passedWithin(gate: Gate, ms: number, signal: AbortSignal): Promise<void> {
  using limit = deadline(signal, ms);
  try {
    await gate.passed(limit.signal);
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
  }
}
