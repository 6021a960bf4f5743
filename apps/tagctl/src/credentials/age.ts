import type { Credentials } from '@tagplane/credentials';
import { lifeMs } from '@tagplane/credentials';
import { MINUTE } from '@tagplane/runtime';

/** The last third is for everything that may go wrong. */
const RENEWED_AT_SHARE = 2 / 3;

/**
 * How old credentials are by this machine's clock (Unix milliseconds): `old` ones are to be renewed,
 * `ended` ones are good for nothing. Of two dates in two clocks both must have passed for an end.
 */
export function credentialsAge(credentials: Credentials, now: number): 'fresh' | 'old' | 'ended' {
  const passed = now - credentials.receivedAt;
  const life = lifeMs(credentials);
  if (passed >= life && now >= credentials.validUntil) return 'ended';
  // From the future, by a clock that was set back, they may be of any age.
  return passed < -MINUTE || passed >= life * RENEWED_AT_SHARE ? 'old' : 'fresh';
}

/** Milliseconds until they are old; negative when they are. */
export function oldInMs(credentials: Credentials, now: number): number {
  return lifeMs(credentials) * RENEWED_AT_SHARE - (now - credentials.receivedAt);
}
