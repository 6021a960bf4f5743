import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import type { Transport } from '@connectrpc/connect';
import { DiscoveryService } from '@tagplane/protocol';
import { SECOND, VERSION, deadline } from '@tagplane/runtime';
import type { FenceMessage } from './fence.ts';
import { ASK_TIMEOUT_MS, LEASE_TTL_MS } from './lease-state.ts';

/** A standby waits out the rest of the lease if this fails; the process has 5 s to stop, in all. */
const RELEASE_TIMEOUT_MS = SECOND;

/** What the auth service says of the lease. */
export type LeaseAnswer =
  | { readonly type: 'held'; readonly token: bigint; readonly remainingMs: number }
  | { readonly type: 'others'; readonly holder: string; readonly remainingMs: number }
  | { readonly type: 'unknown' }
  | { readonly type: 'failed'; readonly problem: string };

/** The lease of one group, for one replica. */
export interface LeaseClient {
  readonly group: string;
  /** This process. */
  readonly replica: string;
  /** Takes the lease or renews it; answers within 3 s, whatever happens. */
  hold(token: bigint, signal: AbortSignal): Promise<LeaseAnswer>;
  /** Gives it back, within a second. @returns why that failed; undefined when it did not */
  release(token: bigint): Promise<string | undefined>;
}

export interface LeaseClientParts {
  readonly transport: Transport;
  readonly group: string;
  readonly replica: string;
}

export function createLeaseClient({ transport, group, replica }: LeaseClientParts): LeaseClient {
  const service = createClient(DiscoveryService, transport);
  const ttl = durationFromMs(LEASE_TTL_MS);
  return {
    group,
    replica,
    async hold(token, signal) {
      using limit = deadline(signal, ASK_TIMEOUT_MS);
      const request = { group, replica, ttl, token, version: VERSION };
      try {
        const answer = await service.holdLease(request, { signal: limit.signal });
        const remainingMs = answer.remaining === undefined ? 0 : durationMs(answer.remaining);
        if (answer.held) return { type: 'held', token: answer.token, remainingMs };
        return { type: 'others', holder: answer.holder, remainingMs };
      } catch (error) {
        return failureOf(error, limit.signal);
      }
    },
    async release(token) {
      using limit = deadline(new AbortController().signal, RELEASE_TIMEOUT_MS);
      const fence: FenceMessage = { group, token };
      try {
        await service.releaseLease({ fence }, { signal: limit.signal });
        return undefined;
      } catch (error) {
        return ConnectError.from(error).message;
      }
    },
  };
}

function failureOf(error: unknown, signal: AbortSignal): LeaseAnswer {
  const { code, rawMessage } = ConnectError.from(signal.aborted ? signal.reason : error);
  if (code === Code.Unimplemented) return { type: 'unknown' };
  return { type: 'failed', problem: `HoldLease: ${Code[code]}: ${rawMessage}` };
}
