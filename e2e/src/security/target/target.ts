import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { durationFromMs, timestampNow } from '@bufbuild/protobuf/wkt';
import { createClient } from '@connectrpc/connect';
import type { InstanceKey } from '@tagplane/identity';
import { Role, ServerInfoService, StatusService } from '@tagplane/protocol';
import { HOUR, MINUTE, SECOND } from '@tagplane/runtime';
import type { ClientCertificate, Issuer } from '../attacker/certificates.ts';
import { connectClient, outcomeOf } from '../attacker/client.ts';
import type { Outcome } from '../attacker/client.ts';
import { instanceMessage } from '../attacker/control-stream.ts';
import type { ControlStream } from '../attacker/control-stream.ts';
import type { DocumentSigner } from '../attacker/identity-document.ts';
import { Secrets } from '../attacker/secrets.ts';
import type { Dial } from '../attacker/sockets.ts';
import { newSourceAddress } from '../attacker/source-address.ts';
import type { AwsKeys } from '../attacker/sts-request.ts';
import type { StubSts } from '../attacker/stub-sts.ts';
import { AuditTrail } from './audit-trail.ts';
import type { AuthProcess } from './auth-process.ts';
import type { Operator } from './operator.ts';

/** An agent that joined as it should, and is connected all the time. */
export type HonestAgent = ControlStream & { readonly serverId: string; readonly instance: InstanceKey };

export interface TargetParts {
  readonly auth: AuthProcess;
  /** Certifies by the cluster's own authority, as if its key had been stolen. */
  readonly issuer: Issuer;
  readonly operator: Operator;
  readonly sts: StubSts;
  /** Of a role that the service lets in, and of one that it does not. */
  readonly awsKeys: AwsKeys;
  readonly strangerKeys: AwsKeys;
  /** Signs as AWS does for a region that the service has a certificate for. */
  readonly documents: DocumentSigner;
  /** Signs as nobody whom the service knows. */
  readonly otherDocuments: DocumentSigner;
}

const SHORT_LIFE_MS = MINUTE;

/** A running service, what its attackers have of it, and its operator's eyes. */
export class Target implements AsyncDisposable {
  readonly parts: TargetParts;
  readonly audit: AuditTrail;
  readonly secrets = new Secrets();
  /** Everything that the service sent and that is to be looked through for secrets. */
  readonly seen: string[] = [];
  #honest: HonestAgent | undefined;
  #shortLived: { readonly token: string; readonly endsAt: number } | undefined;
  #owned: AsyncDisposable | undefined;

  constructor(parts: TargetParts) {
    this.parts = parts;
    this.audit = new AuditTrail(parts.operator.audit);
  }

  get auth(): AuthProcess {
    return this.parts.auth;
  }

  get cluster(): string {
    return this.parts.issuer.cluster;
  }

  get issuer(): Issuer {
    return this.parts.issuer;
  }

  get operator(): Operator {
    return this.parts.operator;
  }

  get sts(): StubSts {
    return this.parts.sts;
  }

  get honest(): HonestAgent {
    if (this.#honest === undefined) throw new Error('the honest agent is not there yet');
    return this.#honest;
  }

  /** What every run has: the authority's keys, and a token whose time will be up. */
  async prepare(honest: () => Promise<HonestAgent>): Promise<void> {
    const { secrets } = this;
    const sealingKey = (await readFile(this.auth.files.sealingKey, 'utf8')).trim();
    secrets.add('the sealing key', sealingKey);
    secrets.add('the sealing key in hex', Buffer.from(sealingKey, 'base64').toString('hex'));
    for (const { secretAccessKey, sessionToken } of [this.parts.awsKeys, this.parts.strangerKeys]) {
      secrets.add('the secret key of an AWS role', secretAccessKey);
      if (sessionToken !== undefined) secrets.add('the session token of an AWS role', sessionToken);
    }
    secrets.addPem("the authority's key", this.issuer.authority.privateKey);
    const token = await this.addToken({ role: Role.AGENT }, SHORT_LIFE_MS);
    this.#shortLived = { token, endsAt: performance.now() + SHORT_LIFE_MS };
    this.#honest = await honest();
  }

  owns(owned: AsyncDisposable): void {
    this.#owned = owned;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned?.[Symbol.asyncDispose]();
  }

  /** A connection to be made from an address that nobody has come from yet. */
  dial(options: Partial<Dial> = {}): Dial {
    return { address: this.auth.address, source: newSourceAddress(), ...options };
  }

  operatorCertificate(): Promise<ClientCertificate> {
    return this.certify('operator');
  }

  async certify(role: 'agent' | 'discovery' | 'operator'): Promise<ClientCertificate> {
    const certificate = await this.issuer.certify({ role, name: `stolen-${role}` });
    this.secrets.addPem(`the key of a stolen ${role}`, certificate.key);
    return certificate;
  }

  /** Asks for the service's status over a new connection. */
  async status(
    options: Partial<Dial>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly source: string; readonly outcome: Outcome }> {
    const dial = this.dial(options);
    using client = connectClient(dial);
    const service = createClient(StatusService, client.transport);
    return { source: dial.source, outcome: await this.attempt(service.getStatus({}, { headers })) };
  }

  /** What a call comes to; what the service says of it is kept, to be looked through for secrets. */
  async attempt(call: Promise<unknown>): Promise<Outcome> {
    const outcome = await outcomeOf(call);
    this.seen.push(outcome.message);
    return outcome;
  }

  /** An STS request's authorization header: nobody may ever read its signature. */
  addSignature(authorization: string): void {
    this.secrets.add('the signature of an STS request', authorization.slice(-64));
  }

  /** Has discovery write a ServerInfo with these labels, `aws/` put before each key. */
  async describe(instance: InstanceKey, tags: Readonly<Record<string, string>>): Promise<void> {
    const { account, region, instance: id } = instance;
    using client = connectClient(this.dial({ certificate: await this.certify('discovery') }));
    const { results } = await createClient(ServerInfoService, client.transport).upsertServerInfos({
      serverInfos: [
        {
          name: `aws-${account}-${region}-${id}`,
          match: { target: { case: 'awsInstance', value: instanceMessage(instance) } },
          labels: Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws/${key}`, value])),
          observedAt: timestampNow(),
          ttl: durationFromMs(HOUR),
        },
      ],
    });
    if (results[0]?.reason !== '') throw new Error(`not written: ${results[0]?.reason ?? ''}`);
  }

  /** A token, by the operator. */
  async addToken(
    wish: { readonly role: Role; readonly name?: string; readonly instance?: InstanceKey },
    ttlMs?: number,
  ): Promise<string> {
    const { role, name = '', instance } = wish;
    const { secretToken } = await this.operator.tokens.addToken({
      role,
      name,
      ...(instance && { awsInstance: instanceMessage(instance) }),
      ...(ttlMs === undefined ? {} : { ttl: durationFromMs(ttlMs) }),
    });
    return this.secrets.add('a token', secretToken.slice(-40)) && secretToken;
  }

  /** A token for an agent whose time is up; waits until it is. */
  async expiredToken(): Promise<string> {
    if (this.#shortLived === undefined) throw new Error('there is no such token yet');
    const { token, endsAt } = this.#shortLived;
    await delay(Math.max(0, endsAt - performance.now()) + SECOND);
    return token;
  }
}
