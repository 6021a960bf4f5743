import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { peerOf } from '@tagplane/protocol';
import type { DiscoveryService, ScopeReport } from '@tagplane/protocol';
import { cleanText } from '../audit/clean-text.ts';
import { fencedWriter } from '../discovery/fence.ts';
import { TooManyScopesError } from '../discovery/scope-reports.ts';
import { callerOf } from './caller.ts';
import type { DiscoveryContext } from './discovery-context.ts';

type ReportScopes = ServiceImpl<typeof DiscoveryService>['reportScopes'];

const SCOPE_ID = /^[\x21-\x7e]{1,256}$/;
const MAX_PROBLEM = 2_000;
const MAX_WORD = 64;

/** Only under a lease: what is shown of a group is the word of one process. */
export function reportScopes({ scopes, fences }: DiscoveryContext): ReportScopes {
  return async (request, context) => {
    const { signal } = context;
    const { fence } = fencedWriter(peerOf(context), request.fence);
    const reports = request.scopes.map(cleanReport);
    for (const id of request.removed) checkId(id);
    await fences.check(fence, callerOf(context), signal);
    await scopes.remove(fence.group, request.removed, signal);
    if (reports.length > 0) {
      await scopes.put(fence.group, reports, Date.now(), signal).catch(translate);
    }
    return {};
  };
}

function cleanReport(report: ScopeReport): ScopeReport {
  checkId(report.id);
  return {
    ...report,
    accountId: cleanText(report.accountId, MAX_WORD),
    region: cleanText(report.region, MAX_WORD),
    problem: cleanText(report.problem, MAX_PROBLEM),
    quotaUsed: Number.isFinite(report.quotaUsed) ? report.quotaUsed : 0,
  };
}

function checkId(id: string): void {
  if (!SCOPE_ID.test(id)) {
    throw new ConnectError('scopes.id: not 1 to 256 printable characters', Code.InvalidArgument);
  }
}

function translate(error: unknown): never {
  if (!(error instanceof TooManyScopesError)) throw error;
  throw new ConnectError('the group has too many scopes', Code.ResourceExhausted);
}
