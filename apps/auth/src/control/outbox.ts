import type { ControlStreamResponse } from '@tagplane/protocol';
import type { AgentChannel } from './channel.ts';
import { Unread } from './unread.ts';

type Result = IteratorResult<ControlStreamResponse, undefined>;

const DONE: Result = { done: true, value: undefined };

export interface OutboxOptions {
  /** Makes the error that `deny` ends the stream with. */
  readonly denied: (reason: string) => Error;
  /** Ends the stream below at once; undefined: there is no way to. */
  readonly cut: (() => void) | undefined;
}

/**
 * A channel that is read as the stream of answers of a call. Written by hand: a generator for each of
 * thousands of streams costs more than all the rest of a session.
 */
export class Outbox
  implements
    AgentChannel,
    AsyncIterable<ControlStreamResponse>,
    AsyncIterator<ControlStreamResponse, undefined>
{
  readonly #options: OutboxOptions;
  readonly #queue = new Unread();
  #end: 'open' | 'closed' | { readonly error: unknown } = 'open';
  #waiting:
    { readonly resolve: (result: Result) => void; readonly reject: (error: unknown) => void } | undefined;
  /** Called once, when nobody reads any more. */
  onEnd: (() => void) | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  send(message: ControlStreamResponse): void {
    if (this.#end !== 'open') return;
    this.#put(message);
  }

  close(goodbye: ControlStreamResponse | undefined): void {
    if (this.#end !== 'open') return;
    if (goodbye !== undefined) this.#put(goodbye);
    this.#end = 'closed';
    if (this.#queue.empty) this.#settle();
  }

  deny(reason: string): void {
    this.fail(this.#options.denied(reason));
  }

  /** Ends the stream with this error; what is queued is dropped. */
  fail(error: unknown): void {
    if (this.#end !== 'open') return;
    this.#queue.clear();
    this.#end = { error };
    this.#settle();
  }

  cut(): void {
    this.#queue.clear();
    if (this.#end === 'open') this.#end = 'closed';
    this.#settle();
    this.#options.cut?.();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    const message = this.#queue.take();
    if (message !== undefined) return Promise.resolve({ done: false, value: message });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#end !== 'open') this.#settle();
    });
  }

  /** The stream below is gone. */
  return(): Promise<Result> {
    this.#queue.clear();
    this.#end = 'closed';
    this.#settle();
    this.#ended();
    return Promise.resolve(DONE);
  }

  #put(message: ControlStreamResponse): void {
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting.resolve({ done: false, value: message });
      return;
    }
    this.#queue.put(message);
  }

  #settle(): void {
    const waiting = this.#waiting;
    if (waiting === undefined || this.#end === 'open') return;
    this.#waiting = undefined;
    if (this.#end === 'closed') waiting.resolve(DONE);
    else waiting.reject(this.#end.error);
    this.#ended();
  }

  #ended(): void {
    const { onEnd } = this;
    this.onEnd = undefined;
    onEnd?.();
  }
}
