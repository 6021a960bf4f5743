import type { ControlStreamResponse } from '@tagplane/protocol';
import { describe, expect, it } from '@jest/globals';
import { NOTHING } from '@tagplane/session';
import { goodbyeMessage, pingMessage, renewMessage } from './messages.ts';
import { StreamChannel } from './stream-channel.ts';

/** A stream that takes `room` messages before it says that it is full. */
class FakeStream {
  readonly written: unknown[] = [];
  readonly ends: unknown[] = [];
  room = Infinity;

  send({ message }: ControlStreamResponse): boolean {
    this.written.push(message.value);
    this.room -= 1;
    return this.room > 0;
  }

  close(error?: unknown): void {
    this.ends.push(error instanceof Error ? error.message : 'closed');
  }

  destroy(): void {
    this.ends.push('destroyed');
  }
}

function open(): { stream: FakeStream; channel: StreamChannel } {
  const stream = new FakeStream();
  return { stream, channel: new StreamChannel(stream, (reason) => new Error(`denied: ${reason}`)) };
}

const update = (nonce: string) => renewMessage(nonce, NOTHING, 0);
const goodbye = goodbyeMessage('drain', 'bye', 1.5);

describe('StreamChannel', () => {
  it('writes at once, in order, and ends after the goodbye, once', () => {
    const { stream, channel } = open();
    channel.send(pingMessage('1'));
    channel.send(update('2'));
    channel.close(goodbye);
    channel.close(goodbye);
    channel.send(update('late'));
    channel.drain();
    expect(stream.written).toMatchObject([{ nonce: '1' }, { nonce: '2' }, { message: 'bye' }]);
    expect(new Set(stream.ends)).toEqual(new Set(['closed']));
  });

  it('keeps the latest of each kind while the stream is full', () => {
    const { stream, channel } = open();
    stream.room = 1;
    for (let nonce = 0; nonce < 1_000; nonce += 1) {
      channel.send(update(`u${nonce}`));
      channel.send(pingMessage(`p${nonce}`));
    }
    channel.close(goodbye);
    expect(stream.written).toMatchObject([{ nonce: 'u0' }]);
    stream.room = 1;
    channel.drain();
    expect(stream.ends).toEqual([]);
    stream.room = Infinity;
    channel.drain();
    expect(stream.written.slice(1)).toMatchObject([{ nonce: 'p999' }, { nonce: 'u999' }, { message: 'bye' }]);
    expect(stream.ends).toEqual(['closed']);
  });

  it('drops what is unread when it denies or cuts', () => {
    const denied = open();
    const cut = open();
    for (const { stream, channel } of [denied, cut]) {
      stream.room = 1;
      channel.send(update('1'));
      channel.send(update('2'));
    }
    denied.channel.deny('no');
    cut.channel.cut();
    denied.channel.drain();
    expect(denied.stream.written).toHaveLength(1);
    expect(denied.stream.ends[0]).toBe('denied: no');
    expect(cut.stream.ends).toEqual(['destroyed']);
  });
});
