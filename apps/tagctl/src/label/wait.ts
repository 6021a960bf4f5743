import { formatDuration } from '@tagplane/runtime';
import type { CommandContext } from '../context.ts';
import { visible } from '../format/escape.ts';
import type { TagctlIo } from '../io.ts';
import type { LabelChangeView } from '../views/label-change.ts';
import { watchFeed } from '../watch/feed.ts';
import type { Progress } from './convergence.ts';
import { Convergence } from './convergence.ts';

/** What was waited for. */
export interface Waited extends Progress {
  /** Every connected node has it. */
  readonly done: boolean;
}

/** As often as a person follows. Milliseconds. */
const PROGRESS_MS = 100;
const CLEAR_LINE = '\r\u001b[K';

/**
 * Waits until every connected node that the changes are about holds what they make of it, or the time is up.
 * A terminal is shown how far it has got.
 */
export async function waitForNodes(
  { api, settings, io }: CommandContext,
  changes: readonly LabelChangeView[],
  timeoutMs: number,
): Promise<Waited> {
  const convergence = new Convergence(changes);
  const late = AbortSignal.timeout(timeoutMs);
  const show = progressLine(io);
  const feed = watchFeed({
    // The stream itself has no deadline.
    open: (signal) => api.nodes.watchNodes({}, { signal, timeoutMs: 0 }),
    timeoutMs: settings.timeoutMs,
    signal: AbortSignal.any([io.signal, late]),
  });
  for await (const event of feed) {
    convergence.apply(event);
    if (convergence.done) break;
    await show(() => progressText(convergence.progress));
  }
  io.signal.throwIfAborted();
  await show(undefined);
  return { ...convergence.progress, done: convergence.done };
}

/** `12 of 40 nodes have it`, and what keeps the others. */
export function progressText({ affected, have, notConnected }: Progress): string {
  const away = notConnected > 0 ? `, ${notConnected} not connected` : '';
  return `${have} of ${affected} nodes have it${away}`;
}

const MAX_NAMED = 10;

/** Which connected nodes have it not when the time is up. */
export function lateText({ waiting }: Progress, timeoutMs: number): string {
  const named = waiting.slice(0, MAX_NAMED).map(visible).join(', ');
  const more = waiting.length > MAX_NAMED ? ` and ${waiting.length - MAX_NAMED} more` : '';
  const who = waiting.length === 0 ? 'the nodes could not be watched to the end' : `not yet: ${named}${more}`;
  return `after ${formatDuration(timeoutMs)} ${who}; 'tagctl explain NODE' says why`;
}

/** Shows a text in place of the last one, if there is a terminal; undefined takes it away. */
function progressLine(io: Pick<TagctlIo, 'stderr'>): (text: (() => string) | undefined) => Promise<void> {
  let shownAt = Number.NEGATIVE_INFINITY;
  return async (text) => {
    if (io.stderr.size() === undefined) return;
    const at = performance.now();
    if (text === undefined) await io.stderr.write(CLEAR_LINE);
    else if (at - shownAt >= PROGRESS_MS) {
      shownAt = at;
      await io.stderr.write(`${CLEAR_LINE}${text()}`);
    }
  };
}
