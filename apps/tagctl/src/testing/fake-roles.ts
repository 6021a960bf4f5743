import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import { Code, ConnectError } from '@connectrpc/connect';
import { AccessRoleSchema, RoleService } from '@tagplane/protocol';
import type { AccessRole, PutRoleRequest } from '@tagplane/protocol';
import { NOW } from './capture.ts';

/** The roles of a FakeAuth, with the preconditions of the real one. */
export class FakeRoles {
  readonly roles = new Map<string, AccessRole>();
  readonly puts: PutRoleRequest[] = [];
  /** Refuses each next write with this. */
  failures: ConnectError[] = [];
  /** Called before each write, as by someone who writes at the same time. */
  beforePut: (() => void) | undefined;
  #revision = 0n;

  routes(router: ConnectRouter, note: (context: HandlerContext) => void): void {
    router.service(RoleService, {
      putRole: (request, context) => {
        note(context);
        return this.#put(request);
      },
      getRole: ({ name }, context) => {
        note(context);
        const role = this.roles.get(name);
        if (role === undefined) throw new ConnectError('no such role', Code.NotFound);
        return { role };
      },
      listRoles: ({ pageSize, pageToken }, context) => {
        note(context);
        const all = [...this.roles.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
        const from = Number(pageToken || '0');
        const to = from + (pageSize || 100);
        return { roles: all.slice(from, to), nextPageToken: to < all.length ? String(to) : '' };
      },
      deleteRole: ({ name }, context) => {
        note(context);
        return { deleted: this.roles.delete(name) };
      },
    });
  }

  /** Writes one as someone else would. */
  store(role: AccessRole): AccessRole {
    this.#revision += 1n;
    const stored = create(AccessRoleSchema, {
      ...role,
      revision: this.#revision,
      updatedBy: 'operator/tester',
      updatedAt: timestampFromMs(NOW - 60_000),
    });
    this.roles.set(stored.name, stored);
    return stored;
  }

  #put(request: PutRoleRequest) {
    this.beforePut?.();
    this.puts.push(request);
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    const { role, precondition } = request;
    if (role === undefined) throw new ConnectError('no role', Code.InvalidArgument);
    const there = this.roles.get(role.name);
    const absent = precondition.case === 'createOnly' && precondition.value;
    const stale = precondition.case === 'expectedRevision' && precondition.value !== there?.revision;
    if (stale || (absent && there !== undefined)) {
      return { written: false, ...(there === undefined ? {} : { role: there }) };
    }
    return { written: true, role: this.store(role) };
  }
}
