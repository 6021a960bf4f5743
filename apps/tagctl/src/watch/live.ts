import { SECOND, TaskError, runTasks, sleep } from '@tagplane/runtime';
import { tableStyle } from '../format/style.ts';
import type { TagctlIo, TerminalSize } from '../io.ts';
import type { FeedEvent } from './feed.ts';
import { frameLines } from './frame.ts';
import { Screen } from './screen.ts';
import { NodeTracker } from './tracker.ts';

/** Ten pictures a second are as many as a person follows; any number of changes share one. */
const FRAME_MS = SECOND / 10;
/** Ages grow also when nothing happens. */
const IDLE_FRAMES = 10;

/** Shows the nodes as a table that is redrawn in place, until the feed ends. */
export async function showLive(
  feed: (signal: AbortSignal) => AsyncIterable<FeedEvent>,
  target: { readonly size: TerminalSize; readonly addressText: string; readonly io: TagctlIo },
): Promise<void> {
  const { io, addressText } = target;
  const tracker = new NodeTracker();
  const { colour } = tableStyle(io);
  await using screen = await Screen.open(io.stdout);
  let changed = true;
  using _resized = io.stdout.onResize(() => {
    changed = true;
  });
  const done = new AbortController();
  try {
    await runTasks(AbortSignal.any([io.signal, done.signal]), {
      async feed(signal) {
        for await (const event of feed(signal)) {
          tracker.apply(event);
          changed = true;
        }
        done.abort();
      },
      async draw(signal) {
        for (let frame = 0; ; frame += 1) {
          if (changed || frame % IDLE_FRAMES === 0) {
            changed = false;
            const size = io.stdout.size() ?? target.size;
            await screen.draw(frameLines(tracker, { size, colour, addressText, now: io.now() }));
          }
          await sleep(FRAME_MS, signal);
        }
      },
    });
  } catch (error) {
    // The task's name says nothing to a person.
    throw error instanceof TaskError ? error.cause : error;
  }
}
