import { draftToMessage } from '@tagplane/protocol';
import type { ServerInfo } from '@tagplane/protocol';
import type { ServerInfoDraft } from '@tagplane/serverinfo';
import { findRole } from '../commands/roles.ts';
import { findServerInfo } from '../commands/server-infos.ts';
import type { CommandContext } from '../context.ts';
import { EXIT_OK, usageError } from '../errors.ts';
import { visible } from '../format/escape.ts';
import { printPreview } from '../preview/preview.ts';
import type { Resource } from './resources.ts';

/** What one request may carry. */
const MAX_TRIED = 1_000;

/** What `create` would make of one document. */
interface TriedView {
  readonly kind: Resource['kind'];
  readonly name: string;
  /** CONFLICT: it would be refused. */
  readonly status: 'NEW' | 'REPLACED' | 'CONFLICT';
}

/** `create --dry-run`: what would become of each document, and of the labels of which nodes. */
export async function tryResources(
  context: CommandContext,
  resources: readonly Resource[],
  force: boolean,
): Promise<number> {
  if (resources.length > MAX_TRIED) {
    throw usageError(`--dry-run: ${resources.length} documents, and it tries at most ${MAX_TRIED} at once`);
  }
  const documents: TriedView[] = [];
  for (const resource of resources) documents.push(await tried(context, resource, force));
  const serverInfos = resources.flatMap((resource, index) =>
    resource.kind === 'server_info' && documents[index]?.status !== 'CONFLICT' ? newOf(resource.draft) : [],
  );
  const lines = documents.map(({ kind, name, status }) => `${kind} ${visible(name)} ${MEANS[status]}`);
  const roles = documents.some(({ kind }) => kind === 'role')
    ? ["what the roles would change: 'tagctl access diff -f FILE'"]
    : [];
  const notes = { document: { documents }, lines: [...lines, ...roles] };
  if (serverInfos.length > 0 || context.format !== 'table') {
    return await printPreview(context, { serverInfos, deleteNames: [] }, notes);
  }
  await context.io.stdout.write(notes.lines.map((line) => `${line}\n`).join(''));
  return EXIT_OK;
}

const MEANS: Readonly<Record<TriedView['status'], string>> = {
  NEW: 'would be new',
  REPLACED: 'would be replaced',
  CONFLICT: 'would be refused: it exists already, or has another revision; --force replaces it',
};

/** Whether the revision is the one that is there has been looked at. */
function newOf({ expectedRevision: _seen, ...draft }: ServerInfoDraft): ServerInfo {
  return draftToMessage(draft);
}

async function tried(context: CommandContext, resource: Resource, force: boolean): Promise<TriedView> {
  const { kind, name } = resource;
  const there = await revisionThere(context, resource);
  const expected = kind === 'role' ? resource.revision : resource.draft.expectedRevision;
  if (force || expected === there) return { kind, name, status: there === undefined ? 'NEW' : 'REPLACED' };
  return { kind, name, status: 'CONFLICT' };
}

/** Undefined when there is none of this name. */
async function revisionThere(context: CommandContext, { kind, name }: Resource): Promise<number | undefined> {
  const there = kind === 'role' ? await findRole(context, name) : await findServerInfo(context, name);
  return there && Number(there.revision);
}
