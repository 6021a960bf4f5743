import type { PreviewTotals, ServerInfo } from '@tagplane/protocol';
import { MINUTE } from '@tagplane/runtime';
import type { CommandContext } from '../context.ts';
import { EXIT_OK, TagctlError } from '../errors.ts';
import { sectionsPrinter } from '../format/sections.ts';
import { labelChangeLine, labelChangeView, totalsText, totalsView } from '../views/label-change.ts';
import type { LabelChangeView } from '../views/label-change.ts';

/** Every node of 100,000 is looked at, a page of records at a time: seconds, on a busy service a minute. */
const PREVIEW_TIMEOUT_MS = 5 * MINUTE;

/** What would be written and removed. */
export interface Tried {
  readonly serverInfos: readonly ServerInfo[];
  readonly deleteNames: readonly string[];
}

/**
 * Asks what writing and removing these would change, and does neither. Yields the changes node by node,
 * returns the totals.
 */
export async function* preview(
  { api, settings, io }: Pick<CommandContext, 'api' | 'settings' | 'io'>,
  { serverInfos, deleteNames }: Tried,
): AsyncGenerator<LabelChangeView, PreviewTotals> {
  const request = { serverInfos: [...serverInfos], deleteNames: [...deleteNames] };
  const timeoutMs = Math.max(settings.timeoutMs, PREVIEW_TIMEOUT_MS);
  let totals: PreviewTotals | undefined;
  for await (const { event } of api.explain.previewServerInfos(request, { signal: io.signal, timeoutMs })) {
    if (event.case === 'change') yield labelChangeView(event.value);
    // Read to the end: a call that is left early keeps its deadline, and with it the process.
    else if (event.case === 'totals') totals = event.value;
  }
  if (totals !== undefined) return totals;
  throw new TagctlError('the auth service ended its preview before the totals; try again');
}

/** Prints a preview while it is read. `notes` are the other keys of the document, and lines for people. */
export async function printPreview(
  context: CommandContext,
  tried: Tried,
  notes: { readonly document?: Readonly<Record<string, unknown>>; readonly lines?: readonly string[] } = {},
): Promise<number> {
  const { format, io } = context;
  const changes = preview(context, tried);
  const printer = format === 'table' ? undefined : sectionsPrinter<LabelChangeView>(format, 'changes', io);
  for (;;) {
    const next = await changes.next();
    if (next.done === true) {
      const totals = totalsView(next.value);
      if (printer !== undefined) await printer.end({ totals, ...notes.document });
      else
        await io.stdout.write(
          [totalsText(totals), ...(notes.lines ?? [])].map((line) => `${line}\n`).join(''),
        );
      return EXIT_OK;
    }
    if (printer !== undefined) await printer.add([next.value]);
    else await io.stdout.write(`${labelChangeLine(next.value)}\n`);
  }
}
