import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seal, unseal } from './seal.ts';
import type { Sealed } from './seal.ts';

const KEY = Buffer.alloc(32, 1);
const SEALED: Sealed = { kind: 'labels', counter: 7, content: { a: [['aws/__proto__', '","mac":"']] } };

describe('a sealed text', () => {
  it('is one line of JSON, and gives back what it was made of', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (value, counter) => {
        const content: unknown = JSON.parse(JSON.stringify(value));
        const text = seal(KEY, { kind: 'roles', counter, content });
        expect(text).toMatch(/^[^\n]*\n$/);
        expect(JSON.parse(text)).toMatchObject({ kind: 'roles', counter });
        const read = unseal(KEY, 'roles', text);
        expect(read).toMatchObject({ ok: true, sealed: { kind: 'roles', counter } });
        expect(read.ok && JSON.stringify(read.sealed.content)).toBe(JSON.stringify(content));
      }),
    );
  });

  it('is refused with any one byte changed, left out or put in', () => {
    const text = seal(KEY, SEALED);
    for (let at = 0; at < text.length; at += 1) {
      const other = text[at] === '1' ? '2' : '1';
      for (const edited of [
        text.slice(0, at) + other + text.slice(at + 1),
        text.slice(0, at) + text.slice(at + 1),
        text.slice(0, at) + other + text.slice(at),
      ]) {
        expect(unseal(KEY, 'labels', edited).ok).toBe(false);
      }
    }
  });

  it.each<[string, () => ReturnType<typeof unseal>, RegExp]>([
    [
      'by another key',
      () => unseal(Buffer.alloc(32, 2), 'labels', seal(KEY, SEALED)),
      /not as this agent wrote/,
    ],
    ['for another file', () => unseal(KEY, 'roles', seal(KEY, SEALED)), /^it is the file of labels$/],
    ['not at all', () => unseal(KEY, 'labels', '{"version":1}\n'), /^it is not sealed$/],
    ['when it is empty', () => unseal(KEY, 'labels', ''), /^it is not sealed$/],
  ])('is refused when sealed %s', (_, read, problem) => {
    expect(read()).toEqual({ ok: false, problem: expect.stringMatching(problem) });
  });
});
