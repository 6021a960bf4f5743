import { Code, ConnectError } from '@connectrpc/connect';
import type { Hold } from '@tagplane/protocol';
import type { CommandBody, CommandContext } from '../context.ts';
import { EXIT_OK, TagctlError } from '../errors.ts';
import { visible } from '../format/escape.ts';
import { listPrinter, printDocument } from '../format/print.ts';
import { holdTable, holdView } from '../views/hold.ts';

/** `guard ls`. */
export const listHolds: CommandBody = async ({ api, format, io }) => {
  const { holds } = await api.guard.listHolds({}, { signal: io.signal });
  const printer = listPrinter(format, holdTable, io);
  await printer.add(holds.map(holdView));
  await printer.end();
  return EXIT_OK;
};

/** `guard release ID` and `guard drop ID`. */
export function decideHold(id: string, decision: 'release' | 'drop'): CommandBody {
  return async (context) => {
    const { format, io } = context;
    const view = holdView(await decide(context, id, decision));
    if (format !== 'table') {
      await printDocument(format, view, io);
      return EXIT_OK;
    }
    const what = view.description === '' ? `${view.nodes_changed} nodes of ${view.scope}` : view.description;
    const done = decision === 'release' ? 'released' : 'dropped';
    await io.stdout.write(`hold ${visible(view.id)} ${done}: ${visible(what)}\n`);
    return EXIT_OK;
  };
}

async function decide({ api, io }: CommandContext, id: string, decision: 'release' | 'drop'): Promise<Hold> {
  const options = { signal: io.signal };
  try {
    const { hold } =
      decision === 'release'
        ? await api.guard.releaseHold({ id }, options)
        : await api.guard.dropHold({ id }, options);
    if (hold !== undefined) return hold;
  } catch (error) {
    if (!(error instanceof ConnectError && error.code === Code.NotFound)) throw error;
  }
  throw new TagctlError(`no hold '${id}'; 'tagctl guard ls' lists them`);
}
