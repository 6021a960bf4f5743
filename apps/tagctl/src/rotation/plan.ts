import { TagctlError } from '../errors.ts';
import { until } from '../format/ages.ts';
import type { RotationStep } from '../groups/ca.ts';
import type { CaStatusView } from '../views/ca.ts';

/** What a rotation does next. */
export type RotationMove =
  | { readonly kind: 'step'; readonly step: RotationStep }
  /** `reason` is for a person; `changes` whether it may be over any second. */
  | { readonly kind: 'wait'; readonly reason: string; readonly soon: boolean }
  | { readonly kind: 'done' };

export interface RotationOptions {
  /** Steps also when somebody does not follow. */
  readonly force: boolean;
  /** Drops the old authority also before its certificates have ended. */
  readonly dropNow: boolean;
}

/**
 * The next move of a rotation through all phases, taken up wherever it stands.
 *
 * @param begun whether this run has made a step; only then is a stable authority a rotated one
 * @param now Unix milliseconds
 * @throws TagctlError in a phase that this version does not know
 */
export function nextMove(
  status: CaStatusView,
  begun: boolean,
  options: RotationOptions,
  now: number,
): RotationMove {
  if (status.phase === 'STABLE' && begun) return { kind: 'done' };
  if (status.blocked !== null && !options.force)
    return { kind: 'wait', reason: blockedText(status), soon: true };
  switch (status.phase) {
    case 'STABLE':
      return { kind: 'step', step: 'trust' };
    case 'TRUSTING':
      return { kind: 'step', step: 'sign' };
    case 'SIGNING': {
      const end = oldCertificatesEnd(status);
      if (options.dropNow || end <= now) return { kind: 'step', step: 'drop' };
      return {
        kind: 'wait',
        reason: 'the last certificate of the old authority has not ended yet; --now does not wait for it',
        soon: false,
      };
    }
    case 'UNKNOWN':
      throw new TagctlError('the rotation is in a phase that this version of tagctl does not know');
  }
}

/** What comes next and what it waits for, for `ca status`. */
export function nextText(status: CaStatusView, now: number): string {
  const waits = status.blocked === null ? '' : ', once nothing is in the way';
  switch (status.phase) {
    case 'STABLE':
      return `nothing; 'tagctl ca rotate' replaces the authority${waits}`;
    case 'TRUSTING':
      return `sign: the new authority signs${waits}; 'tagctl ca rotate' goes on`;
    case 'SIGNING': {
      const end = oldCertificatesEnd(status);
      const ended =
        end <= now ? '' : `, when its last certificate ends ${until(status.old_certificates_until, now)}`;
      return `drop: the old authority is trusted no more${ended}${waits}; 'tagctl ca rotate' goes on`;
    }
    case 'UNKNOWN':
      return 'not known to this version of tagctl';
  }
}

/** Why the next step would be refused, and who is waited for. */
export function blockedText(status: CaStatusView): string {
  const names = status.followers.flatMap(({ waiting_for: names }) => names);
  const shown = names.slice(0, MAX_NAMES_SHOWN).join(', ');
  const more = names.length > MAX_NAMES_SHOWN ? ', …' : '';
  return `${status.blocked ?? ''}${shown === '' ? '' : ` (${shown}${more})`}`;
}

const MAX_NAMES_SHOWN = 3;

function oldCertificatesEnd(status: CaStatusView): number {
  return status.old_certificates_until === null ? 0 : Date.parse(status.old_certificates_until);
}
