import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import {
  ControlStreamResponseSchema,
  InventoryService,
  accessRoleToMessage,
  createApiServer,
  peerOf,
} from '@tagplane/protocol';
import type { AccessRole } from '@tagplane/access';
import { diffRoles, rolesRevision } from '@tagplane/access';
import type { SignedStatement } from '@tagplane/credentials';
import type {
  ApiServer,
  ApiServerOptions,
  ControlStreamRequest,
  ControlStreamResponse,
  LabelSet,
  UpdateRolesSchema,
} from '@tagplane/protocol';
import { peerText } from '@tagplane/identity';
import type { Labels } from '@tagplane/labels';
import { NAMESPACES, labelsIn, labelsRevision } from '@tagplane/labels';
import type { TestAuthority, TestIssuer } from '@tagplane/protocol/testing';
import { startTestServer } from '@tagplane/protocol/testing';
import type { Address } from '@tagplane/runtime';
import { HOUR, silentLogger } from '@tagplane/runtime';
import { FakeSigner } from './fake-signer.ts';
import { Queue } from './queue.ts';

type Member = ControlStreamRequest['message'];
type Response = MessageInitShape<typeof ControlStreamResponseSchema>['message'];
export type Received<Case extends Member['case']> =
  Extract<Member, { case: Case }> extends { value: infer V } ? V : never;

export interface FakeAuthOptions {
  /** 0, the default, asks the system for a free one. */
  readonly port?: number;
  readonly heartbeatMs?: number;
  readonly idleMs?: number;
  /** Say nothing, not even hello. */
  readonly mute?: boolean;
  /** Serve with TLS, and certify. */
  readonly tls?: { readonly authority: TestAuthority; readonly issuer: TestIssuer };
}

/** An auth service's control stream over real HTTP/2, scripted by the test. */
export interface FakeAuth extends AsyncDisposable {
  readonly address: Address;
  /** The next stream an agent opens. */
  nextStream(): Promise<FakeStream>;
  /** Stops listening and cuts every connection. */
  stop(): Promise<void>;
}

/** The service's end of one stream. */
export class FakeStream {
  readonly peer: string;
  readonly #received = new Queue<ControlStreamRequest>();
  readonly #sending = new Queue<ControlStreamResponse | undefined>();
  /** Who signs what this sends; undefined: nobody. */
  signer: FakeSigner | undefined;

  constructor(peer: string, signer?: FakeSigner) {
    this.peer = peer;
    this.signer = signer;
  }

  send(message: NonNullable<Response>): void {
    this.#sending.put(create(ControlStreamResponseSchema, { message }));
  }

  /** Ends the stream from this side. */
  end(): void {
    this.#sending.put(undefined);
  }

  /** The next message of this kind; others that come before it are skipped. */
  async next<Case extends NonNullable<Member['case']>>(kind: Case): Promise<Received<Case>> {
    for (;;) {
      const { message } = await this.#received.take(`a ${kind}`);
      if (message.case === kind) return message.value as Received<Case>;
    }
  }

  replace(nonce: string, labels: Labels, lifetime: { ageMs?: number; remainingMs?: number } = {}): string {
    const revision = labelsRevision(labels);
    const sets = NAMESPACES.map((namespace): MessageInitShapeOfSet => ({
      namespace,
      labels: Object.fromEntries(labelsIn(namespace, labels)),
      lifetime: lifetimeMessage(lifetime),
    }));
    const change = { case: 'replace' as const, value: { sets } };
    const spans = new Map(NAMESPACES.map((namespace) => [namespace, lifetimeOf(lifetime)]));
    const signature = this.signer?.labels(this.peer.replace('agent/', ''), revision, spans);
    this.send({ case: 'updateLabels', value: { nonce, revision, change, ...signed(signature) } });
    return revision;
  }

  /** Sends all of them; returns their revision. */
  replaceRoles(nonce: string, roles: readonly AccessRole[], remainingMs = 24 * HOUR): string {
    const revision = rolesRevision(roles);
    const value = { roles: roles.map(accessRoleToMessage) };
    this.#sendRoles(nonce, revision, remainingMs, { case: 'replace', value });
    return revision;
  }

  /** Sends the difference; returns the revision after it. */
  changeRoles(nonce: string, base: readonly AccessRole[], next: readonly AccessRole[]): string {
    const revision = rolesRevision(next);
    const { put, removed } = diffRoles(base, next);
    const baseRevision = rolesRevision(base);
    const value = { baseRevision, put: put.map(accessRoleToMessage), removed: [...removed] };
    this.#sendRoles(nonce, revision, 24 * HOUR, { case: 'apply', value });
    return revision;
  }

