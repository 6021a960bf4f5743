import { UpsertStatus, draftToMessage } from '@tagplane/protocol';
import type { ServerInfo } from '@tagplane/protocol';
import type { ServerInfoDraft } from '@tagplane/serverinfo';
import { isAssignedName } from '@tagplane/serverinfo';
import type { CommandBody, CommandContext } from '../context.ts';
import { readResources } from '../create/resources.ts';
import { createdView } from '../create/write-server-infos.ts';
import { editUntilWritten } from '../edit/session.ts';
import type { Attempt } from '../edit/session.ts';
import { EXIT_HELD, EXIT_OK, TagctlError } from '../errors.ts';
import { diffLines } from '../format/diff.ts';
import { yamlText } from '../format/document.ts';
import { visible } from '../format/escape.ts';
import { printDocument } from '../format/print.ts';
import { draftDocument, serverInfoDocument } from '../views/server-info-document.ts';
import { serverInfoView } from '../views/server-info.ts';
import { EDIT_HEAD } from './edit-role.ts';
import { findServerInfo, noSuchServerInfo } from './server-infos.ts';

/** `server-infos edit NAME`: refused when someone else has written it since. */
export function editServerInfo(name: string): CommandBody {
  return async (context) => {
    if (!isAssignedName(name)) {
      throw new TagctlError(
        `ServerInfo '${name}' is discovery's: it says what EC2 says; change the tags there`,
      );
    }
    const info = await findServerInfo(context, name);
    if (info === undefined) throw noSuchServerInfo(name);
    const editing = {
      name: `server-info-${name}`,
      text: `${EDIT_HEAD}${yamlText(serverInfoDocument(serverInfoView(info)))}`,
      write: (text: string) => writeEdited(context, info, text),
    };
    const written = await editUntilWritten(editing, context.io);
    const { format, io } = context;
    const status = written ? 'ACCEPTED' : 'UNCHANGED';
    if (format !== 'table') await printDocument(format, { name, status }, io);
    else await io.stdout.write(`server_info ${visible(name)} ${written ? 'stored' : 'unchanged'}\n`);
    return EXIT_OK;
  };
}

async function writeEdited(context: CommandContext, before: ServerInfo, text: string): Promise<Attempt> {
  const { api, io } = context;
  const { resources, problems } = readResources(text, io.now());
  if (problems.length > 0) return { kind: 'invalid', problems };
  const [resource, ...others] = resources;
  if (resource?.kind !== 'server_info' || others.length > 0) {
    return { kind: 'invalid', problems: ['expected one document of kind server_info'] };
  }
  const { draft, name } = resource;
  if (name !== before.name) {
    return { kind: 'invalid', problems: [`metadata.name: expected ${before.name}; an edit renames nothing`] };
  }
  const message = draftToMessage({ ...draft, expectedRevision: Number(before.revision) });
  const request = { serverInfos: [message], createOnly: false };
  const { results } = await api.serverInfos.upsertServerInfos(request, { signal: io.signal });
  const { status, reason = '' } = createdView(name, results[0], false);
  if (status === 'ACCEPTED') return { kind: 'written' };
  if (status === 'HELD')
    return { kind: 'refused', lines: [`server_info ${name} ${reason}`], exitCode: EXIT_HELD };
  if (results[0]?.status === UpsertStatus.CONFLICT) {
    return { kind: 'refused', lines: await staleLines(context, draft, before) };
  }
  return { kind: 'invalid', problems: [reason] };
}

async function staleLines(
  context: CommandContext,
  draft: ServerInfoDraft,
  before: ServerInfo,
): Promise<string[]> {
  const there = await findServerInfo(context, before.name);
  const yours = `yours is of revision ${before.revision}`;
  if (there === undefined) return [`server_info ${before.name} is not there any more; ${yours}`];
  const { revision, origin } = there;
  return [
    `server_info ${before.name} has revision ${revision} by ${origin}, ${yours}; - there, + yours:`,
    ...diffLines(
      yamlText(serverInfoDocument(serverInfoView(there))),
      yamlText(draftDocument(draft, context.io.now())),
    ),
  ];
}
