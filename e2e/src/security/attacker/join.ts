import { createClient } from '@connectrpc/connect';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { createKey, joinStatement, signStatement } from '@tagplane/credentials';
import type { NewKey } from '@tagplane/credentials';
import { JoinService } from '@tagplane/protocol';
import type { IssuedIdentity, JoinProofSchema, JoinRequestSchema, Role } from '@tagplane/protocol';
import { connectClient } from './client.ts';
import { Pushed } from './pushed.ts';
import type { Dial } from './sockets.ts';

export type Proof = NonNullable<MessageInitShape<typeof JoinProofSchema>['method']>;

/** What the service asks of who joins. */
export interface Challenge {
  readonly nonce: string;
  readonly cluster: string;
}

export interface JoinAttempt {
  readonly role: Role;
  readonly name?: string;
  /** The key to be certified. Default: a new one. */
  readonly key?: NewKey;
  /** Who signs for its possession. Default: that key. */
  readonly signer?: NewKey;
  readonly prove: (challenge: Challenge, key: NewKey) => Proof | Promise<Proof>;
}

export interface Joined {
  readonly key: NewKey;
  readonly issued: IssuedIdentity;
}

/**
 * Joins by hand, message by message.
 *
 * @throws ConnectError with the service's refusal
 */
export async function join(dial: Dial, attempt: JoinAttempt): Promise<Joined> {
  using client = connectClient(dial);
  const { role, name = '', key = createKey(), signer = key } = attempt;
  const requests = new Pushed<MessageInitShape<typeof JoinRequestSchema>>();
  const answers = createClient(JoinService, client.transport).join(requests);
  requests.push({ message: { case: 'start', value: { role, name, publicKey: key.publicKey } } });
  try {
    for await (const { message } of answers) {
      if (message.case === 'issued') return { key, issued: message.value };
      if (message.case !== 'challenge') throw new Error(`an answer out of place: ${String(message.case)}`);
      const { nonce, cluster } = message.value;
      const statement = joinStatement({ cluster, nonce, publicKey: key.publicKey });
      const possession = signStatement(statement, signer.privateKey);
      const method = await attempt.prove({ nonce, cluster }, key);
      requests.push({ message: { case: 'proof', value: { possession, method } } });
    }
  } finally {
    requests.end();
  }
  throw new Error('the service ended the exchange without a word');
}
