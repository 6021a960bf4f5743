import { Code, ConnectError } from '@connectrpc/connect';

/** Why a term of the lease is over before its time. It is the reason of the term's signal. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

/** The lease of one term, as everything that writes under it needs it. */
export interface Fence {
  readonly group: string;
  /** Rises with every change of the holder. */
  readonly token: bigint;
  /** @throws the reason of the term's signal, when the term is over: a paused process may not know yet */
  check(): void;
  /** The auth service refused a write for its fence: the term is over. Returns the reason of its signal. */
  refused(cause: unknown): unknown;
}

/** As it goes over the wire. */
export type FenceMessage = Pick<Fence, 'group' | 'token'>;

/**
 * Makes a call that writes, under the fence: not at all when the term is over, and an answer that the
 * fence is void ends the term. Without a fence (an auth service that knows no leases) the call is just made.
 *
 * @throws what the call throws; once the term is over, the reason of its signal
 */
export async function underFence<Answer>(
  fence: Fence | undefined,
  call: (fence: { readonly fence?: FenceMessage }) => Promise<Answer>,
): Promise<Answer> {
  if (fence === undefined) return await call({});
  fence.check();
  const { group, token } = fence;
  try {
    return await call({ fence: { group, token } });
  } catch (error) {
    // No write that carries a fence is refused with this code for anything else.
    if (error instanceof ConnectError && error.code === Code.FailedPrecondition) throw fence.refused(error);
    throw error;
  }
}
