import { describe, expect, it } from '@jest/globals';
import { NOTHING } from '@tagplane/session';
import fc from 'fast-check';
import { goodbyeMessage, pingMessage, renewMessage, trustChangedMessage } from './messages.ts';
import { Outbox } from './outbox.ts';
import { Unread } from './unread.ts';

function outbox(): { box: Outbox; cuts: number[]; ends: number[] } {
  const cuts: number[] = [];
  const ends: number[] = [];
  const box = new Outbox({ denied: (reason) => new Error(`denied: ${reason}`), cut: () => cuts.push(1) });
  box.onEnd = () => ends.push(1);
  return { box, cuts, ends };
}

const update = (nonce: string) => renewMessage(nonce, NOTHING, 0);
const goodbye = goodbyeMessage('drain', 'bye', 1.5);

describe('Outbox', () => {
  it('hands messages over in order, to a reader that waits and to one that comes later', async () => {
    const { box } = outbox();
    const waiting = box.next();
    box.send(pingMessage('1'));
    box.send(update('2'));
    expect((await waiting).value?.message.case).toBe('ping');
    expect((await box.next()).value?.message.value).toMatchObject({ nonce: '2' });
  });

  it('holds one message of each kind: a slow reader gets only the latest', async () => {
    const { box } = outbox();
    for (let nonce = 0; nonce < 1_000; nonce += 1) {
      box.send(update(`u${nonce}`));
      box.send(pingMessage(`p${nonce}`));
    }
    box.close(goodbye);
    const read: unknown[] = [];
    for await (const { message } of box) read.push(message.value);
    expect(read).toMatchObject([{ nonce: 'u999' }, { nonce: 'p999' }, { message: 'bye' }]);
  });

  it('ends after the goodbye, once', async () => {
    const { box, ends } = outbox();
    const waiting = box.next();
    box.close(goodbye);
    box.close(goodbye);
    box.send(update('late'));
    expect((await waiting).value?.message.case).toBe('goodbye');
    expect(await box.next()).toEqual({ done: true, value: undefined });
    expect(await box.next()).toEqual({ done: true, value: undefined });
    expect(ends).toEqual([1]);
  });

  it('ends at once for a reader that waits', async () => {
    const { box, ends } = outbox();
    const waiting = box.next();
    box.close(undefined);
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(ends).toEqual([1]);
  });

  it('ends with the error of a denial, dropping the rest', async () => {
    const { box } = outbox();
    box.send(update('1'));
    box.deny('no');
    box.fail(new Error('later'));
    await expect(box.next()).rejects.toThrow('denied: no');
  });

  it('is cut for a reader that waits and for one that does not read', async () => {
    const { box, cuts, ends } = outbox();
    const waiting = box.next();
    box.cut();
    expect((await waiting).done).toBe(true);
    const stuck = outbox();
    stuck.box.send(update('1'));
    stuck.box.cut();
    expect(await stuck.box.next()).toEqual({ done: true, value: undefined });
    expect([cuts, ends, stuck.cuts]).toEqual([[1], [1], [1]]);
  });

  it('tells when the stream below is gone', async () => {
    const { box, ends } = outbox();
    box.send(update('1'));
    await box.return();
    expect([await box.next(), ends]).toEqual([{ done: true, value: undefined }, [1]]);
  });
});

describe('what is unread', () => {
  type Kind = 'updateLabels' | 'ping' | 'trustChanged';
  const kinds: Kind[] = ['updateLabels', 'ping', 'trustChanged'];
  const messageOf = (kind: Kind, number: number) => {
    if (kind === 'updateLabels') return update(`${number}`);
    return kind === 'ping' ? pingMessage(`${number}`) : trustChangedMessage(number, 1);
  };

  it('is the latest of each kind, in the order of their first, whatever was sent', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...kinds), { maxLength: 30 }), (sent) => {
        const unread = new Unread();
        for (const [number, kind] of sent.entries()) unread.put(messageOf(kind, number));
        const first = [...new Set(sent)];
        const latest = first.map((kind) => messageOf(kind, sent.lastIndexOf(kind)));
        expect(first.map(() => unread.take())).toEqual(latest);
        expect(unread.empty).toBe(true);
      }),
    );
  });
});
