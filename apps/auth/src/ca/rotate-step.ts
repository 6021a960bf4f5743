import type { Store } from '@tagplane/store';
import type { CaRecord } from './ca-record.ts';
import { writeCa } from './ca-store.ts';
import type { Follower } from './follower.ts';
import { readFollowers } from './follower.ts';
import type { HeldAuthority } from './held-authority.ts';
import { newMaterial } from './opened-ca.ts';
import type { RotationStep } from './rotation.ts';
import { blockedReason, forwardStep, misplacedReason, nextRecord } from './rotation.ts';

/** Where the authority of the cluster stands. */
export interface CaStatus {
  readonly record: CaRecord;
  readonly followers: readonly Follower[];
  /** Unix milliseconds; undefined when no authority is on its way out. */
  readonly oldCertificatesUntil: number | undefined;
  /** Why the step that leads on would be refused now. */
  readonly blocked: string | undefined;
}

/** `misplaced`: not in this phase; `blocked`: somebody does not follow yet; `conflict`: another step came first. */
export type Rotated =
  | { readonly ok: true; readonly status: CaStatus }
  | { readonly ok: false; readonly why: 'misplaced' | 'blocked' | 'conflict'; readonly problem: string };

export interface RotateOptions {
  readonly store: Store;
  readonly sealingKey: Uint8Array;
  readonly certificateTtlMs: number;
  readonly now: () => number;
}

/** @throws StoreUnavailableError */
export async function caStatus(
  held: HeldAuthority,
  { store, certificateTtlMs }: Pick<RotateOptions, 'store' | 'certificateTtlMs'>,
  signal: AbortSignal,
): Promise<CaStatus> {
  await held.refresh(signal);
  const { record } = held.ca;
  const followers = await readFollowers(store, signal);
  return {
    record,
    followers,
    // The last one was made when the new authority took over.
    oldCertificatesUntil: record.phase === 'signing' ? record.phaseSince + certificateTtlMs : undefined,
    blocked: blockedReason(record, forwardStep(record), followers),
  };
}

/**
 * Takes one step if it is in place and, unless forced, leaves nobody behind.
 *
 * @throws StoreUnavailableError
 */
export async function rotateStep(
  held: HeldAuthority,
  options: RotateOptions,
  step: RotationStep,
  force: boolean,
  signal: AbortSignal,
): Promise<Rotated> {
  const { store, sealingKey, now } = options;
  await held.refresh(signal);
  const { ca, revision } = held;
  const misplaced = misplacedReason(ca.record, step);
  if (misplaced !== undefined) return { ok: false, why: 'misplaced', problem: misplaced };
  if (!force) {
    const blocked = blockedReason(ca.record, step, await readFollowers(store, signal));
    if (blocked !== undefined) return { ok: false, why: 'blocked', problem: blocked };
  }
  const material = step === 'trust' ? await newMaterial(ca, sealingKey, now()) : undefined;
  const record = nextRecord(ca.record, step, now(), material);
  const written = record && (await writeCa(store, record, { revision }, signal));
  if (record === undefined || written === undefined) {
    return { ok: false, why: 'conflict', problem: 'another step was taken at the same time' };
  }
  await held.adopt({ record, revision: written });
  return { ok: true, status: await caStatus(held, options, signal) };
}
