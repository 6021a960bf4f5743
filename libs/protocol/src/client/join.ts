import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createKey, joinStatement, signStatement } from '@tagplane/credentials';
import type { Credentials } from '@tagplane/credentials';
import type { Role } from '@tagplane/identity';
import type { Address } from '@tagplane/runtime';
import { SECOND } from '@tagplane/runtime';
import { roleToMessage } from '../convert-role.ts';
import { JoinService } from '../gen/tagplane/v1/join_pb.ts';
import type { JoinProofSchema, JoinRequestSchema, JoinResponse } from '../gen/tagplane/v1/join_pb.ts';
import { createClientConnection } from './client.ts';
import { credentialsFromMessage, unexpected } from './issued.ts';

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
  /** Whether another name is as good: a token may carry one of its own, which goes before `name`. */
  readonly anyName?: boolean;
  readonly prove: (challenge: JoinChallenge) => Promise<JoinMethod>;
  readonly signal: AbortSignal;
  /** For the whole exchange. Default 30 s. */
  readonly timeoutMs?: number;
}

/** A token's check takes milliseconds, an AWS role's a call of STS (10 s at most); twice that, and to spare. */
const TIMEOUT_MS = 30 * SECOND;

/**
 * Gets this process its first certificate, for a new key, from an auth service that is known by a pin.
 *
 * @throws ConnectError: UNAVAILABLE when there is no such auth service, INTERNAL when it gives what it was
 *   not asked for, else why it refused
 * @throws what `prove` throws
 */
export async function joinCluster(options: JoinOptions): Promise<Credentials> {
  const { address, pins, timeoutMs = TIMEOUT_MS } = options;
  using connection = createClientConnection({ address, security: { mode: 'pinned', pins } });
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const client = createClient(JoinService, connection.transport);
  let responses: AsyncIterator<JoinResponse> | undefined;
  try {
    return await exchange(options, (requests) => {
      responses = client.join(requests, { signal, timeoutMs })[Symbol.asyncIterator]();
      return responses;
    });
  } finally {
    over.abort();
    // Only who reads on has the call take its deadline's timer away, which would keep the process until then.
    await responses?.next().catch(() => undefined);
  }
}

type Requests = AsyncIterable<MessageInitShape<typeof JoinRequestSchema>>;

async function exchange(
  { role, name = '', anyName = name === '', prove }: JoinOptions,
  call: (requests: Requests) => AsyncIterator<JoinResponse>,
): Promise<Credentials> {
  const { publicKey, privateKey } = createKey();
  const proof = Promise.withResolvers<MessageInitShape<typeof JoinProofSchema>>();
  const requests = async function* (): Requests {
    yield { message: { case: 'start', value: { role: roleToMessage(role), name, publicKey } } };
    yield { message: { case: 'proof', value: await proof.promise } };
  };
  const responses = call(requests());
  const challenge = await nextOf(responses, 'challenge');
  const { nonce, cluster } = challenge;
  const method = await prove({ nonce, cluster, publicKey });
  const possession = signStatement(joinStatement({ cluster, nonce, publicKey }), privateKey);
  proof.resolve({ possession, method });
  const credentials = credentialsFromMessage(await nextOf(responses, 'issued'), { privateKey, cluster });
  if (credentials.role !== role || (!anyName && credentials.name !== name)) {
    throw unexpected(`a certificate for ${credentials.id}`);
  }
  return credentials;
}

type Answer<Case> = Extract<JoinResponse['message'], { readonly case: Case }>;

async function nextOf<Case extends 'challenge' | 'issued'>(
  responses: AsyncIterator<JoinResponse>,
  wanted: Case,
): Promise<Answer<Case>['value']> {
  const next = await responses.next();
  if (next.done === true) throw unexpected('the end of the exchange');
  const { message } = next.value;
  if (message.case !== wanted) throw unexpected(`${message.case ?? 'nothing'} instead of ${wanted}`);
  return message.value as Answer<Case>['value'];
}
