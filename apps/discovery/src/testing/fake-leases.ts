import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Fence, HoldLeaseRequest } from '@tagplane/protocol';

interface Holding {
  readonly token: bigint;
  readonly replica: string;
  readonly until: number;
}

/** The leases of an auth service, by group, in memory. */
export class FakeLeases {
  readonly #held = new Map<string, Holding>();
  #lastToken = 0n;
  /** Writes refused for their fence. */
  refused = 0;

  /** Who holds the group's lease now. */
  holder(group: string): string | undefined {
    return this.#live(group)?.replica;
  }

  /** As if the store had lost it. */
  forget(group: string): void {
    this.#held.delete(group);
  }

  hold({ group, replica, token, ttl }: HoldLeaseRequest) {
    const live = this.#live(group);
    if (live !== undefined && live.replica !== replica) {
      return {
        held: false,
        holder: live.replica,
        remaining: durationFromMs(Math.round(live.until - Date.now())),
      };
    }
    const ttlMs = ttl === undefined ? 0 : durationMs(ttl);
    const renewed = live?.token === token;
    if (!renewed) this.#lastToken += 1n;
    const now = { token: renewed ? token : this.#lastToken, replica, until: Date.now() + ttlMs };
    this.#held.set(group, now);
    return { held: true, token: now.token, holder: replica, remaining: durationFromMs(ttlMs) };
  }

  release(fence: Fence | undefined): void {
    if (fence === undefined) return;
    if (this.#live(fence.group)?.token === fence.token) this.#held.delete(fence.group);
  }

  /** @throws FAILED_PRECONDITION for a fence that is not the group's */
  check(fence: Fence | undefined): void {
    if (fence === undefined || this.#live(fence.group)?.token === fence.token) return;
    this.refused += 1;
    throw new ConnectError(`the lease ${fence.token} of ${fence.group} is over`, Code.FailedPrecondition);
  }

  #live(group: string): Holding | undefined {
    const held = this.#held.get(group);
    return held !== undefined && held.until > Date.now() ? held : undefined;
  }
}
