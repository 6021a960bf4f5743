import type { PreviewTotals, ServerInfo } from '@tagplane/protocol';
import { MINUTE, formatDuration } from '@tagplane/runtime';
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
 * Asks what writing and removing these would change, and does neither.
 *
 * @param each gets the changes, node by node; the next one waits for it
 * @returns the totals
 */
export async function preview(
  { api, io }: Pick<CommandContext, 'api' | 'io'>,
  { serverInfos, deleteNames }: Tried,
  each: (change: LabelChangeView) => Promise<void> | void,
): Promise<PreviewTotals> {
  const request = { serverInfos: [...serverInfos], deleteNames: [...deleteNames] };
  // Not the call's own deadline, whose timer would keep the process when the call is left early.
  const late = AbortSignal.timeout(PREVIEW_TIMEOUT_MS);
  const left = new AbortController();
  const signal = AbortSignal.any([io.signal, late, left.signal]);
  try {
    for await (const { event } of api.explain.previewServerInfos(request, { signal, timeoutMs: 0 })) {
      if (event.case === 'totals') return event.value;
      if (event.case === 'change') await each(labelChangeView(event.value));
    }
  } catch (error) {
    if (!late.aborted) throw error;
    throw new TagctlError(`no end of the preview within ${formatDuration(PREVIEW_TIMEOUT_MS)}`, {
      cause: error,
    });
  } finally {
    left.abort();
  }
  throw new TagctlError('the auth service ended its preview before the totals; try again');
}

/** Prints a preview while it is read. `notes` are the other keys of the document, and lines for people. */
export async function printPreview(
  context: CommandContext,
  tried: Tried,
  notes: { readonly document?: Readonly<Record<string, unknown>>; readonly lines?: readonly string[] } = {},
): Promise<number> {
  const { format, io } = context;
  const printer = format === 'table' ? undefined : sectionsPrinter<LabelChangeView>(format, 'changes', io);
  const totals = totalsView(
    await preview(context, tried, async (change) => {
      if (printer !== undefined) await printer.add([change]);
      else await io.stdout.write(`${labelChangeLine(change)}\n`);
    }),
  );
  if (printer !== undefined) await printer.end({ totals, ...notes.document });
  else {
    const lines = [totalsText(totals), ...(notes.lines ?? [])];
    await io.stdout.write(lines.map((line) => `${line}\n`).join(''));
  }
  return EXIT_OK;
}
