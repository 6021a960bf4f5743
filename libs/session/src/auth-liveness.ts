import type { AuthSessionSettings, Liveness } from './auth-session-state.ts';

/** When it must be looked at again. */
export function livenessDueAt(liveness: Liveness, settings: AuthSessionSettings): number {
  return liveness.ping === undefined
    ? Math.min(liveness.heardAt, liveness.spokeAt) + settings.pingIntervalMs
    : liveness.ping.sentAt + settings.pongTimeoutMs;
}

/** What to do about it now. Silence counts either way: the agent, too, takes a silent stream for dead. */
export function livenessVerdict(
  liveness: Liveness,
  now: number,
  settings: AuthSessionSettings,
): 'fine' | 'ping' | 'dead' {
  if (now < livenessDueAt(liveness, settings)) return 'fine';
  return liveness.ping === undefined ? 'ping' : 'dead';
}

/** Anything from the agent is a sign of life. */
export function heard(liveness: Liveness, now: number): Liveness {
  return { heardAt: now, spokeAt: liveness.spokeAt, ping: undefined };
}

export function spoke(liveness: Liveness, now: number): Liveness {
  return { heardAt: liveness.heardAt, spokeAt: now, ping: liveness.ping };
}