  renewRoles(nonce: string, revision: string, remainingMs: number): void {
    this.#sendRoles(nonce, revision, remainingMs, { case: 'renew', value: {} });
  }

  #sendRoles(nonce: string, revision: string, remainingMs: number, change: RolesChange): void {
    const signature = signed(this.signer?.roles(revision, remainingMs));
    const remaining = durationFromMs(remainingMs);
    this.send({ case: 'updateRoles', value: { nonce, revision, remaining, change, ...signature } });
  }

  renew(nonce: string, revision: string, lifetime: { ageMs?: number; remainingMs?: number }): void {
    const lifetimes = { 'aws/': lifetimeMessage(lifetime) };
    const change = { case: 'renew' as const, value: { lifetimes } };
    const spans = new Map([
      ['aws/', lifetimeOf(lifetime)],
      ['dynamic/', lifetimeOf({})],
    ]);
    const signature = this.signer?.labels(this.peer.replace('agent/', ''), revision, spans);
    this.send({ case: 'updateLabels', value: { nonce, revision, change, ...signed(signature) } });
  }

  async *serve(requests: AsyncIterable<ControlStreamRequest>): AsyncGenerator<ControlStreamResponse> {
    const reading = this.#read(requests);
    for (;;) {
      const message = await this.#sending.take();
      if (message === undefined) break;
      yield message;
    }
    await reading;
  }

  async #read(requests: AsyncIterable<ControlStreamRequest>): Promise<void> {
    try {
      for await (const request of requests) this.#received.put(request);
    } catch {
      // The agent's end is gone.
    }
    this.end();
  }
}

type RolesChange = NonNullable<MessageInitShape<typeof UpdateRolesSchema>['change']>;

function signed(signed: SignedStatement | undefined) {
  if (signed === undefined) return {};
  const { statement, signature, certificates, proof } = signed;
  const read = { statement, signature, certificates: [...certificates] };
  if (proof === undefined) return { signature: read };
  return { signature: { ...read, proof: { position: proof.position, hashes: [...proof.hashes] } } };
}

function lifetimeOf({ ageMs, remainingMs }: { ageMs?: number; remainingMs?: number }) {
  return { ageMs, remainingMs };
}

type MessageInitShapeOfSet = Pick<LabelSet, 'namespace' | 'labels'> & {
  readonly lifetime: ReturnType<typeof lifetimeMessage>;
};

function lifetimeMessage({ ageMs, remainingMs }: { ageMs?: number; remainingMs?: number }) {
  return {
    ...(ageMs === undefined ? {} : { age: durationFromMs(ageMs) }),
    ...(remainingMs === undefined ? {} : { remaining: durationFromMs(remainingMs) }),
  };
}

export async function startFakeAuth(options: FakeAuthOptions = {}): Promise<FakeAuth> {
  const streams = new Queue<FakeStream>();
  const signer = options.tls && (await FakeSigner.create(options.tls.authority));
  const server = await listen(options, (router) => {
    router.service(InventoryService, {
      controlStream(requests, context) {
        const stream = new FakeStream(peerText(peerOf(context)), signer);
        if (options.mute !== true) stream.send(helloOf(options));
        streams.put(stream);
        return stream.serve(requests);
      },
    });
  });
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= server.close({ graceMs: 0 }));
  return {
    address: server.address,
    nextStream: () => streams.take('a stream'),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function listen({ port = 0, tls }: FakeAuthOptions, routes: ApiServerOptions['routes']): Promise<ApiServer> {
  const address = { host: '127.0.0.1', port };
  if (tls === undefined) {
    const security = { mode: 'insecure' } as const;
    const log = silentLogger();
    return createApiServer({ listen: address, log, security, authorise: () => undefined, routes });
  }
  const { authority, issuer } = tls;
  return startTestServer(authority, {
    listen: address,
    routes: (router, closing) => {
      issuer.routes(router);
      routes(router, closing);
    },
  });
}

function helloOf({ heartbeatMs = 300_000, idleMs = 60_000 }: FakeAuthOptions): NonNullable<Response> {
  return {
    case: 'hello',
    value: {
      authId: 'fake',
      version: '0',
      heartbeatInterval: durationFromMs(heartbeatMs),
      idleTimeout: durationFromMs(idleMs),
    },
  };
}
