import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { CaStep } from '@tagplane/protocol';
import type { CaService } from '@tagplane/protocol';
import type { Audit } from '../audit/audit.ts';
import type { ClusterAuthority } from '../ca/cluster-authority.ts';
import type { Rotated } from '../ca/rotate-step.ts';
import type { RotationStep } from '../ca/rotation.ts';
import { caStatusMessage } from './ca-status-message.ts';
import { callerOf } from './caller.ts';

type RotateCa = ServiceImpl<typeof CaService>['rotateCa'];

/**
 * One step of a rotation.
 *
 * @throws ConnectError FAILED_PRECONDITION when it is not in place or somebody would be left behind, ABORTED
 *   when another step was taken at the same time
 */
export function rotateCa({
  authority,
  audit,
}: {
  readonly authority: Pick<ClusterAuthority, 'rotate'>;
  readonly audit: Audit;
}): RotateCa {
  return async ({ step: message, force }, context) => {
    const step = stepOf(message);
    const caller = callerOf(context);
    const rotated = await authority.rotate(step, { force, signal: context.signal });
    const event = { code: 'ca.rotated', ...caller };
    const details = { step, forced: String(force) };
    if (!rotated.ok) {
      audit.record({ ...event, result: 'refused', reason: rotated.problem, details });
      throw new ConnectError(rotated.problem, codeOf(rotated));
    }
    const { phase, generation } = rotated.status.record;
    audit.record({
      ...event,
      result: 'ok',
      details: { ...details, phase, generation: String(generation) },
    });
    return { status: caStatusMessage(rotated.status) };
  };
}

function codeOf({ why }: Extract<Rotated, { readonly ok: false }>): Code {
  return why === 'conflict' ? Code.Aborted : Code.FailedPrecondition;
}

function stepOf(message: CaStep): RotationStep {
  switch (message) {
    case CaStep.TRUST:
      return 'trust';
    case CaStep.SIGN:
      return 'sign';
    case CaStep.DROP:
      return 'drop';
    case CaStep.CANCEL:
      return 'cancel';
    default:
      throw new ConnectError('step: not one known here', Code.InvalidArgument);
  }
}
