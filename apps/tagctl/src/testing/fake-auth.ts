import { X509Certificate } from 'node:crypto';
import { createSecureServer, createServer } from 'node:http2';
import type { Http2SecureServer, ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import { Code, ConnectError, createContextKey, createContextValues } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import {
  GetStatusResponseSchema,
  MAX_MESSAGE_BYTES,
  NodeService,
  PEER_HEADER,
  ServerInfoService,
  StatusService,
  UpsertStatus,
} from '@tagplane/protocol';
import type {
  GetStatusResponse,
  ListNodesRequest,
  Node,
  ServerInfo,
  UpsertServerInfosRequest,
  WatchNodesResponse,
} from '@tagplane/protocol';
import type { Peer } from '@tagplane/identity';
import { identifyCertificate, parsePeerClaim, peerText } from '@tagplane/identity';
import { NOW } from './capture.ts';
import { FakeAccess } from './fake-access.ts';
import { FakeCa } from './fake-ca.ts';
import { FakeDiscovery } from './fake-discovery.ts';
import { FakeExplain } from './fake-explain.ts';
import { FakeGuard } from './fake-guard.ts';
import type { FakeIssuer } from './fake-issuer.ts';
import { FakeRoles } from './fake-roles.ts';

/** Plays a watch: yields events, then returns (the stream ends) or throws. */
export type WatchScript = () => AsyncIterable<WatchNodesResponse>;

const certificateKey = createContextKey<X509Certificate | undefined>(undefined);

/** An auth service in this process, over real HTTP/2, whose answers a test sets. */
export class FakeAuth {
  nodes: Node[] = [];
  serverInfos = new Map<string, ServerInfo>();
  status: GetStatusResponse = create(GetStatusResponseSchema, { authId: 'fake' });
  /** One for each call of WatchNodes, in order; the last is used again. */
  watches: WatchScript[] = [];
  /** Refuses every call, if set. */
  refusal: ConnectError | undefined;
  /** Refuses items of these names. */
  denied = new Set<string>();
  /** Holds every write and removal under this id, unless empty. */
  holdId = '';
  /** Called before each write, as by someone who writes at the same time. */
  beforeUpsert: (() => void) | undefined;
  /** What was asked, in order. */
  readonly listRequests: ListNodesRequest[] = [];
  readonly upserts: UpsertServerInfosRequest[] = [];
  readonly peers: string[] = [];
  /** Pages are cut to this many, whatever was asked for. */
  largestPage = 1_000;
  watchCalls = 0;
  #revision = 0n;
  readonly access = new FakeAccess();
  readonly ca = new FakeCa();
  readonly roles = new FakeRoles();
  readonly guard = new FakeGuard();
  readonly explain = new FakeExplain();
  readonly discovery = new FakeDiscovery();
  /** With it, the connection is mutual TLS. */
  readonly issuer: FakeIssuer | undefined;

  constructor(issuer?: FakeIssuer) {
    this.issuer = issuer;
  }

  routes(router: ConnectRouter): void {
    router.service(NodeService, {
      listNodes: (request, context) => {
        this.#note(context);
        this.listRequests.push(request);
        const page = this.#page(this.nodes, request);
        return { nodes: page.items, nextPageToken: page.next };
      },
      getNode: ({ serverId }, context) => {
        this.#note(context);
        const node = this.nodes.find((candidate) => candidate.serverId === serverId);
        if (node === undefined) throw new ConnectError('no such node', Code.NotFound);
        return { node };
      },
      watchNodes: (_request, context) => {
        this.#note(context);
        const script = this.watches[Math.min(this.watchCalls, this.watches.length - 1)];
        this.watchCalls += 1;
        if (script === undefined) throw new ConnectError('no watch', Code.Unimplemented);
        return script();
      },
    });
    router.service(ServerInfoService, {
      listServerInfos: (request, context) => {
        this.#note(context);
        const all = [...this.serverInfos.values()];
        const asked = all.filter((info) => !request.rejectedOnly || info.rejectedTags.length > 0);
        const page = this.#page(asked, request);
        return { serverInfos: page.items, nextPageToken: page.next };
      },
      getServerInfo: ({ name }, context) => {
        this.#note(context);
        const serverInfo = this.serverInfos.get(name);
        if (serverInfo === undefined) throw new ConnectError('no such ServerInfo', Code.NotFound);
        return { serverInfo };
      },
      deleteServerInfos: ({ names }, context) => {
        this.#note(context);
        if (this.holdId !== '') return { holdId: this.holdId };
        return { deleted: names.filter((name) => this.serverInfos.delete(name)) };
      },
      upsertServerInfos: (request, context) => {
        this.#note(context);
        return this.#upsert(request);
      },
    });
    const note = (context: HandlerContext): void => {
      this.#note(context);
    };
    this.access.routes(router, note);
    for (const each of [this.ca, this.roles, this.guard, this.explain, this.discovery]) {
      each.routes(router, note);
    }
    this.issuer?.routes(router, (context) => this.#peer(context));
    router.service(StatusService, {
      getStatus: (_request, context) => {
        this.#note(context);
        return this.status;
      },
    });
  }

  #note(context: HandlerContext): void {
    this.peers.push(peerText(this.#peer(context)));
    if (this.refusal !== undefined) throw this.refusal;
  }

  /** Whom the certificate names; without TLS, whom the header names. */
  #peer(context: HandlerContext): Peer {
    const claimed = parsePeerClaim(context.requestHeader.get(PEER_HEADER) ?? '');
    if (this.issuer === undefined && claimed !== undefined) return claimed;
    const certificate = context.values.get(certificateKey);
    if (this.issuer === undefined || certificate === undefined) {
      throw new ConnectError('who is calling?', Code.Unauthenticated);
    }
    const { cluster, certificate: authority } = this.issuer.authority;
    const trust = { cluster, authorities: [new X509Certificate(authority)] };
    const identified = identifyCertificate(certificate, trust, Date.now());
    if (!identified.ok) throw new ConnectError(identified.problem, Code.Unauthenticated);
    return identified.peer;
  }

  #page<Item>(all: Item[], request: { pageSize: number; pageToken: string }) {
    const from = Number(request.pageToken || '0');
    const to = from + Math.min(request.pageSize || 100, this.largestPage);
    return { items: all.slice(from, to), next: to < all.length ? String(to) : '' };
  }

  #upsert(request: UpsertServerInfosRequest) {
    this.beforeUpsert?.();
    this.upserts.push(request);
    const results = request.serverInfos.map((info) => {
      if (this.denied.has(info.name)) return { status: UpsertStatus.DENIED, reason: 'not yours' };
      if (this.holdId !== '') return { status: UpsertStatus.HELD, holdId: this.holdId };
      return this.#store(info, request.createOnly);
    });
    return { results, storeEpoch: 'epoch' };
  }

  #store(info: ServerInfo, createOnly: boolean) {
    const there = this.serverInfos.get(info.name);
    const { expectedRevision: expected } = info;
    if (createOnly && there !== undefined) return { status: UpsertStatus.CONFLICT };
    if (expected !== undefined && expected !== there?.revision) {
      const reason = `it has revision ${there?.revision ?? 0n}, not ${expected}`;
      return { status: UpsertStatus.CONFLICT, reason };
    }
    this.#revision += 1n;
    this.serverInfos.set(info.name, storedInfo(info, this.#revision));
    return { status: UpsertStatus.ACCEPTED, revision: this.#revision };
  }
}

/** As the service keeps it. */
function storedInfo({ ttl, expectedRevision: _expected, ...info }: ServerInfo, revision: bigint): ServerInfo {
  const ends = ttl === undefined ? {} : { expiresAt: timestampFromMs(NOW + Number(ttl.seconds) * 1_000) };
  return { ...info, revision, origin: 'operator/tester', ...ends };
}

/** A FakeAuth on a port of loopback. */
export interface ServedAuth extends AsyncDisposable {
  readonly port: number;
  readonly address: string;
  /** Cuts every connection, as a crash does; the port keeps listening. */
  cut(): void;
}

/** Serves it; port 0 takes a free one. */
export async function serveAuth(auth: FakeAuth, port = 0): Promise<ServedAuth> {
  const sessions = new Set<ServerHttp2Session>();
  const handler = connectNodeAdapter({
    routes: (router) => {
      auth.routes(router);
    },
    contextValues: ({ socket }) =>
      createContextValues().set(certificateKey, (socket as Partial<TLSSocket>).getPeerX509Certificate?.()),
    writeMaxBytes: MAX_MESSAGE_BYTES,
  });
  const server = auth.issuer === undefined ? createServer(handler) : await secureServer(auth.issuer, handler);
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const bound = (server.address() as AddressInfo).port;
  const cut = (): void => {
    for (const session of sessions) session.destroy();
  };
  return {
    port: bound,
    address: `127.0.0.1:${bound}`,
    cut,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}

/** A client without a certificate may join; what others may do, each call decides. */
async function secureServer(
  { authority }: FakeIssuer,
  handler: ReturnType<typeof connectNodeAdapter>,
): Promise<Http2SecureServer> {
  const { privateKey, certificates, authorities } = await authority.serverCredentials();
  return createSecureServer(
    {
      key: privateKey,
      cert: certificates.join('\n'),
      ca: [...authorities],
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
    },
    handler,
  );
}
