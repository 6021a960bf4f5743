import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, it } from '@jest/globals';
import type { Peer, Role } from '@tagplane/identity';
import { ROLES } from '@tagplane/identity';
import {
  AuditService,
  CaService,
  DiscoveryService,
  ExplainService,
  GuardService,
  IdentityService,
  InventoryService,
  JoinRecordService,
  JoinService,
  LockService,
  NodeService,
  RoleService,
  ServerInfoService,
  StatusService,
  TokenService,
} from '@tagplane/protocol';
import type { PeerConnection } from '@tagplane/protocol';
import type { AuditRecord } from './audit/audit.ts';
import { authorise, createAuthorise } from './authorise.ts';

const SERVICES = [
  ServerInfoService,
  NodeService,
  RoleService,
  InventoryService,
  StatusService,
  IdentityService,
  JoinService,
  TokenService,
  LockService,
  JoinRecordService,
  CaService,
  AuditService,
  GuardService,
  ExplainService,
  DiscoveryService,
];
const METHODS = SERVICES.flatMap(({ methods }) => methods);

/** Every cell: the method, then `y` where the role in that column may call it. */
const COLUMNS = ['nobody', 'agent', 'discovery', 'operator', 'auth'] as const;
const CELLS: Readonly<Record<string, string>> = {
  UpsertServerInfos: '- - y y -',
  DeleteServerInfos: '- - y y -',
  GetServerInfo: '- - y y -',
  ListServerInfos: '- - y y -',
  GetStatus: '- - y y -',
  ListNodes: '- - - y -',
  GetNode: '- - - y -',
  WatchNodes: '- - - y -',
  PutRole: '- - - y -',
  GetRole: '- - - y -',
  ListRoles: '- - - y -',
  DeleteRole: '- - - y -',
  ControlStream: '- y - - -',
  RenewCertificate: '- y y y -',
  GetTrust: '- y y y -',
  Join: 'y y y y y',
  AddToken: '- - - y -',
  ListTokens: '- - - y -',
  RemoveToken: '- - - y -',
  AddLock: '- - - y -',
  ListLocks: '- - - y -',
  RemoveLock: '- - - y -',
  ListJoins: '- - - y -',
  ResetJoin: '- - - y -',
  GetCaStatus: '- - - y -',
  RotateCa: '- - - y -',
  TailAudit: '- - - y -',
  RequestChange: '- - y - -',
  ListHolds: '- - - y -',
  ReleaseHold: '- - - y -',
  DropHold: '- - - y -',
  ExplainNode: '- - - y -',
  PreviewServerInfos: '- - - y -',
  HoldLease: '- - y - -',
  ReleaseLease: '- - y - -',
  ReportScopes: '- - y - -',
  ListAgentInstances: '- - y - -',
  ClaimEnrolments: '- - y - -',
  RecordEnrolments: '- - y - -',
  ListGroups: '- - - y -',
  ListScopes: '- - - y -',
  ListInstances: '- - y y -',
};

const cells = METHODS.flatMap((method) =>
  COLUMNS.map((role, column) => ({
    role,
    name: method.name,
    method,
    allowed: (CELLS[method.name] ?? '').split(' ')[column] === 'y',
  })),
);

function peerOf(role: (typeof COLUMNS)[number]): Peer | undefined {
  return role === 'nobody' ? undefined : { role, name: 'x', proof: 'certificate' };
}

function codeOf(act: () => void): Code | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return ConnectError.from(error).code;
  }
}

