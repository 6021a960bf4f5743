import type { AccessChange, AccessRole } from '@tagplane/access';
import {
  RoleError,
  applyRoleChanges,
  compileRoles,
  decide,
  decisionDocument,
  decisionText,
  diffAccess,
} from '@tagplane/access';
import { accessRoleFromMessage } from '@tagplane/protocol';
import { findNode } from '../access/find-node.ts';
import { nodeLabels } from '../access/node-labels.ts';
import type { CommandBody, CommandContext } from '../context.ts';
import { EXIT_DENIED, EXIT_OK, TagctlError, usageError } from '../errors.ts';
import { visible } from '../format/escape.ts';
import { printDocument } from '../format/print.ts';
import { sectionsPrinter } from '../format/sections.ts';
import type { CheckFlags, DiffFlags } from '../groups/access.ts';
import { pages } from '../pages.ts';
import { readFileResources } from './create.ts';
import { findRole, rolePages } from './roles.ts';

/** `access check`: exit 3 when it is not allowed. */
export function checkAccess({ login, roles: held, node: text, trait }: CheckFlags): CommandBody {
  return async (context) => {
    const { format, io } = context;
    const node = await findNode(context, text);
    const roles: AccessRole[] = [];
    for (const name of new Set(held)) {
      const role = await findRole(context, name);
      if (role !== undefined) roles.push(accessRoleFromMessage(role));
    }
    const request = { login, roles: held, traits: trait ?? new Map<string, readonly string[]>() };
    const decision = decide(nodeLabels(node), compiled(roles), request, io.now());
    if (format === 'table') {
      const lines = decisionText(decision).split('\n');
      await io.stdout.write(lines.map((line) => `${visible(line)}\n`).join(''));
    } else {
      await printDocument(format, decisionDocument(decision), io);
    }
    return decision.allowed ? EXIT_OK : EXIT_DENIED;
  };
}

function compiled(roles: readonly AccessRole[]): ReturnType<typeof compileRoles> {
  try {
    return compileRoles(roles);
  } catch (error) {
    if (error instanceof RoleError) throw new TagctlError(`no node decides by these roles: ${error.message}`);
    throw error;
  }
}

/** One line of `access diff`; others script against these names. */
interface AccessChangeView {
  readonly server_id: string;
  readonly role: string;
  readonly login: string;
  readonly effect: AccessChange['effect'];
  readonly change: AccessChange['change'];
}

/** `access diff`: node by node, and the totals at the end. Holds a page of nodes at a time. */
export function diffRolesOnNodes({ file, remove = [] }: DiffFlags): CommandBody {
  return async (context) => {
    const { format, io } = context;
    if (file === undefined && remove.length === 0) throw usageError('give --file, --remove or both');
    const before = await allRoles(context);
    const after = await rolesAfter(context, before, { file, remove });
    const printer = format === 'table' ? undefined : sectionsPrinter<AccessChangeView>(format, 'changes', io);
    const totals = { nodes: 0, nodes_changed: 0, gained: 0, lost: 0 };
    const now = io.now();
    for await (const nodes of nodePages(context)) {
      const known = nodes.map((node) => ({ serverId: node.serverId, labels: nodeLabels(node) }));
      const changes = diffAccess(known, before, after, now);
      totals.nodes += nodes.length;
      totals.nodes_changed += new Set(changes.map(({ serverId }) => serverId)).size;
      for (const { change } of changes) totals[change] += 1;
      if (printer !== undefined) await printer.add(changes.map(changeView));
      else await io.stdout.write(changes.map(changeLine).join(''));
    }
    if (printer !== undefined) await printer.end({ totals });
    else {
      const { nodes, nodes_changed: changed, gained, lost } = totals;
      const text = `${changed} of ${nodes} nodes would change: ${gained} gained, ${lost} lost`;
      await io.stdout.write(`${text}\n`);
    }
    return EXIT_OK;
  };
}

async function allRoles(context: CommandContext): Promise<AccessRole[]> {
  const roles: AccessRole[] = [];
  for await (const page of rolePages(context)) roles.push(...page.map(accessRoleFromMessage));
  return roles;
}

async function rolesAfter(
  { io }: CommandContext,
  before: readonly AccessRole[],
  { file, remove }: { readonly file: string | undefined; readonly remove: readonly string[] },
): Promise<AccessRole[]> {
  const unknown = remove.filter((name) => !before.some((role) => role.name === name));
  if (unknown.length > 0)
    throw new TagctlError(`no role '${unknown[0] ?? ''}'; 'tagctl roles ls' lists them`);
  const resources = file === undefined ? [] : await readFileResources(file, io);
  const put = resources.flatMap((resource) => (resource.kind === 'role' ? resource.role : []));
  if (file !== undefined && put.length === 0)
    throw usageError(`${file}: there is no document of kind role in it`);
  const both = put.find(({ name }) => remove.includes(name));
  if (both !== undefined) throw usageError(`--remove: ${both.name} is in ${file ?? ''} too`);
  const after = applyRoleChanges(before, { put, removed: remove });
  compiled(after);
  return after;
}

function nodePages({ api, io }: CommandContext) {
  return pages(async (request) => {
    const page = await api.nodes.listNodes(request, { signal: io.signal });
    return { items: page.nodes, next: page.nextPageToken };
  });
}

function changeView({ serverId, role, login, effect, change }: AccessChange): AccessChangeView {
  return { server_id: serverId, role, login, effect, change };
}

/** `web-1  +allow  dev  deploy`. */
function changeLine({ serverId, role, login, effect, change }: AccessChange): string {
  const mark = change === 'gained' ? '+' : '-';
  return `${visible(serverId)}  ${mark}${effect}  ${visible(role)}  ${visible(login)}\n`;
}
