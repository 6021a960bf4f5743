/** How often the loop is looked at, in milliseconds. */
const EVERY_MS = 10;

/**
 * Watches this thread's event loop. Unlike a timer's lateness, what it reports does not grow with what else
 * runs on the machine: CPU that the thread had between two looks, which is at most a look's interval and
 * the longest that one turn held the loop.
 */
export function watchLoop(): { readonly stop: () => number } {
  let longestUs = 0;
  let before = threadCpuUs();
  const look = (): void => {
    const now = threadCpuUs();
    longestUs = Math.max(longestUs, now - before);
    before = now;
  };
  const timer = setInterval(look, EVERY_MS);
  return {
    /** @returns milliseconds of CPU */
    stop: () => {
      clearInterval(timer);
      look();
      return longestUs / 1_000;
    },
  };
}

function threadCpuUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
