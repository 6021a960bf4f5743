import { Code, ConnectError } from '@connectrpc/connect';
import type { AccessRole } from '@tagplane/protocol';
import type { CommandBody, CommandContext } from '../context.ts';
import { EXIT_OK, TagctlError } from '../errors.ts';
import { listPrinter, printOne } from '../format/print.ts';
import { pages } from '../pages.ts';
import { removeEach } from '../remove-each.ts';
import { roleTable, roleView } from '../views/access-role.ts';

/** `roles ls`, in the order of their names. */
export function listRoles(limit: number | undefined): CommandBody {
  return async (context) => {
    const printer = listPrinter(context.format, roleTable, context.io);
    for await (const roles of rolePages(context, limit)) await printer.add(roles.map(roleView));
    await printer.end();
    return EXIT_OK;
  };
}

/** All roles, page by page. */
export function rolePages(
  { api, io }: Pick<CommandContext, 'api' | 'io'>,
  limit?: number,
): AsyncGenerator<readonly AccessRole[]> {
  return pages(async (request) => {
    const page = await api.roles.listRoles(request, { signal: io.signal });
    return { items: page.roles, next: page.nextPageToken };
  }, limit);
}

/** `roles get NAME`. */
export function getRole(name: string): CommandBody {
  return async (context) => {
    const role = await findRole(context, name);
    if (role === undefined) throw noSuchRole(name);
    await printOne(context.format, roleTable, roleView(role), context.io);
    return EXIT_OK;
  };
}

/** Undefined when there is none of this name. */
export async function findRole(
  { api, io }: Pick<CommandContext, 'api' | 'io'>,
  name: string,
): Promise<AccessRole | undefined> {
  try {
    return (await api.roles.getRole({ name }, { signal: io.signal })).role;
  } catch (error) {
    if (error instanceof ConnectError && error.code === Code.NotFound) return undefined;
    throw error;
  }
}

export function noSuchRole(name: string): TagctlError {
  return new TagctlError(`no role '${name}'; 'tagctl roles ls' lists them`);
}

/** `roles rm NAME…`: exit 1 when one of them was not there. */
export function removeRoles(names: readonly string[]): CommandBody {
  return ({ api, format, io }) =>
    removeEach({ what: 'role', ids: names, format, io }, async (name) => {
      return (await api.roles.deleteRole({ name }, { signal: io.signal })).deleted;
    });
}
