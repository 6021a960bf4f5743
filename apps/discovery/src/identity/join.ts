import type { Credentials } from '@tagplane/credentials';
import { pinSourceOf, readCaPins, readJoinToken, tokenSourceOf } from '@tagplane/credentials';
import { attemptToJoin } from '@tagplane/protocol';
import type { DiscoveryConfig } from '../config.ts';

/** What an operator can do for a discovery that has no credentials and no way to get any. */
export const REMEDY = 'set join.token and join.ca_pins (`tagctl tokens add --role discovery` prints both)';

/**
 * One attempt to join. The configured name is asked for; a token may carry another, which goes before it.
 *
 * @param name must be had, if it is given: what was written is under it
 * @throws JoinRefusedError when another will not do better; Error when there is no token, or no auth service
 */
export async function joinDiscovery(
  config: DiscoveryConfig & { readonly join: NonNullable<DiscoveryConfig['join']> },
  name: string | undefined,
  signal: AbortSignal,
): Promise<Credentials> {
  const source = tokenSourceOf(config.join);
  // The schema asks for one.
  if (source === undefined) throw new TypeError('no token');
  return await attemptToJoin({
    address: config.auth.address,
    pins: await readCaPins(pinSourceOf(config.join)),
    role: 'discovery',
    name: name ?? config.name,
    anyName: name === undefined,
    prove: async () => ({ case: 'token', value: { token: await readJoinToken(source) } }),
    signal,
  });
}
