import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { createClient } from '@connectrpc/connect';
import type { Client, Transport } from '@connectrpc/connect';
import type { Credentials } from '@tagplane/credentials';
import { readCredentialFile } from '@tagplane/credentials';
import type { InstanceKey, Role } from '@tagplane/identity';
import type { ClientSecurity, JoinRecord, JoinToken, Node, ServerInfo } from '@tagplane/protocol';
import {
  AuditService,
  CaService,
  JoinRecordService,
  LockService,
  NodeService,
  RoleService,
  ServerInfoService,
  StatusService,
  TokenService,
  createClientConnection,
  instanceToMessage,
  roleToMessage,
} from '@tagplane/protocol';
import type { Settings } from './programs.ts';

/** An operator's view of a running auth service. */
export interface Operator extends Disposable {
  readonly transport: Transport;
  readonly nodes: Client<typeof NodeService>;
  readonly serverInfos: Client<typeof ServerInfoService>;
  readonly status: Client<typeof StatusService>;
  readonly tokens: Client<typeof TokenService>;
  readonly locks: Client<typeof LockService>;
  readonly joins: Client<typeof JoinRecordService>;
  readonly audit: Client<typeof AuditService>;
  readonly ca: Client<typeof CaService>;
  readonly roles: Client<typeof RoleService>;
  /** All nodes, page by page. */
  listNodes(): Promise<Node[]>;
  /** All ServerInfos, page by page. */
  listServerInfos(): Promise<ServerInfo[]>;
  /** All tokens, page by page. */
  listTokens(): Promise<JoinToken[]>;
  /** All that have joined, page by page. */
  listJoins(): Promise<JoinRecord[]>;
}

/** Which auth service on this machine, and as whom. */
export interface OperatorTarget {
  readonly port: number;
  /** Asked for each new connection where it is a function; absent: without TLS. */
  readonly credentials?: Credentials | (() => Credentials) | undefined;
}

/** Of a call: what is waited for here is the machine, which tests and their services keep busy. */
const TIMEOUT_MS = 60_000;

/** A port alone is an auth service without TLS. Connects on the first call. */
export function connectOperator(target: number | OperatorTarget): Operator {
  const { port, credentials } = typeof target === 'number' ? { port: target } : target;
  const connection = createClientConnection({
    address: { host: '127.0.0.1', port },
    security: operatorSecurity(credentials),
    timeoutMs: TIMEOUT_MS,
  });
  const { transport } = connection;
  const nodes = createClient(NodeService, transport);
  const serverInfos = createClient(ServerInfoService, transport);
  const tokens = createClient(TokenService, transport);
  const joins = createClient(JoinRecordService, transport);
  return {
    ...{ transport, nodes, serverInfos, tokens, joins },
    status: createClient(StatusService, transport),
    locks: createClient(LockService, transport),
    audit: createClient(AuditService, transport),
    ca: createClient(CaService, transport),
    roles: createClient(RoleService, transport),
    listNodes: () =>
      allPages(
        (page) => nodes.listNodes(page),
        (page) => page.nodes,
      ),
    listServerInfos: () =>
      allPages(
        (page) => serverInfos.listServerInfos(page),
        (page) => page.serverInfos,
      ),
    listTokens: () =>
      allPages(
        (page) => tokens.listTokens(page),
        (page) => page.tokens,
      ),
    listJoins: () =>
      allPages(
        (page) => joins.listJoins(page),
        (page) => page.joins,
      ),
    [Symbol.dispose]() {
      connection[Symbol.dispose]();
    },
  };
}

function operatorSecurity(credentials: OperatorTarget['credentials']): ClientSecurity {
  if (credentials === undefined) {
    return { mode: 'insecure', peer: { role: 'operator', name: 'harness', proof: 'claimed' } };
  }
  return { mode: 'mutual', credentials: typeof credentials === 'function' ? credentials : () => credentials };
}

/** @throws Error when there is no such file */
export async function readCredentials(file: string): Promise<Credentials> {
  const credentials = await readCredentialFile(file);
  if (credentials === undefined) throw new Error(`there are no credentials in ${file}`);
  return credentials;
}

/** What a process joins by. */
export interface NewToken {
  readonly id: string;
  /** A secret. */
  readonly token: string;
  readonly caPins: readonly string[];
}

/** A join token; good for an hour and one join unless said otherwise. */
export async function addToken(
  { tokens }: Pick<Operator, 'tokens'>,
  wanted: {
    readonly role: Exclude<Role, 'auth'>;
    readonly name?: string;
    readonly instance?: InstanceKey;
    readonly ttlMs?: number;
    readonly uses?: number;
  },
): Promise<NewToken> {
  const { role, name, instance, ttlMs, uses } = wanted;
  const { token, secretToken, caPins } = await tokens.addToken({
    role: roleToMessage(role),
    ...(name === undefined ? {} : { name }),
    ...(instance === undefined ? {} : { awsInstance: instanceToMessage(instance) }),
    ...(ttlMs === undefined ? {} : { ttl: durationFromMs(ttlMs) }),
    ...(uses === undefined ? {} : { uses }),
  });
  return { id: token?.id ?? '', token: secretToken, caPins };
}

/** What an agent or a discovery is to be started with to join by this token. */
export function joinSettings({ token, caPins }: NewToken): Settings {
  return { JOIN_TOKEN: token, JOIN_CA_PINS: caPins.join(',') };
}

async function allPages<Page extends { readonly nextPageToken: string }, Item>(
  read: (page: { readonly pageSize: number; readonly pageToken: string }) => Promise<Page>,
  items: (page: Page) => readonly Item[],
): Promise<Item[]> {
  const all: Item[] = [];
  let pageToken = '';
  do {
    const page = await read({ pageSize: 1_000, pageToken });
    all.push(...items(page));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return all;
}
