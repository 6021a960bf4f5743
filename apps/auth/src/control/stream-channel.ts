import type { ControlStreamResponse, RawStream } from '@tagplane/protocol';
import type { AgentChannel } from './channel.ts';
import { Unread } from './unread.ts';

export type AnswerStream = Pick<RawStream<ControlStreamResponse>, 'send' | 'close' | 'destroy'>;

/** A channel that writes to a stream at once, and keeps what is unread while the stream is full. */
export class StreamChannel implements AgentChannel {
  readonly #stream: AnswerStream;
  readonly #denied: (reason: string) => Error;
  /** Made when the stream is full for the first time, which most never are. */
  #unread: Unread | undefined;
  #full = false;
  #closed = false;

  /** `denied` makes the error that `deny` ends the stream with. */
  constructor(stream: AnswerStream, denied: (reason: string) => Error) {
    this.#stream = stream;
    this.#denied = denied;
  }

  send(message: ControlStreamResponse): void {
    if (!this.#closed) this.#put(message);
  }

  close(goodbye: ControlStreamResponse | undefined): void {
    if (this.#closed) return;
    if (goodbye !== undefined) this.#put(goodbye);
    this.#closed = true;
    this.#endIfSent();
  }

  deny(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unread?.clear();
    this.#stream.close(this.#denied(reason));
  }

  cut(): void {
    this.#closed = true;
    this.#unread?.clear();
    this.#stream.destroy();
  }

  /** The stream has room again. */
  drain(): void {
    this.#full = false;
    while (!this.#full) {
      const message = this.#unread?.take();
      if (message === undefined) break;
      this.#full = !this.#stream.send(message);
    }
    if (this.#closed) this.#endIfSent();
  }

  #put(message: ControlStreamResponse): void {
    if (this.#full) (this.#unread ??= new Unread()).put(message);
    else this.#full = !this.#stream.send(message);
  }

  #endIfSent(): void {
    if (this.#unread?.empty !== false) this.#stream.close();
  }
}