describe('the table of who may call what', () => {
  it('is written down here for every method of every service, and for every role', () => {
    expect(Object.keys(CELLS).sort()).toEqual(METHODS.map(({ name }) => name).sort());
    expect([...COLUMNS].sort()).toEqual(['nobody', ...ROLES].sort());
  });

  it.each(cells)('$role × $name', ({ role, method, allowed }) => {
    const refusal = role === 'nobody' ? Code.Unauthenticated : Code.PermissionDenied;
    const code = codeOf(() => {
      authorise(method, peerOf(role));
    });
    expect(code).toBe(allowed ? undefined : refusal);
  });

  it('refuses a method that has no rule', () => {
    for (const name of ['Other', 'constructor', '__proto__']) {
      const method = { ...StatusService.method.getStatus, name };
      const code = codeOf(() => {
        authorise(method, peerOf('operator'));
      });
      expect(code).toBe(Code.PermissionDenied);
    }
  });
});

describe('createAuthorise', () => {
  const peer: Peer & { proof: 'certificate' } = { role: 'operator', name: 'ops', proof: 'certificate' };
  const connection: PeerConnection = {
    remoteAddress: '192.0.2.7',
    identity: { peer, id: 'spiffe://c/operator/ops', issuer: 'sha256:', validUntil: 1 },
    problem: undefined,
    trustGeneration: 0,
    renewed: () => undefined,
    cut: () => undefined,
  };

  function setUp(locks: { loaded?: boolean; reason?: string } = {}) {
    const events: AuditRecord[] = [];
    const check = createAuthorise({
      locks: { loaded: locks.loaded ?? true, lockedReason: () => locks.reason },
      audit: { record: (event) => events.push(event) },
    });
    return { check, events };
  }

  const calls: readonly {
    readonly what: string;
    readonly set: { loaded?: boolean; reason?: string };
    readonly from: PeerConnection;
    readonly as: Peer | undefined;
    readonly code: Code | undefined;
  }[] = [
    { what: 'nothing stands against it', set: {}, from: connection, as: peer, code: undefined },
    {
      what: 'its holder is locked',
      set: { reason: 'locked: lost laptop' },
      from: connection,
      as: peer,
      code: Code.PermissionDenied,
    },
    {
      what: 'locks are not known',
      set: { loaded: false },
      from: connection,
      as: peer,
      code: Code.Unavailable,
    },
    {
      what: 'its certificate was refused',
      set: {},
      from: { ...connection, identity: undefined, problem: 'the certificate has expired' },
      as: undefined,
      code: Code.Unauthenticated,
    },
  ];

  it.each(calls)('decides when $what', ({ set, from, as, code }) => {
    const { check, events } = setUp(set);
    const act = (): void => {
      check(NodeService.method.listNodes, as, from);
    };
    expect(codeOf(act)).toBe(code);
    expect(events).toHaveLength(code === undefined ? 0 : 1);
  });

  it('does not let a refused certificate join as a stranger', () => {
    const { check } = setUp();
    const from = { ...connection, identity: undefined, problem: 'the certificate has expired' };
    const act = (): void => {
      check(JoinService.method.join, undefined, from);
    };
    expect(codeOf(act)).toBe(Code.Unauthenticated);
  });

  it('tells a stranger over TLS of certificates, not of the header that counts without TLS', () => {
    const { check, events } = setUp();
    const stranger = { ...connection, identity: undefined };
    expect(() => {
      check(NodeService.method.listNodes, undefined, stranger);
    }).toThrow('no certificate was shown');
    expect(events).toMatchObject([
      { code: 'call.refused', reason: expect.stringContaining('no certificate') },
    ]);
  });

  it('audits who was refused what, from where', () => {
    const { check, events } = setUp();
    const agent: Peer = { role: 'agent' satisfies Role, name: 'web-1', proof: 'certificate' };
    expect(() => {
      check(NodeService.method.listNodes, agent, connection);
    }).toThrow('may not call ListNodes');
    expect(events).toEqual([
      {
        code: 'call.refused',
        result: 'refused',
        actor: 'agent/web-1',
        remoteAddress: '192.0.2.7',
        reason: 'the role agent may not call ListNodes',
        details: { method: 'tagplane.v1.NodeService/ListNodes' },
      },
    ]);
  });
});
