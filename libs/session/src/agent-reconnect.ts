/** How an agent comes back after losing its stream. Milliseconds. */
export interface ReconnectPolicy {
  /** How many addresses there are to try in turn. */
  readonly addresses: number;
  /** Ceiling of the first delay: 10,000 agents spread over 10 s are 1,000 handshakes a second. */
  readonly firstMs: number;
  /** Ceiling of any delay. */
  readonly longestMs: number;
  /** From the start of an attempt until the auth service's hello. */
  readonly helloTimeoutMs: number;
}

/** Why a stream ended, as far as it decides when to come back. */
export type StreamEnd =
  /** Lost, or closed without a word. */
  | { readonly kind: 'lost' }
  /** The auth service named a delay (undefined: none) after which it is welcome. */
  | { readonly kind: 'sent-away'; readonly reconnectAfterMs: number | undefined }
  /** It will not have this agent as it is: coming back soon would be the same again. */
  | { readonly kind: 'refused'; readonly reconnectAfterMs: number | undefined };

/** Whatever an auth service says, an agent asks again within this. */
const MAX_RECONNECT_AFTER_MS = 10 * 60_000;

/**
 * Milliseconds to wait before the next attempt. Full jitter under an exponential ceiling, so that
 * agents which lost one auth service together do not arrive at the next one together.
 *
 * @param failures attempts that failed since the last good stream
 */
export function reconnectDelayMs(
  end: StreamEnd,
  failures: number,
  policy: ReconnectPolicy,
  random: () => number,
): number {
  const ceiling = Math.min(policy.longestMs, policy.firstMs * 2 ** Math.min(failures, 30));
  if (end.kind === 'lost') return random() * ceiling;
  const after = Math.min(MAX_RECONNECT_AFTER_MS, Math.max(0, end.reconnectAfterMs ?? 0));
  if (end.kind === 'refused') return Math.max(after, policy.longestMs * (0.5 + random() / 2));
  // The delay named may be the same for all; what is added to it must not outweigh it.
  return after === 0 ? random() * ceiling : after + random() * Math.min(after, policy.firstMs);
}
