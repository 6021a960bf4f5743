import type { Transport } from '@connectrpc/connect';
import type { Credentials, TrustBundle } from '@tagplane/credentials';

/**
 * A new certificate for the same identity and a new key. Asked for on the connection that is to live on
 * under it.
 *
 * @throws ConnectError when the auth service refuses, or gives what it was not asked for
 */
export function renewCredentials(
  _transport: Transport,
  _current: Credentials,
  _options: { readonly signal: AbortSignal },
): Promise<Credentials> {
  return Promise.reject(new Error('not there yet'));
}

/** Which authorities to trust now. */
export interface FetchedTrust {
  readonly trust: TrustBundle;
  /** The own certificate should be renewed now: its authority is on its way out. */
  readonly renew: boolean;
}

/**
 * Asks which authorities to trust, and says which bundle this process trusts now.
 *
 * @throws ConnectError
 */
export function fetchTrust(
  _transport: Transport,
  _held: TrustBundle,
  _options: { readonly signal: AbortSignal },
): Promise<FetchedTrust> {
  return Promise.reject(new Error('not there yet'));
}
