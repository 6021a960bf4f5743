import { draftToMessage } from '@tagplane/protocol';
import type { CommandBody, CommandContext } from '../context.ts';
import { batches } from '../create/batches.ts';
import { readInput } from '../create/read-input.ts';
import { readResources } from '../create/resources.ts';
import type { Resource } from '../create/resources.ts';
import { putRole } from '../create/write-role.ts';
import { upsertServerInfos } from '../create/write-server-infos.ts';
import { EXIT_FAILED, EXIT_HELD, EXIT_OK, usageError } from '../errors.ts';
import { visible } from '../format/escape.ts';
import { documentPrinter } from '../format/print.ts';
import type { ListPrinter } from '../format/print.ts';
import type { CreatedView } from '../views/created.ts';

/** After these many a person reads no further. */
const MAX_PROBLEMS_SHOWN = 20;

export interface CreateFlags {
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

/** `create FILE`: nothing is sent if any document is bad; exit 1 if any was not accepted, 4 if any is held. */
export function createResources(file: string, { force = false, dryRun = false }: CreateFlags): CommandBody {
  return async (context) => {
    const { format, io } = context;
    const resources = await readFileResources(file, io);
    if (dryRun) {
      const { tryResources } = await import('../create/try.ts');
      return await tryResources(context, resources, force);
    }
    const printer = format === 'table' ? linePrinter(context) : documentPrinter<CreatedView>(format, io);
    const statuses = new Set<CreatedView['status']>();
    for await (const created of writeInOrder(context, resources, force)) {
      for (const { status } of created) statuses.add(status);
      await printer.add(created);
    }
    await printer.end();
    statuses.delete('ACCEPTED');
    if (statuses.size === 0) return EXIT_OK;
    return statuses.size === 1 && statuses.has('HELD') ? EXIT_HELD : EXIT_FAILED;
  };
}

/** @throws TagctlError (usage) that names every problem, up to a bound */
export async function readFileResources(
  file: string,
  io: CommandContext['io'],
): Promise<readonly Resource[]> {
  const { resources, problems } = readResources(await readInput(file, io), io.now());
  if (problems.length > 0) throw usageError(problemLines(file, problems));
  return resources;
}

/** Documents are written in the order of the file; ServerInfos that follow each other share a request. */
async function* writeInOrder(
  context: CommandContext,
  resources: readonly Resource[],
  force: boolean,
): AsyncGenerator<readonly CreatedView[]> {
  for (const run of runs(resources)) {
    const [first] = run;
    if (first?.kind === 'role') {
      yield [await putRole(context, first, force)];
      continue;
    }
    const messages = run.flatMap((each) => (each.kind === 'server_info' ? draftToMessage(each.draft) : []));
    for (const batch of batches(messages)) yield await upsertServerInfos(context, batch, force);
  }
}

/** Each role by itself, and ServerInfos that follow each other together, if they are written in one way. */
function runs(resources: readonly Resource[]): Resource[][] {
  const all: Resource[][] = [];
  let last = '';
  for (const resource of resources) {
    const revised = resource.kind === 'server_info' && resource.draft.expectedRevision !== undefined;
    const way = `${resource.kind} ${String(revised)}`;
    if (resource.kind === 'server_info' && way === last) all.at(-1)?.push(resource);
    else all.push([resource]);
    last = way;
  }
  return all;
}

function problemLines(file: string, problems: readonly string[]): string {
  const name = file === '-' ? 'standard input' : file;
  const shown = problems.slice(0, MAX_PROBLEMS_SHOWN).map((problem) => `${name}: ${problem}`);
  const more = problems.length - shown.length;
  return [...shown, ...(more > 0 ? [`${name}: and ${more} more`] : [])].join('\n');
}

/** What was accepted goes to stdout, what was not to stderr. */
function linePrinter({ io }: CommandContext): ListPrinter<CreatedView> {
  return {
    async add(views) {
      for (const view of views) {
        const name = `${view.kind} ${visible(view.name)}`;
        if (view.status === 'ACCEPTED') await io.stdout.write(`${name} stored\n`);
        else {
          const [first = view.status, ...more] = (view.reason ?? view.status).split('\n');
          const lines = [`${name}: ${visible(first)}`, ...more.map(visible)];
          await io.stderr.write(lines.map((line) => `tagctl: ${line}\n`).join(''));
        }
      }
    },
    end: () => Promise.resolve(),
  };
}
