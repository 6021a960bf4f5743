import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { instanceKeyText } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import { EnrolmentClaimStatus, optionalDurationMs, peerOf } from '@tagplane/protocol';
import type { ClaimEnrolmentsRequest, DiscoveryService } from '@tagplane/protocol';
import { HOUR, MINUTE } from '@tagplane/runtime';
import { ServerInfoDecodeError, decodeServerInfo, discoveredName, serverInfoKey } from '@tagplane/serverinfo';
import type { Found } from '@tagplane/store';
import { fencedWriter } from '../discovery/fence.ts';
import type { Writer, WriterFence } from '../discovery/fence.ts';
import { formatToken } from '../join/token/token-text.ts';
import type { Tokens } from '../join/token/tokens.ts';
import { callerOf } from './caller.ts';
import type { Caller } from './caller.ts';
import type { DiscoveryContext } from './discovery-context.ts';
import { readInstance } from './record-enrolments.ts';
import { tokenDetails } from './token-message.ts';

type ClaimEnrolments = ServiceImpl<typeof DiscoveryService>['claimEnrolments'];

const MIN_TTL_MS = MINUTE;
const MAX_TTL_MS = HOUR;

interface Answer {
  readonly status: EnrolmentClaimStatus;
  readonly token: string;
  readonly reason: string;
}

interface Claiming {
  readonly instances: readonly InstanceKey[];
  readonly ttlMs: number;
  /** Undefined: none are asked for. */
  readonly tokens: Tokens | undefined;
  readonly writer: Writer & { readonly fence: WriterFence };
  readonly caller: Caller;
}

/**
 * Lets a discovery enrol instances: those that it has discovered itself, that no node speaks for, and that no
 * other attempt has. Tokens are for the instance and for one use, and are in the answer only.
 */
export function claimEnrolments(routes: DiscoveryContext): ClaimEnrolments {
  return async (request, context) => {
    const { signal } = context;
    const writer = fencedWriter(peerOf(context), request.fence);
    const claiming = { ...readRequest(request, routes.tokens), writer, caller: callerOf(context) };
    await routes.fences.check(writer.fence, claiming.caller, signal);
    const claims = await claimAll(routes, claiming, signal);
    if (claiming.tokens === undefined) return { claims };
    const claimed = claiming.instances.filter((_, index) => isClaimed(claims[index]));
    const secrets = (await makeTokens(routes, claiming.tokens, { ...claiming, claimed }, signal)).values();
    return {
      claims: claims.map((each) => (isClaimed(each) ? { ...each, token: secrets.next().value ?? '' } : each)),
    };
  };
}

async function claimAll(
  routes: DiscoveryContext,
  claiming: Claiming,
  signal: AbortSignal,
): Promise<Answer[]> {
  const { instances, ttlMs, writer, caller, tokens } = claiming;
  const { group } = writer.fence;
  const now = Date.now();
  if (!routes.claimRate.take(group, instances.length, now)) {
    const reason = 'the group has claimed too many instances within a minute';
    throw new ConnectError(reason, Code.ResourceExhausted);
  }
  const refusals = await refusalsOf(routes, instances, writer.origin, signal);
  const open = instances.filter((_, index) => refusals[index] === undefined);
  // What was looked up took its time.
  await routes.fences.check(writer.fence, caller, signal);
  const claim = { origin: writer.origin, until: now + ttlMs, now };
  const taken = (await routes.enrolments.claim(open, claim, signal)).values();
  const claims = refusals.map((refusal) => refusal ?? claimAnswer(taken.next().value));
  const subjects = instances.filter((_, index) => isClaimed(claims[index])).map(instanceKeyText);
  if (subjects.length > 0) {
    const details = { group, tokens: tokens === undefined ? 'no' : 'yes' };
    routes.audit.record({ code: 'enrolment.claimed', result: 'ok', ...caller, subjects, details });
  }
  return claims;
}

function readRequest(
  request: ClaimEnrolmentsRequest,
  tokens: Tokens | undefined,
): Pick<Claiming, 'instances' | 'ttlMs' | 'tokens'> {
  const ttlMs = Math.round(optionalDurationMs(request.ttl) ?? 0);
  if (!(ttlMs >= MIN_TTL_MS && ttlMs <= MAX_TTL_MS)) {
    throw new ConnectError('ttl: expected one minute to one hour', Code.InvalidArgument);
  }
  if (request.withTokens && tokens === undefined) {
    throw new ConnectError('with_tokens: without TLS there are no tokens', Code.FailedPrecondition);
  }
  const instances = request.instances.map(readInstance);
  return { instances, ttlMs, tokens: request.withTokens ? tokens : undefined };
}

/** Why an instance is not to be enrolled by this group, for each; undefined: it may be. */
async function refusalsOf(
  { stores, agents }: DiscoveryContext,
  instances: readonly InstanceKey[],
  origin: string,
  signal: AbortSignal,
): Promise<(Answer | undefined)[]> {
  const keys = instances.map((instance) => serverInfoKey(discoveredName(instance)));
  const [infos, have] = await Promise.all([
    stores.serverInfos.getMany(keys, { signal }),
    agents.have(instances, signal),
  ]);
  return instances.map((_, index) => {
    const reason = foreignReason(infos[index], origin);
    if (reason !== undefined) return { status: EnrolmentClaimStatus.UNSPECIFIED, token: '', reason };
    if (have[index] !== true) return undefined;
    return { status: EnrolmentClaimStatus.HAS_AGENT, token: '', reason: 'a node speaks for it already' };
  });
}

function foreignReason(found: Found | undefined, origin: string): string | undefined {
  if (found?.state !== 'live') return 'it has no ServerInfo: a discovery enrols what it has discovered';
  try {
    const { origin: owner } = decodeServerInfo(found);
    return owner === origin ? undefined : `its ServerInfo belongs to ${owner}`;
  } catch (error) {
    if (error instanceof ServerInfoDecodeError) return error.message;
    throw error;
  }
}

/** @param takenUntil undefined: it is the caller's */
function claimAnswer(takenUntil: number | undefined): Answer {
  if (takenUntil === undefined) return { status: EnrolmentClaimStatus.CLAIMED, token: '', reason: '' };
  const reason = `another attempt has it until ${new Date(takenUntil).toISOString()}`;
  return { status: EnrolmentClaimStatus.TAKEN, token: '', reason };
}

function isClaimed(answer: Answer | undefined): boolean {
  return answer?.status === EnrolmentClaimStatus.CLAIMED;
}

/** In the order of the instances. */
async function makeTokens(
  { audit }: DiscoveryContext,
  tokens: Tokens,
  {
    claimed,
    ttlMs,
    caller,
  }: Pick<Claiming, 'ttlMs' | 'caller'> & { readonly claimed: readonly InstanceKey[] },
  signal: AbortSignal,
): Promise<string[]> {
  return await Promise.all(
    claimed.map(async (instance) => {
      const spec = { role: 'agent', name: '', instance, ttlMs, uses: 1, createdBy: caller.actor } as const;
      const { token, parts } = await tokens.add(spec, signal);
      const details = tokenDetails(token);
      audit.record({ code: 'token.added', result: 'ok', ...caller, subjects: [token.id], details });
      return formatToken(parts);
    }),
  );
}
