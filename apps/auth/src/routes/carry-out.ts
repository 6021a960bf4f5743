import type { HandlerContext } from '@connectrpc/connect';
import { parsePeerClaim } from '@tagplane/identity';
import { UpsertStatus } from '@tagplane/protocol';
import type { UpsertResult } from '@tagplane/protocol';
import { decodeHeldRequest } from '../guard/held-request.ts';
import type { Hold } from '../guard/hold.ts';
import { callerOf } from './caller.ts';
import { removeServerInfos } from './delete-server-infos.ts';
import type { AssignedContext } from './route-context.ts';
import { writeServerInfos } from './upsert-server-infos.ts';

const MAX_REASONS = 3;

/**
 * Carries out what an operator had asked for and another one, or the same, has released. What it meets may
 * have changed meanwhile: it is checked as if it were asked now.
 *
 * @returns what came of it, for a person
 */
export function carryOut(routes: AssignedContext) {
  return async (encoded: string, hold: Hold, context: HandlerContext): Promise<string> => {
    const request = decodeHeldRequest(encoded);
    const claim = parsePeerClaim(hold.requestedBy);
    if (request === undefined || claim === undefined) {
      return 'not carried out: it was asked of another version; ask again';
    }
    const caller = callerOf(context);
    const { signal } = context;
    if (request.kind === 'delete') {
      const removing = { names: request.names, role: claim.role, caller, requestedBy: hold.requestedBy };
      const deleted = await removeServerInfos(routes, removing, signal);
      return `${deleted.length} of ${request.names.length} were there and are removed`;
    }
    const writing = { ...request, peer: claim, caller, released: true };
    const { results } = await writeServerInfos(routes, writing, signal);
    return outcome(results);
  };
}

function outcome(results: readonly UpsertResult[]): string {
  const refused = results.filter(({ status }) => status !== UpsertStatus.ACCEPTED);
  const accepted = `${results.length - refused.length} written`;
  if (refused.length === 0) return accepted;
  const reasons = [...new Set(refused.map(({ reason }) => reason))].slice(0, MAX_REASONS);
  return `${accepted}, ${refused.length} refused: ${reasons.join('; ')}`;
}
