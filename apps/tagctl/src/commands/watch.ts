import type { CommandBody } from '../context.ts';
import { EXIT_OK } from '../errors.ts';
import { watchFeed } from '../watch/feed.ts';
import { printChanges } from '../watch/lines.ts';
import { showLive } from '../watch/live.ts';

/** `nodes watch`: until interrupted, which is how it is meant to end. */
export const watchNodes: CommandBody = async ({ api, settings, format, io }) => {
  const { timeoutMs, addressText } = settings;
  const feed = (signal: AbortSignal) =>
    watchFeed({
      // The stream itself has no deadline.
      open: (open) => api.nodes.watchNodes({}, { signal: open, timeoutMs: 0 }),
      timeoutMs,
      signal,
    });
  const size = io.stdout.size();
  if (format === 'table' && size !== undefined) await showLive(feed, { size, addressText, io });
  else await printChanges(feed(io.signal), { format, addressText, io });
  return EXIT_OK;
};
