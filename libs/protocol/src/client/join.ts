import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Credentials } from '@tagplane/credentials';
import type { Role } from '@tagplane/identity';
import type { Address } from '@tagplane/runtime';
import type { JoinProofSchema } from '../gen/tagplane/v1/join_pb.ts';

/** What a proof must contain. */
export interface JoinChallenge {
  /** Made by the auth service for this exchange only. */
  readonly nonce: string;
  readonly cluster: string;
  /** The key to be certified: SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array;
}

/** Such as `{ case: 'token', value: { token } }`. */
export type JoinMethod = NonNullable<MessageInitShape<typeof JoinProofSchema>['method']>;

export interface JoinOptions {
  readonly address: Address;
  /** Of authorities of the cluster, as `publicKeyPin` writes them; one of them must fit. */
  readonly pins: readonly string[];
  readonly role: Exclude<Role, 'auth'>;
  /** An agent may leave it out: the auth service then gives it one. */
  readonly name?: string;
  readonly prove: (challenge: JoinChallenge) => Promise<JoinMethod>;
  readonly signal: AbortSignal;
  /** For the whole exchange. Default 30 s. */
  readonly timeoutMs?: number;
}

/**
 * Gets this process its first certificate, for a new key, from an auth service that is known by a pin.
 *
 * @throws ConnectError: UNAVAILABLE when there is no such auth service, else why it refused
 */
export function joinCluster(_options: JoinOptions): Promise<Credentials> {
  return Promise.reject(new Error('not there yet'));
}
