import { Code, ConnectError } from '@connectrpc/connect';
import { accessRoleToMessage } from '@tagplane/protocol';
import type { AccessRole } from '@tagplane/protocol';
import type { CommandBody, CommandContext } from '../context.ts';
import { readResources } from '../create/resources.ts';
import type { RoleDraft } from '../create/role-schema.ts';
import { editUntilWritten } from '../edit/session.ts';
import type { Attempt } from '../edit/session.ts';
import { EXIT_OK } from '../errors.ts';
import { diffLines } from '../format/diff.ts';
import { yamlText } from '../format/document.ts';
import { visible } from '../format/escape.ts';
import { printDocument } from '../format/print.ts';
import { editedRoleView, roleDraftView, roleView } from '../views/access-role.ts';
import { findRole, noSuchRole } from './roles.ts';

/** On top of what is edited. */
export const EDIT_HEAD = `# Save and leave to write it; leave it unchanged, or empty, to write nothing.
`;

/** `roles edit NAME`: refused when someone else has written it since. */
export function editRole(name: string): CommandBody {
  return async (context) => {
    const role = await findRole(context, name);
    if (role === undefined) throw noSuchRole(name);
    const editing = {
      name: `role-${name}`,
      text: `${EDIT_HEAD}${yamlText(editedRoleView(roleView(role)))}`,
      write: (text: string) => writeEdited(context, role, text),
    };
    const written = await editUntilWritten(editing, context.io);
    const { format, io } = context;
    if (format !== 'table')
      await printDocument(format, { name, status: written ? 'ACCEPTED' : 'UNCHANGED' }, io);
    else await io.stdout.write(`role ${visible(name)} ${written ? 'stored' : 'unchanged'}\n`);
    return EXIT_OK;
  };
}

async function writeEdited({ api, io }: CommandContext, before: AccessRole, text: string): Promise<Attempt> {
  const { resources, problems } = readResources(text, io.now());
  if (problems.length > 0) return { kind: 'invalid', problems };
  const [resource, ...others] = resources;
  if (resource?.kind !== 'role' || others.length > 0) {
    return { kind: 'invalid', problems: ['expected one document of kind role'] };
  }
  if (resource.name !== before.name) {
    return { kind: 'invalid', problems: [`metadata.name: expected ${before.name}; an edit renames nothing`] };
  }
  try {
    const answer = await api.roles.putRole(
      {
        role: accessRoleToMessage(resource.role),
        precondition: { case: 'expectedRevision', value: before.revision },
      },
      { signal: io.signal },
    );
    if (answer.written) return { kind: 'written' };
    return { kind: 'refused', lines: staleLines(resource, Number(before.revision), answer.role) };
  } catch (error) {
    if (!isRefusedRole(error)) throw error;
    return { kind: 'invalid', problems: [error.rawMessage] };
  }
}

/** That a role has another revision than the one that was to be replaced, and both versions. */
export function staleLines(
  { role }: Pick<RoleDraft, 'role'>,
  expected: number,
  there: AccessRole | undefined,
): string[] {
  if (there === undefined)
    return [`role ${role.name} is not there any more; yours is of revision ${expected}`];
  const { metadata } = roleView(there);
  const by = metadata.updated_by === '' ? '' : ` by ${metadata.updated_by}`;
  return [
    `role ${role.name} has revision ${metadata.revision}${by}, yours is of revision ${expected}; - there, + yours:`,
    ...diffLines(yamlText(editedRoleView(roleView(there))), yamlText(roleDraftView(role))),
  ];
}

/** It breaks a rule of roles, by itself or together with the others. */
export function isRefusedRole(error: unknown): error is ConnectError {
  if (!(error instanceof ConnectError)) return false;
  return error.code === Code.InvalidArgument || error.code === Code.ResourceExhausted;
}
