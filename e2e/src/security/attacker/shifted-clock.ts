/** Environment of a program whose clock is to be wrong by so many milliseconds. */
export function shiftedClock(ms: number): Record<string, string> {
  const preload = new URL('./shifted-clock.mjs', import.meta.url);
  return { NODE_OPTIONS: `--import=${preload.href}`, TAGPLANE_TEST_CLOCK_SHIFT: String(ms) };
}
