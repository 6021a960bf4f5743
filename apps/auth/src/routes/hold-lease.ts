import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { isPeerName, peerText } from '@tagplane/identity';
import { optionalDurationMs, peerOf } from '@tagplane/protocol';
import type { DiscoveryService } from '@tagplane/protocol';
import { SECOND } from '@tagplane/runtime';
import { cleanText } from '../audit/clean-text.ts';
import { parseGroup } from '../discovery/fence.ts';
import { TooManyGroupsError } from '../discovery/leases.ts';
import type { Leases } from '../discovery/leases.ts';
import type { Replicas } from '../discovery/replicas.ts';

type HoldLease = ServiceImpl<typeof DiscoveryService>['holdLease'];

const MIN_TTL_MS = 5 * SECOND;
const MAX_TTL_MS = 60 * SECOND;
const MAX_VERSION = 64;

export interface LeaseRoutes {
  readonly leases: Leases;
  readonly replicas: Replicas;
}

/** Each replica of a group asks again and again; one of them has the lease. */
export function holdLease({ leases, replicas }: LeaseRoutes): HoldLease {
  return async (request, context) => {
    const { signal } = context;
    const identity = peerText(peerOf(context));
    const { replica, token } = request;
    const group = parseGroup(request.group);
    if (!isPeerName(replica)) throw invalid('replica: not 1 to 128 of letters, digits, ".", "_", "@", "-"');
    const ttlMs = Math.round(optionalDurationMs(request.ttl) ?? 0);
    if (!(ttlMs >= MIN_TTL_MS && ttlMs <= MAX_TTL_MS)) throw invalid('ttl: expected 5 to 60 seconds');
    const version = cleanText(request.version, MAX_VERSION);
    const answer = await leases.hold({ group, identity, replica, token, ttlMs }, signal).catch(translate);
    const now = Date.now();
    // After the lease: that must not wait for what is only shown.
    await replicas.seen({ group, replica, identity, version, seenAt: now }, signal);
    return {
      held: answer.held,
      token: BigInt(answer.token),
      holder: answer.replica,
      remaining: durationFromMs(Math.max(0, answer.expiresAt - now)),
    };
  };
}

function translate(error: unknown): never {
  if (!(error instanceof TooManyGroupsError)) throw error;
  throw new ConnectError('there are too many discovery groups', Code.ResourceExhausted);
}

function invalid(reason: string): ConnectError {
  return new ConnectError(reason, Code.InvalidArgument);
}
