import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { parseAccountId, parseRegion } from '@tagplane/identity';
import { GuardVerdict, peerOf } from '@tagplane/protocol';
import type { GuardService } from '@tagplane/protocol';
import { cleanText } from '../audit/clean-text.ts';
import { fencedWriter } from '../discovery/fence.ts';
import type { Fences } from '../discovery/fence.ts';
import type { Guard } from '../guard/guard.ts';
import { callerOf } from './caller.ts';
import { translateGuardError } from './guard-errors.ts';

type RequestChange = ServiceImpl<typeof GuardService>['requestChange'];

const MAX_NAME = 256;

/** A discovery asks whether what a scan would take away may go on. Each group of discoveries has windows of its own. */
export function requestChange({
  guard,
  fences,
}: {
  readonly guard: Guard;
  readonly fences: Fences;
}): RequestChange {
  return async (request, context) => {
    const caller = callerOf(context);
    const { origin, fence } = fencedWriter(peerOf(context), request.fence);
    const { scope, fingerprint, nodesChanged, nodesTotal } = request;
    const kind = scopeKind(scope);
    if (kind === undefined) {
      throw new ConnectError('scope: not aws/ACCOUNT/REGION, nor that and /gone', Code.InvalidArgument);
    }
    await fences.check(fence, caller, context.signal);
    const verdict = await guard
      .ask(
        {
          scope,
          fingerprint: cleanText(fingerprint, MAX_NAME),
          nodesChanged,
          nodesTotal: Math.max(nodesChanged, nodesTotal),
          samples: request.samples.map((sample) => cleanText(sample, MAX_NAME)),
          requestedBy: origin,
          description: describe(kind, nodesChanged),
          follows: true,
        },
        { windowName: `${origin}/${scope}`, caller },
        context.signal,
      )
      .catch(translateGuardError);
    if (verdict.verdict === 'go') return { verdict: GuardVerdict.GO };
    const held = verdict.verdict === 'held' ? GuardVerdict.HELD : GuardVerdict.DROPPED;
    return { verdict: held, holdId: verdict.hold.id };
  };
}

function scopeKind(scope: string): 'labels' | 'gone' | undefined {
  const [aws, account = '', region = '', gone, ...more] = scope.split('/');
  if (aws !== 'aws' || more.length > 0 || (gone !== undefined && gone !== 'gone')) return undefined;
  if (parseAccountId(account) === undefined || parseRegion(region) === undefined) return undefined;
  return gone === undefined ? 'labels' : 'gone';
}

function describe(kind: 'labels' | 'gone', instances: number): string {
  return kind === 'labels'
    ? `a scan found ${instances} instances with tags removed or changed`
    : `a scan found ${instances} instances terminated, or did not find them any more`;
}
