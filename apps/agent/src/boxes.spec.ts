import { describe, expect, it } from '@jest/globals';
import { Inbox } from './inbox.ts';
import { Outbox } from './outbox.ts';

async function collect<Message>(outbox: AsyncIterable<Message>): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const message of outbox) messages.push(message);
  return messages;
}

describe('Inbox', () => {
  it('keeps the order, and tells a source when its event is taken', async () => {
    const inbox = new Inbox<string>();
    const taken: string[] = [];
    const puts = ['a', 'b'].map(async (event) => {
      await inbox.put(event);
      taken.push(event);
    });
    expect(taken).toEqual([]);
    expect(await inbox.take(undefined)).toBe('a');
    await puts[0];
    expect(taken).toEqual(['a']);
    expect(await inbox.take(1)).toBe('b');
    await puts[1];
  });

  it('lets the sources of what is discarded go on, and keeps the rest in order', async () => {
    const inbox = new Inbox<string>();
    const puts = ['a', 'x', 'b', 'x'].map((event) => inbox.put(event));
    inbox.discard((event) => event === 'x');
    await Promise.all([puts[1], puts[3]]);
    expect([await inbox.take(1), await inbox.take(1), await inbox.take(1)]).toEqual(['a', 'b', undefined]);
    await Promise.all(puts);
  });

  it('ends a wait with an event, or without one in time', async () => {
    const inbox = new Inbox<string>();
    expect(await inbox.take(1)).toBeUndefined();
    expect(await inbox.take(-5)).toBeUndefined();
    const waiting = inbox.take(60_000);
    await inbox.put('a');
    expect(await waiting).toBe('a');
  });
});

describe('Outbox', () => {
  it('holds one message of a kind, the newest, made when it is taken', async () => {
    const outbox = new Outbox<string, string>();
    let content = 'old';
    outbox.put('hello', () => 'hello');
    outbox.put('heartbeat', () => 'replaced');
    outbox.put('ack', () => 'ack');
    outbox.put('heartbeat', () => content);
    content = 'new';
    outbox.end();
    outbox.put('late', () => 'late');
    expect(await collect(outbox)).toEqual(['hello', 'new', 'ack']);
  });

  it('waits for messages, and for the end', async () => {
    const outbox = new Outbox<string, number>();
    const taken = collect(outbox);
    outbox.put('a', () => 1);
    await Promise.resolve();
    outbox.put('a', () => 2);
    outbox.put('b', () => 3);
    outbox.end();
    expect((await taken).at(-1)).toBe(3);
  });
});
