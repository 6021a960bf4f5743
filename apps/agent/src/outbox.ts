/**
 * Messages on their way out: at most one of each kind waits, and a newer one takes the place of the one
 * that was not written yet. Messages are made when the stream takes them, so they are never out of date.
 */
export class Outbox<Kind extends string, Message> implements AsyncIterable<Message> {
  readonly #waiting = new Map<Kind, () => Message>();
  #ended = false;
  #wake: (() => void) | undefined;

  put(kind: Kind, make: () => Message): void {
    if (this.#ended) return;
    this.#waiting.set(kind, make);
    this.#wake?.();
  }

  /** No more messages; those that wait are still written. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    for (;;) {
      for (const [kind, make] of this.#waiting) {
        this.#waiting.delete(kind);
        yield make();
      }
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
