import { X509Certificate, randomBytes } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import { Code, ConnectError } from '@connectrpc/connect';
import { joinStatement, provesPossession, renewStatement } from '@tagplane/credentials';
import type { InstanceKey } from '@tagplane/identity';
import { formatSpiffeId, identifyCertificate } from '@tagplane/identity';
import { MINUTE } from '@tagplane/runtime';
import { instanceToMessage } from '../convert.ts';
import { roleFromMessage } from '../convert-role.ts';
import { IdentityService } from '../gen/tagplane/v1/identity_pb.ts';
import type {
  GetTrustRequest,
  IssuedIdentitySchema,
  RenewCertificateRequest,
} from '../gen/tagplane/v1/identity_pb.ts';
import { JoinService } from '../gen/tagplane/v1/join_pb.ts';
import type { JoinProof, JoinRequest, JoinStart } from '../gen/tagplane/v1/join_pb.ts';
import { peerOf } from '../peer.ts';
import { connectionOf } from '../server/security.ts';
import type { TestAuthority, TestCertificateOptions } from './test-authority.ts';

/** Whom a test lets in, as what. */
export interface TestAdmission {
  /** Goes before the name that is asked for. */
  readonly name?: string;
  readonly instance?: InstanceKey;
}

/** A join as it was asked for. */
export interface TestJoin {
  readonly start: JoinStart;
  readonly method: JoinProof['method'];
  readonly nonce: string;
}

/** The part of an auth service that certifies: it does as the test says, and keeps what it was asked. */
export class TestIssuer {
  readonly joins: TestJoin[] = [];
  readonly renewals: string[] = [];
  /** Generations that callers said they hold. */
  readonly held: number[] = [];
  /** Throws a ConnectError to refuse. Default: lets in. */
  admit: (join: TestJoin) => TestAdmission = () => ({});
  /** While set, renewals are refused with it. */
  refuseRenewals: Code | undefined;
  /** How long certificates are good for. */
  lifeMs = 12 * 60 * MINUTE;
  /** For agents that ask for no name. */
  givenName = 'given';
  generation = 1;
  /** What `GetTrust` says of renewing. */
  renew = false;
  readonly #authority: TestAuthority;

  constructor(authority: TestAuthority) {
    this.#authority = authority;
  }

  readonly routes = (router: ConnectRouter): void => {
    router.service(JoinService, { join: (requests) => this.#join(requests) });
    router.service(IdentityService, {
      renewCertificate: (request, context) => this.#renew(request, context),
      getTrust: (request) => this.#trust(request),
    });
  };

  async *#join(requests: AsyncIterable<JoinRequest>) {
    const nonce = randomBytes(32).toString('base64url');
    const { cluster } = this.#authority;
    let start: JoinStart | undefined;
    for await (const { message } of requests) {
      if (message.case === 'start') {
        start = message.value;
        yield { message: { case: 'challenge' as const, value: { nonce, cluster } } };
      } else if (message.case === 'proof' && start !== undefined) {
        yield {
          message: { case: 'issued' as const, value: await this.#admitted(start, message.value, nonce) },
        };
        return;
      }
    }
  }

  async #admitted(start: JoinStart, { possession, method }: JoinProof, nonce: string) {
    const { publicKey } = start;
    const statement = joinStatement({ cluster: this.#authority.cluster, nonce, publicKey });
    if (!provesPossession(statement, publicKey, possession)) throw refusal('the key is not proven');
    const join = { start, method, nonce };
    this.joins.push(join);
    const { instance, name = start.name } = this.admit(join);
    return await this.#issue({
      role: roleFromMessage(start.role) ?? 'agent',
      name: name === '' ? this.givenName : name,
      publicKey,
      ...(instance && { instance }),
    });
  }

  async #renew({ publicKey, possession }: RenewCertificateRequest, context: HandlerContext) {
    const { role, name, instance } = peerOf(context);
    const id = formatSpiffeId({ cluster: this.#authority.cluster, role, name });
    this.renewals.push(id);
    if (this.refuseRenewals !== undefined) throw new ConnectError('not now', this.refuseRenewals);
    if (!provesPossession(renewStatement({ id, publicKey }), publicKey, possession)) {
      throw refusal('the key is not proven');
    }
    const issued = await this.#issue({ role, name, publicKey, ...(instance && { instance }) });
    const [own = new Uint8Array()] = issued.certificates;
    const identified = identifyCertificate(new X509Certificate(own), this.#trusted(), Date.now());
    if (identified.ok) connectionOf(context)?.renewed(identified);
    return { issued };
  }

  #trust({ heldGeneration }: GetTrustRequest) {
    this.held.push(Number(heldGeneration));
    return { trust: this.#bundle(), renew: this.renew };
  }

  async #issue(options: TestCertificateOptions) {
    const validUntil = new Date(Date.now() + this.lifeMs);
    const { certificates } = await this.#authority.issue({ ...options, validUntil });
    const { instance } = options;
    return {
      certificates: certificates.map(derOf),
      trust: this.#bundle(),
      ...(instance && { awsInstance: instanceToMessage(instance) }),
    } satisfies MessageInitShape<typeof IssuedIdentitySchema>;
  }

  #bundle() {
    return { generation: BigInt(this.generation), authorities: [derOf(this.#authority.certificate)] };
  }

  #trusted() {
    const { cluster, certificate } = this.#authority;
    return { cluster, authorities: [new X509Certificate(certificate)] };
  }
}

function derOf(pem: string): Uint8Array {
  return new X509Certificate(pem).raw;
}

function refusal(reason: string): ConnectError {
  return new ConnectError(reason, Code.PermissionDenied);
}
