/** A list of messages that a stream takes in order; ends when closed. */
export class Outbox<Message> implements AsyncIterable<Message> {
  #waiting: Message[] = [];
  #wake: (() => void) | undefined;
  #closed = false;

  send(message: Message): void {
    this.#waiting.push(message);
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Message> {
    for (;;) {
      const ready = this.#waiting;
      this.#waiting = [];
      yield* ready;
      if (this.#waiting.length > 0) continue;
      if (this.#closed) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
