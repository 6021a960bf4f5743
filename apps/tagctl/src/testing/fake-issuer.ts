import { X509Certificate } from 'node:crypto';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import { Code, ConnectError } from '@connectrpc/connect';
import { formatSpiffeId } from '@tagplane/identity';
import type { Role } from '@tagplane/identity';
import { IdentityService, JoinService, roleFromMessage } from '@tagplane/protocol';
import type { JoinRequest } from '@tagplane/protocol';
import type { TestAuthority } from '@tagplane/protocol/testing';

const NONCE = 'bm9uY2U';

/** Hands out certificates of a test authority: joining by token, renewal, and trust. */
export class FakeIssuer {
  readonly authority: TestAuthority;
  /** The only token that lets in; whoever joins by it gets this name if they ask for none. */
  token = { secret: 'good-token', name: 'joined' };
  /** Of the trust bundle. */
  generation = 1n;
  /** Authorities beside its own, in PEM. */
  others: string[] = [];
  /** Whether holders are asked to renew. */
  renew = false;
  /** Refuses renewals, if set. */
  refusal: ConnectError | undefined;
  renewals = 0;
  /** Generations that holders said they trust. */
  readonly held: bigint[] = [];

  constructor(authority: TestAuthority) {
    this.authority = authority;
  }

  routes(
    router: ConnectRouter,
    peer: (context: HandlerContext) => { readonly role: Role; readonly name: string },
  ): void {
    router.service(IdentityService, {
      getTrust: ({ heldGeneration }, context) => {
        peer(context);
        this.held.push(heldGeneration);
        return { trust: this.#trust(), renew: this.renew };
      },
      renewCertificate: async ({ publicKey }, context) => {
        const { role, name } = peer(context);
        if (this.refusal !== undefined) throw this.refusal;
        this.renewals += 1;
        this.renew = false;
        return { issued: await this.#issue(role, name, publicKey) };
      },
    });
    // A generator method would lose `this`.
    const join = (requests: AsyncIterable<JoinRequest>) => this.#join(requests);
    router.service(JoinService, { join });
  }

  async *#join(requests: AsyncIterable<JoinRequest>) {
    let role: Role = 'operator';
    let name = '';
    let publicKey: Uint8Array = new Uint8Array();
    for await (const { message } of requests) {
      if (message.case === 'start') {
        role = roleFromMessage(message.value.role) ?? 'operator';
        ({ name, publicKey } = message.value);
        const challenge = { nonce: NONCE, cluster: this.authority.cluster };
        yield { message: { case: 'challenge' as const, value: challenge } };
      }
      if (message.case === 'proof') {
        const { method } = message.value;
        if (method.case !== 'token' || method.value.token !== this.token.secret) {
          throw new ConnectError('the token is not known', Code.PermissionDenied);
        }
        const issued = await this.#issue(role, name || this.token.name, publicKey);
        yield { message: { case: 'issued' as const, value: issued } };
        return;
      }
    }
  }

  async #issue(role: Role, name: string, publicKey: Uint8Array) {
    const { certificates } = await this.authority.issue({ role, name, publicKey });
    return {
      certificates: certificates.map(derOf),
      trust: this.#trust(),
      identity: formatSpiffeId({ cluster: this.authority.cluster, role, name }),
    };
  }

  #trust() {
    const authorities = [this.authority.certificate, ...this.others].map(derOf);
    return { generation: this.generation, authorities };
  }
}

function derOf(pem: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new X509Certificate(pem).raw);
}
