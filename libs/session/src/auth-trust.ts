/** What one agent is known to have heard of the trust bundle. Unix milliseconds of this process. */
export interface TrustView {
  /** Generation that it last said it holds; 0: it has not said, or holds none. */
  readonly reported: number;
  /** Generation that it was last told of on this stream; 0: none. */
  readonly announced: number;
  readonly announcedAt: number;
}

export const TRUST_UNKNOWN: TrustView = { reported: 0, announced: 0, announcedAt: 0 };

const MINUTE = 60 * 1_000;
/** Longer than renewals are spread over: an agent that still does not follow has missed it, or failed. */
const REPEAT_MS = 15 * MINUTE;

/**
 * Whether the agent is to be told of the present generation (0: there is none): it holds an older one, and
 * was not told of this one just now.
 */
export function trustIsDue(view: TrustView, present: number, now: number): boolean {
  if (view.reported >= present) return false;
  return view.announced < present || now >= view.announcedAt + REPEAT_MS;
}
