import { create } from '@bufbuild/protobuf';
import type { DescMethod, DescMethodStreaming, DescMethodUnary, DescService } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import type { Transport } from '@connectrpc/connect';
import type { Role } from '@tagplane/identity';
import * as protocol from '@tagplane/protocol';
import { connectClient } from '../attacker/client.ts';
import type { Outcome } from '../attacker/client.ts';
import { envelope, rawCall } from '../attacker/raw-call.ts';
import type { Target } from '../target/target.ts';

type Caller = Role | 'nobody';
const CALLERS: readonly Caller[] = ['nobody', 'agent', 'discovery', 'operator', 'auth'];

/**
 * Who may call what, written down a second time and apart from the service's own table: a change of one
 * of them must be made in the other as well.
 */
const ALLOWED: Readonly<Record<string, readonly Caller[]>> = {
  'AuditService/TailAudit': ['operator'],
  'CaService/GetCaStatus': ['operator'],
  'CaService/RotateCa': ['operator'],
  'DiscoveryService/ClaimEnrolments': ['discovery'],
  'DiscoveryService/HoldLease': ['discovery'],
  'DiscoveryService/ListAgentInstances': ['discovery'],
  'DiscoveryService/ListGroups': ['operator'],
  'DiscoveryService/ListInstances': ['discovery', 'operator'],
  'DiscoveryService/ListScopes': ['operator'],
  'DiscoveryService/RecordEnrolments': ['discovery'],
  'DiscoveryService/ReleaseLease': ['discovery'],
  'DiscoveryService/ReportScopes': ['discovery'],
  'ExplainService/ExplainNode': ['operator'],
  'ExplainService/PreviewServerInfos': ['operator'],
  'GuardService/DropHold': ['operator'],
  'GuardService/ListHolds': ['operator'],
  'GuardService/ReleaseHold': ['operator'],
  'GuardService/RequestChange': ['discovery'],
  'IdentityService/GetTrust': ['agent', 'discovery', 'operator'],
  'IdentityService/RenewCertificate': ['agent', 'discovery', 'operator'],
  'InventoryService/ControlStream': ['agent'],
  'JoinRecordService/ListJoins': ['operator'],
  'JoinRecordService/ResetJoin': ['operator'],
  'JoinService/Join': CALLERS,
  'LockService/AddLock': ['operator'],
  'LockService/ListLocks': ['operator'],
  'LockService/RemoveLock': ['operator'],
  'NodeService/GetNode': ['operator'],
  'NodeService/ListNodes': ['operator'],
  'NodeService/WatchNodes': ['operator'],
  'RoleService/DeleteRole': ['operator'],
  'RoleService/GetRole': ['operator'],
  'RoleService/ListRoles': ['operator'],
  'RoleService/PutRole': ['operator'],
  'ServerInfoService/DeleteServerInfos': ['discovery', 'operator'],
  'ServerInfoService/GetServerInfo': ['discovery', 'operator'],
  'ServerInfoService/ListServerInfos': ['discovery', 'operator'],
  'ServerInfoService/UpsertServerInfos': ['discovery', 'operator'],
  'StatusService/GetStatus': ['discovery', 'operator'],
  'TokenService/AddToken': ['operator'],
  'TokenService/ListTokens': ['operator'],
  'TokenService/RemoveToken': ['operator'],
};

/** A call without a deadline may be served by other code than one that has one. */
const TIMEOUTS = [10_000, undefined];

/** Every method of every service that the protocol has. */
const METHODS: readonly DescMethod[] = Object.values<unknown>(protocol)
  .filter(isService)
  .flatMap((service) => service.methods);

export function roleAttacks(target: () => Target): void {
  describe('a certificate of the right CA and the wrong role', () => {
    it('is tried on every method there is', () => {
      expect(METHODS.map(nameOf).sort()).toEqual(Object.keys(ALLOWED));
    });

    it.each(['v1', 'v1alpha'])('is told nothing by reflection (%s)', async (version) => {
      for (const role of ['agent', 'discovery', 'auth', undefined] as const) {
        const { source, text } = await reflect(target(), role, version);
        expect(text).toMatch(/"code":"(permission_denied|unauthenticated)"/);
        expect(text).not.toContain('AuditService');
        await target().audit.expect({ code: 'call.refused', source });
      }
      expect((await reflect(target(), 'operator', version)).text).toContain('tagplane.v1.NodeService');
    });

    it.each(CALLERS)('%s gets what it may, and PERMISSION_DENIED or UNAUTHENTICATED else', async (caller) => {
      const name = `role-${caller}`;
      const certificate =
        caller === 'nobody' ? undefined : await target().issuer.certify({ role: caller, name });
      const dial = target().dial(certificate && { certificate });
      using client = connectClient(dial);
      const refused = caller === 'nobody' ? 'Unauthenticated' : 'PermissionDenied';
      const wrong: string[] = [];
      for (const method of METHODS) {
        const allowed = ALLOWED[nameOf(method)]?.includes(caller) === true;
        for (const timeoutMs of TIMEOUTS) {
          const outcome = await target().attempt(call(client.transport, method, timeoutMs));
          if (allowed ? isRefusal(outcome) : outcome.code !== refused) {
            wrong.push(`${nameOf(method)}: ${outcome.code} ${outcome.message}`);
          }
        }
      }
      expect(wrong).toEqual([]);
      for (const method of METHODS) {
        if (ALLOWED[nameOf(method)]?.includes(caller) === true) continue;
        // Nobody's refusals are all alike, and counted together.
        const more = caller === 'nobody' ? {} : { actor: `${caller}/${name}`, details: methodOf(method) };
        await target().audit.expect({ code: 'call.refused', source: dial.source, ...more });
      }
    });
  });
}

/** Asks what services there are. */
async function reflect(target: Target, role: Role | undefined, version: string) {
  const certificate = role && (await target.issuer.certify({ role, name: 'curious' }));
  const dial = target.dial(certificate && { certificate });
  const answer = await rawCall(dial, {
    path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    contentType: 'application/connect+proto',
    // list_services: '*'
    body: [envelope(Buffer.of(0x3a, 0x01, 0x2a))],
  });
  return { source: dial.source, text: answer.body.toString('latin1') };
}

function isService(value: unknown): value is DescService {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'service';
}

function nameOf(method: DescMethod): string {
  return `${method.parent.name}/${method.name}`;
}

function methodOf(method: DescMethod): Record<string, string> {
  return { method: `${method.parent.typeName}/${method.name}` };
}

function isRefusal({ code }: Outcome): boolean {
  return code === 'Unauthenticated' || code === 'PermissionDenied';
}

/** Calls with one empty message and waits for the first answer; who is let in may be told that it is malformed. */
async function call(transport: Transport, method: DescMethod, timeoutMs: number | undefined): Promise<void> {
  const stop = new AbortController();
  const message = create(method.input);
  if (isUnary(method)) {
    await transport.unary(method, stop.signal, timeoutMs, undefined, message);
    return;
  }
  if (!isStreaming(method)) throw new Error('a method of no kind');
  const answers = await transport.stream(method, stop.signal, timeoutMs, undefined, once(message));
  try {
    for await (const _answer of answers.message) return;
  } finally {
    stop.abort();
  }
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === 'unary';
}

function isStreaming(method: DescMethod): method is DescMethodStreaming {
  return method.methodKind !== 'unary';
}

async function* once<Item>(item: Item): AsyncGenerator<Item> {
  await Promise.resolve();
  yield item;
}
