import type { CaRecord, StoredAuthority } from './ca-record.ts';
import type { Follower } from './follower.ts';

export type RotationStep = 'trust' | 'sign' | 'drop' | 'cancel';

/** What the first step needs: a new authority, and the old one's word for it. */
export interface RotationMaterial {
  readonly fresh: StoredAuthority;
  readonly cross: string;
}

/** Why this step does not lead on from this phase; undefined: it does. */
export function misplacedReason(record: CaRecord, step: RotationStep): string | undefined {
  switch (step) {
    case 'trust':
      return record.phase === 'stable' ? undefined : 'a rotation is under way already';
    case 'sign':
      if (record.phase === 'trusting') return undefined;
      return record.phase === 'stable'
        ? 'no new authority is trusted yet'
        : 'the new authority signs already';
    case 'drop':
      return record.phase === 'signing' ? undefined : 'no new authority signs yet';
    case 'cancel':
      return record.phase === 'stable' ? 'there is no rotation to cancel' : undefined;
  }
}

/** The step that leads on. */
export function forwardStep(record: CaRecord): RotationStep {
  switch (record.phase) {
    case 'stable':
      return 'trust';
    case 'trusting':
      return 'sign';
    case 'signing':
      return 'drop';
  }
}

/**
 * The record after a step; undefined where the step does not lead on, or its material is missing. `cancel`
 * goes back by one step: while the new authority signs there are certificates of it, whose holders must
 * not be thrown out.
 *
 * @param now Unix milliseconds
 */
export function nextRecord(
  record: CaRecord,
  step: RotationStep,
  now: number,
  material?: RotationMaterial,
): CaRecord | undefined {
  if (misplacedReason(record, step) !== undefined) return undefined;
  const { cluster, createdAt, bootstrap } = record;
  const facts = { cluster, createdAt, bootstrap, phaseSince: now, generation: record.generation + 1 };
  if (record.phase === 'stable') {
    return material && { ...facts, phase: 'trusting', old: record.authority, ...material };
  }
  const { old, fresh, cross } = record;
  if (step === 'sign') return { ...facts, phase: 'signing', old, fresh, cross };
  if (step === 'drop') return { ...facts, phase: 'stable', authority: fresh };
  if (record.phase === 'signing') return { ...facts, phase: 'trusting', old, fresh, cross };
  return { ...facts, phase: 'stable', authority: old };
}

/**
 * Why a step would leave somebody behind who is connected now; undefined: it would not. Only steps that
 * stop something need a look: that the old authority signs, or that one is trusted.
 */
export function blockedReason(
  record: CaRecord,
  step: RotationStep,
  followers: readonly Follower[],
): string | undefined {
  if (step === 'trust' || (step === 'cancel' && record.phase === 'signing')) return undefined;
  if (followers.length === 0) return 'no auth process has reported yet';
  const behind = followers.filter(({ generation }) => generation !== record.generation);
  if (behind.length > 0) {
    return `not followed yet by auth ${behind.map(({ authId }) => authId).join(', ')}`;
  }
  const [peers, trusting, renewed] = [
    sum(followers, 'peers'),
    sum(followers, 'trusting'),
    sum(followers, 'renewed'),
  ];
  if (trusting < peers)
    return `${peers - trusting} of ${peers} peers do not hold the present trust bundle yet`;
  if (step !== 'sign' && renewed < peers) {
    return `${peers - renewed} of ${peers} peers still have a certificate of the other authority`;
  }
  return undefined;
}

/**
 * Whether a process that holds one record goes on with it when it finds another one in the store. A store
 * that lost its last writes, or all of them and was given a new authority meanwhile, is corrected: the
 * older authority is the one that the cluster's members trust, and a generation never goes back.
 */
export function outlasts(held: CaRecord, found: CaRecord): boolean {
  if (held.cluster !== found.cluster) return false;
  if (held.createdAt !== found.createdAt) return held.createdAt < found.createdAt;
  return held.generation > found.generation;
}

function sum(followers: readonly Follower[], what: 'peers' | 'trusting' | 'renewed'): number {
  return followers.reduce((total, follower) => total + follower[what], 0);
}
