import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient, createRouterTransport } from '@connectrpc/connect';
import type { Client, Interceptor } from '@connectrpc/connect';
import { createKey, joinStatement, signStatement } from '@tagplane/credentials';
import type { NewKey } from '@tagplane/credentials';
import {
  JoinRecordService,
  JoinService,
  PEER_HEADER,
  Role,
  TokenService,
  connectionKey,
  rpcOptions,
} from '@tagplane/protocol';
import type { IssuedIdentity, JoinProofSchema, JoinRequestSchema } from '@tagplane/protocol';
import { Registry, silentLogger } from '@tagplane/runtime';
import type { Store } from '@tagplane/store';
import { openEmbeddedStore } from '@tagplane/store-embedded';
import type { JoinConfig } from '../join/config.ts';
import { createJoinMethods } from '../join/methods.ts';
import type { JoinMethods, JoinVerifiers } from '../join/methods.ts';
import { createJoinMetrics } from '../join/metrics.ts';
import type { JoinMetrics } from '../join/metrics.ts';
import { addToken } from '../routes/add-token.ts';
import { joinRoute } from '../routes/join.ts';
import { listJoins } from '../routes/list-joins.ts';
import { listTokens } from '../routes/list-tokens.ts';
import { removeToken } from '../routes/remove-token.ts';
import { resetJoin } from '../routes/reset-join.ts';
import { translateStoreError } from '../store-errors.ts';
import { FakeAuthority, FakeLocks } from './fake-identity.ts';
import { RecordingAudit } from './recording-audit.ts';

export type JoinRequestInit = MessageInitShape<typeof JoinRequestSchema>;
export type MethodInit = NonNullable<MessageInitShape<typeof JoinProofSchema>['method']>;

export interface Challenge {
  readonly nonce: string;
  readonly cluster: string;
}

export interface TestJoinOptions {
  readonly config?: Pick<JoinConfig, 'iam' | 'ec2'>;
  readonly verifiers?: Partial<JoinVerifiers>;
  readonly store?: Store;
  readonly maxExchanges?: number;
  readonly deadlineMs?: number;
}

/** How one joins; what is left out is as an agent without a name does it. */
export interface Attempt {
  readonly role?: Role;
  readonly name?: string;
  readonly key?: NewKey;
  /** The address that the caller seems to come from. */
  readonly from?: string;
  /** The proof's method, made when the challenge is known. */
  readonly method: MethodInit | ((challenge: Challenge, key: NewKey) => MethodInit | Promise<MethodInit>);
  /** Default: a good one. */
  readonly possession?: Uint8Array;
}

export type Joining = Client<typeof JoinService>;

/** The join services in memory, over a store in memory. */
export class TestJoin implements AsyncDisposable {
  readonly audit = new RecordingAudit();
  readonly authority = new FakeAuthority();
  readonly locks = new FakeLocks();
  readonly registry = new Registry();
  readonly store: Store;
  readonly methods: JoinMethods;
  /** Unix milliseconds. */
  now = Date.parse('2026-11-22T12:00:00Z');
  readonly #options: TestJoinOptions;
  readonly #owned: AsyncDisposable | undefined;
  /** What serves the exchanges. */
  readonly handler: ReturnType<typeof joinRoute>;
  readonly #routes: Parameters<typeof createRouterTransport>[0];

  constructor(options: TestJoinOptions = {}) {
    this.#options = options;
    const own =
      options.store === undefined ? openEmbeddedStore({ path: ':memory:', kind: 'security' }) : undefined;
    this.#owned = own;
    this.store = options.store ?? own ?? fail();
    const now = (): number => this.now;
    const metrics = createJoinMetrics(this.registry);
    this.methods = createJoinMethods(options.config ?? {}, { store: this.store, metrics, now });
    this.handler = this.#createHandler(metrics, now);
    this.#routes = this.#register(now);
  }

  /** A client that seems to come from this address, or says that it is this peer. */
  client(from = '192.0.2.1'): Joining {
    return createClient(JoinService, this.#transport(from));
  }

  get tokens(): Client<typeof TokenService> {
    return createClient(TokenService, this.#transport('198.51.100.7'));
  }

  get records(): Client<typeof JoinRecordService> {
    return createClient(JoinRecordService, this.#transport('198.51.100.7'));
  }

  /** One whole exchange; rejects as the call does. */
  async join(attempt: Attempt): Promise<IssuedIdentity> {
    const { role = Role.AGENT, name = '', key = createKey(), method } = attempt;
    const challenged = Promise.withResolvers<Challenge>();
    async function* requests(): AsyncGenerator<JoinRequestInit> {
      yield { message: { case: 'start', value: { role, name, publicKey: key.publicKey } } };
      const challenge = await challenged.promise;
      const statement = joinStatement({ ...challenge, publicKey: key.publicKey });
      const possession = attempt.possession ?? signStatement(statement, key.privateKey);
      const made = typeof method === 'function' ? await method(challenge, key) : method;
      yield { message: { case: 'proof', value: { possession, method: made } } };
    }
    let issued: IssuedIdentity | undefined;
    for await (const { message } of this.client(attempt.from).join(requests())) {
      if (message.case === 'challenge') challenged.resolve(message.value);
      if (message.case === 'issued') issued = message.value;
    }
    if (issued === undefined) throw new Error('the exchange ended without a certificate');
    return issued;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned?.[Symbol.asyncDispose]();
  }

  #createHandler(metrics: JoinMetrics, now: () => number): ReturnType<typeof joinRoute> {
    const { audit, authority, locks } = this;
    const { records } = this.methods;
    const verifiers = { ...this.methods.verifiers, ...this.#options.verifiers };
    const parts = { audit, authority, locks, records, metrics, now };
    return joinRoute({ ...parts, ...this.#options, verifiers });
  }

  #register(now: () => number): Parameters<typeof createRouterTransport>[0] {
    const { audit, authority, store, handler } = this;
    const { records, tokens } = this.methods;
    return (router) => {
      router.service(JoinService, { join: handler });
      router.service(TokenService, {
        addToken: addToken({ tokens, audit, authority }),
        listTokens: listTokens({ store, now }),
        removeToken: removeToken({ tokens, audit }),
      });
      router.service(JoinRecordService, {
        listJoins: listJoins({ store }),
        resetJoin: resetJoin({ records, audit }),
      });
    };
  }

  #transport(from: string): ReturnType<typeof createRouterTransport> {
    const options = rpcOptions({
      log: silentLogger(),
      authorise: () => undefined,
      translate: translateStoreError,
    });
    const connected: Interceptor = (next) => (request) => {
      request.contextValues.set(connectionKey, connectionFrom(from));
      return next(request);
    };
    const asOperator: Interceptor = (next) => (request) => {
      request.header.set(PEER_HEADER, 'operator/ada');
      return next(request);
    };
    return createRouterTransport(this.#routes, {
      router: { ...options, interceptors: [connected, ...(options.interceptors ?? [])] },
      transport: { interceptors: [asOperator] },
    });
  }
}

function connectionFrom(remoteAddress: string) {
  return {
    remoteAddress,
    identity: undefined,
    problem: undefined,
    trustGeneration: 0,
    renewed: () => undefined,
    cut: () => undefined,
  };
}

function fail(): never {
  throw new Error('there is no store');
}
