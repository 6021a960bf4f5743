/**
 * Events for one loop. A source that can go on for ever awaits `put`, which resolves when its event is
 * taken: so the queue is never longer than there are sources.
 */
export class Inbox<Event> {
  readonly #queue: { readonly event: Event; readonly taken: () => void }[] = [];
  #wake: (() => void) | undefined;

  put(event: Event): Promise<void> {
    return new Promise((resolve) => {
      this.#queue.push({ event, taken: resolve });
      this.#wake?.();
    });
  }

  /**
   * The next event; undefined when none came in time.
   *
   * @param ms milliseconds; undefined: waits for ever
   */
  async take(ms: number | undefined): Promise<Event | undefined> {
    if (this.#queue.length === 0) await this.#arrival(ms);
    const item = this.#queue.shift();
    item?.taken();
    return item?.event;
  }

  /** Takes these out unread: their sources go on as if they had been taken. */
  discard(unwanted: (event: Event) => boolean): void {
    const kept = this.#queue.filter((item) => {
      if (!unwanted(item.event)) return true;
      item.taken();
      return false;
    });
    this.#queue.splice(0, this.#queue.length, ...kept);
  }

  #arrival(ms: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(done, Math.max(0, Math.min(ms, 2 ** 31 - 1)));
      function done(): void {
        clearTimeout(timer);
        resolve();
      }
      this.#wake = () => {
        this.#wake = undefined;
        done();
      };
    });
  }
}
