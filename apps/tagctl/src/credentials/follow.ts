import type { Transport } from '@connectrpc/connect';
import { fetchTrust, renewCredentials } from '@tagplane/protocol';
import { SECOND, errorMessage, sleep } from '@tagplane/runtime';
import { visible } from '../format/escape.ts';
import type { TagctlIo } from '../io.ts';
import { credentialsAge, oldInMs } from './age.ts';
import type { CredentialStore } from './credential-store.ts';

/** Renewal and trust take milliseconds; a command does not wait longer for them. */
const RENEWAL_MS = 5 * SECOND;
const LAST_ROUND_MS = 2 * SECOND;
/** As often as the services ask, and when it is time to renew; also then not without a pause. */
const EVERY_MS = 30 * SECOND;
const LEAST_MS = SECOND;

/** The credentials of a command, on its connection. */
export interface Follower {
  readonly store: CredentialStore;
  readonly transport: Transport;
  readonly io: TagctlIo;
}

/** Renews before a command what is old. A failure is no more than a warning: they are still good. */
export async function renewIfOld(follower: Follower): Promise<void> {
  const { store, io } = follower;
  if (credentialsAge(store.current(), io.now()) !== 'old') return;
  try {
    await renew(follower, AbortSignal.any([io.signal, AbortSignal.timeout(RENEWAL_MS)]));
  } catch (error) {
    if (io.signal.aborted) throw error;
    await warn(io, `the credentials could not be renewed: ${errorMessage(error)}`);
  }
}

/** Takes up which authorities to trust, and a new certificate when the own one's is on its way out. */
export async function followTrust(follower: Follower, signal: AbortSignal): Promise<void> {
  const { store, transport, io } = follower;
  const held = store.current();
  const { trust, renew: asked } = await fetchTrust(transport, held.trust, { signal });
  // Not what was held when it was asked for: there may be a new certificate since.
  const now = store.current();
  if (trust.generation > now.trust.generation) await store.replace({ ...now, trust });
  if (asked || credentialsAge(store.current(), io.now()) === 'old') await renew(follower, signal);
}

async function renew({ store, transport, io }: Follower, signal: AbortSignal): Promise<void> {
  const renewed = await renewCredentials(transport, store.current(), { signal });
  try {
    await store.replace(renewed);
  } catch (error) {
    await warn(io, `the renewed credentials could not be kept: ${errorMessage(error)}`);
  }
}

/**
 * Follows at once, and again and again while a long command runs. When the command is done, the round
 * under way is waited for, for a short time: a command that is over in a blink follows too.
 */
export async function whileFollowing<Result>(
  follower: Follower,
  body: () => Promise<Result>,
): Promise<Result> {
  const stop = new AbortController();
  const first = follow(follower, stop.signal);
  const rounds = first.then(() => keepFollowing(follower, stop.signal));
  try {
    const result = await body();
    await Promise.race([first, sleep(LAST_ROUND_MS, stop.signal).catch(() => undefined)]);
    return result;
  } finally {
    stop.abort();
    await rounds;
  }
}

async function keepFollowing(follower: Follower, signal: AbortSignal): Promise<void> {
  try {
    for (;;) {
      const old = oldInMs(follower.store.current(), follower.io.now());
      await sleep(Math.min(EVERY_MS, Math.max(LEAST_MS, old)), signal);
      await follow(follower, signal);
    }
  } catch {
    // The command is done.
  }
}

/** What goes wrong here goes wrong for the command too, and that says so; the next round may do better. */
async function follow(follower: Follower, signal: AbortSignal): Promise<void> {
  await followTrust(follower, signal).catch(() => undefined);
}

async function warn(io: TagctlIo, message: string): Promise<void> {
  await io.stderr.write(`tagctl: warning: ${visible(message)}\n`);
}
