import type { ControlStreamResponse } from '@tagplane/protocol';

/** Messages that an agent has not read: at most one of each kind, the latest, in the order of the kinds' first. */
export class Unread {
  readonly #queue: ControlStreamResponse[] = [];

  get empty(): boolean {
    return this.#queue.length === 0;
  }

  put(message: ControlStreamResponse): void {
    const unread = this.#queue.findIndex((queued) => queued.message.case === message.message.case);
    if (unread >= 0) this.#queue[unread] = message;
    else this.#queue.push(message);
  }

  take(): ControlStreamResponse | undefined {
    return this.#queue.shift();
  }

  clear(): void {
    this.#queue.length = 0;
  }
}
