import { UpsertStatus, draftToMessage } from '@tagplane/protocol';
import type { UpsertResult } from '@tagplane/protocol';
import type { CommandBody, CommandContext } from '../context.ts';
import { batches } from '../create/batches.ts';
import { readDrafts } from '../create/drafts.ts';
import { readInput } from '../create/read-input.ts';
import { EXIT_FAILED, EXIT_OK, usageError } from '../errors.ts';
import { visible } from '../format/escape.ts';
import { documentPrinter } from '../format/print.ts';
import type { ListPrinter } from '../format/print.ts';
import type { CreatedView } from '../views/created.ts';

/** After these many a person reads no further. */
const MAX_PROBLEMS_SHOWN = 20;

/** `create FILE`: nothing is sent if any document is bad; exit 1 if any was not accepted. */
export function createServerInfos(file: string, force: boolean): CommandBody {
  return async (context) => {
    const { api, format, io } = context;
    const { drafts, problems } = readDrafts(await readInput(file, io));
    if (problems.length > 0) throw usageError(problemLines(file, problems));
    const printer = format === 'table' ? linePrinter(context) : documentPrinter<CreatedView>(format, io);
    let refused = 0;
    for (const serverInfos of batches(drafts.map(draftToMessage))) {
      const request = { serverInfos, createOnly: !force };
      const { results } = await api.serverInfos.upsertServerInfos(request, { signal: io.signal });
      const created = serverInfos.map(({ name }, index) => createdView(name, results[index]));
      refused += created.filter(({ status }) => status !== 'ACCEPTED').length;
      await printer.add(created);
    }
    await printer.end();
    return refused === 0 ? EXIT_OK : EXIT_FAILED;
  };
}

function problemLines(file: string, problems: readonly string[]): string {
  const name = file === '-' ? 'standard input' : file;
  const shown = problems.slice(0, MAX_PROBLEMS_SHOWN).map((problem) => `${name}: ${problem}`);
  const more = problems.length - shown.length;
  return [...shown, ...(more > 0 ? [`${name}: and ${more} more`] : [])].join('\n');
}

function createdView(name: string, result: UpsertResult | undefined): CreatedView {
  const reason = result?.reason ?? '';
  switch (result?.status) {
    case UpsertStatus.ACCEPTED:
      return { name, status: 'ACCEPTED', revision: Number(result.revision) };
    case UpsertStatus.CONFLICT:
      return { name, status: 'CONFLICT', reason: 'it exists already; --force replaces it' };
    case UpsertStatus.DENIED:
      return { name, status: 'DENIED', reason: reason || "not an operator's to write" };
    case UpsertStatus.INVALID:
      return { name, status: 'INVALID', reason: reason || 'malformed' };
    default:
      return { name, status: 'UNKNOWN', reason: reason || 'the auth service did not say what became of it' };
  }
}

/** What was accepted goes to stdout, what was not to stderr. */
function linePrinter({ io }: CommandContext): ListPrinter<CreatedView> {
  return {
    async add(views) {
      for (const view of views) {
        const name = `server_info ${visible(view.name)}`;
        if (view.status === 'ACCEPTED') await io.stdout.write(`${name} stored\n`);
        else await io.stderr.write(`tagctl: ${name}: ${visible(view.reason ?? view.status)}\n`);
      }
    },
    end: () => Promise.resolve(),
  };
}
