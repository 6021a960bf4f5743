import { Code, ConnectError } from '@connectrpc/connect';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import type { GuardService } from '@tagplane/protocol';
import type { Fences } from '../discovery/fence.ts';
import type { Guard } from '../guard/guard.ts';
import type { Hold } from '../guard/hold.ts';
import { callerOf } from './caller.ts';
import { holdMessage } from './hold-message.ts';
import { requestChange } from './request-change.ts';

export interface GuardRoutes {
  readonly guard: Guard;
  readonly fences: Fences;
  /**
   * Carries out what an operator had asked for.
   *
   * @returns what came of it, for a person
   */
  readonly carryOut: (request: string, hold: Hold, context: HandlerContext) => Promise<string>;
}

export function guardRoutes({ guard, fences, carryOut }: GuardRoutes): ServiceImpl<typeof GuardService> {
  return {
    requestChange: requestChange({ guard, fences }),
    listHolds: async (_request, { signal }) => ({ holds: (await guard.list(signal)).map(holdMessage) }),
    releaseHold: async ({ id }, context) => {
      const { hold, request } = await decide(guard, id, 'released', context);
      if (request === undefined) return { hold: holdMessage(hold) };
      const outcome = await carryOut(request, hold, context);
      return { hold: holdMessage(await guard.carriedOut(hold, outcome, context.signal)) };
    },
    dropHold: async ({ id }, context) => {
      const { hold } = await decide(guard, id, 'dropped', context);
      return { hold: holdMessage(hold) };
    },
  };
}

/** Asking for what has been decided already changes nothing; the other way round is refused. */
async function decide(
  guard: Guard,
  id: string,
  state: 'released' | 'dropped',
  context: HandlerContext,
): Promise<{ readonly hold: Hold; readonly request: string | undefined }> {
  const decided = await guard.decide(id, state, callerOf(context), context.signal);
  if (decided === undefined) throw new ConnectError('there is no such hold', Code.NotFound);
  const { hold } = decided;
  if (hold.state !== state) {
    throw new ConnectError(`it was ${hold.state} by ${hold.decidedBy} already`, Code.FailedPrecondition);
  }
  return decided;
}
