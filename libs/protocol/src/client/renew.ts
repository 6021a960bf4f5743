import { createClient } from '@connectrpc/connect';
import type { Transport } from '@connectrpc/connect';
import { createKey, renewStatement, signStatement } from '@tagplane/credentials';
import type { Credentials, TrustBundle } from '@tagplane/credentials';
import { instanceKeyText } from '@tagplane/identity';
import { IdentityService } from '../gen/tagplane/v1/identity_pb.ts';
import { credentialsFromMessage, trustFromMessage, unexpected } from './issued.ts';

/**
 * A new certificate for the same identity and a new key. Asked for on the connection that is to live on
 * under it.
 *
 * @throws ConnectError when the auth service refuses, or gives what it was not asked for (INTERNAL)
 */
export async function renewCredentials(
  transport: Transport,
  current: Credentials,
  { signal }: { readonly signal: AbortSignal },
): Promise<Credentials> {
  const { publicKey, privateKey } = createKey();
  const possession = signStatement(renewStatement({ id: current.id, publicKey }), privateKey);
  const client = createClient(IdentityService, transport);
  const { issued } = await client.renewCertificate({ publicKey, possession }, { signal });
  const renewed = credentialsFromMessage(issued, { privateKey, cluster: current.trust.cluster });
  if (renewed.id !== current.id) throw unexpected(`a certificate for ${renewed.id}`);
  if (instanceText(renewed) !== instanceText(current)) {
    throw unexpected(`a certificate for ${instanceText(renewed)}`);
  }
  return renewed;
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
export async function fetchTrust(
  transport: Transport,
  held: TrustBundle,
  { signal }: { readonly signal: AbortSignal },
): Promise<FetchedTrust> {
  const client = createClient(IdentityService, transport);
  const { trust, renew } = await client.getTrust({ heldGeneration: BigInt(held.generation) }, { signal });
  return { trust: trustFromMessage(trust, held.cluster), renew };
}

function instanceText({ instance }: Credentials): string {
  return instance === undefined ? 'no instance' : instanceKeyText(instance);
}
