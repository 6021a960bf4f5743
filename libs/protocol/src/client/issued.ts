import { Code, ConnectError } from '@connectrpc/connect';
import { credentialsFromIssued, trustFromIssued } from '@tagplane/credentials';
import type { Credentials, Issued, TrustBundle } from '@tagplane/credentials';
import type { IssuedIdentity, TrustBundle as TrustBundleMessage } from '../gen/tagplane/v1/identity_pb.ts';

/** INTERNAL: the auth service gave something else than it was asked for. */
export function unexpected(what: string, cause?: unknown): ConnectError {
  return new ConnectError(
    `the auth service answered with ${what}`,
    Code.Internal,
    undefined,
    undefined,
    cause,
  );
}

/**
 * Holds what was issued against what was asked for.
 *
 * @throws ConnectError INTERNAL
 */
export function credentialsFromMessage(
  message: IssuedIdentity | undefined,
  asked: { readonly privateKey: string; readonly cluster: string },
): Credentials {
  if (message?.trust === undefined) throw unexpected('no certificate');
  const { generation, authorities } = bundleParts(message.trust);
  const issued: Issued = { certificates: message.certificates, generation, authorities };
  try {
    return credentialsFromIssued({ issued, ...asked });
  } catch (error) {
    throw unexpected('a certificate that is not what was asked for', error);
  }
}

/** @throws ConnectError INTERNAL when it is missing, empty, or has a certificate that is none */
export function trustFromMessage(message: TrustBundleMessage | undefined, cluster: string): TrustBundle {
  if (message === undefined || message.authorities.length === 0) throw unexpected('no authorities');
  try {
    return trustFromIssued(cluster, bundleParts(message));
  } catch (error) {
    throw unexpected('an authority that is none', error);
  }
}

function bundleParts(message: TrustBundleMessage): Pick<Issued, 'generation' | 'authorities'> {
  return { generation: Number(message.generation), authorities: message.authorities };
}
