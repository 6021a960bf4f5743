import { Latch } from '../latch.ts';

/** Events from several tasks for the one loop that takes them, in their order. */
export class Inbox<Event> {
  readonly #events: Event[] = [];
  readonly #latch = new Latch();

  put(event: Event): void {
    this.#events.push(event);
    this.#latch.open();
  }

  /** The next event; undefined when the signal aborts before there is one. */
  async take(signal: AbortSignal): Promise<Event | undefined> {
    if (this.#events.length === 0 && !signal.aborted) await this.#latch.wait(signal).catch(() => undefined);
    return this.#events.shift();
  }
}
