import { describe, expect, it } from '@jest/globals';
import { RecentlyUsed } from './recently-used.ts';

describe('RecentlyUsed', () => {
  function cache(limits: { entries: number; weight: number }): {
    get(text: string): void;
    made: string[];
    size(): number;
  } {
    const used = new RecentlyUsed<string>(limits, (text) => text.length);
    const made: string[] = [];
    const make = (text: string) => () => {
      made.push(text);
      return text;
    };
    return { get: (text) => void used.get(text, make(text)), made, size: () => used.size };
  }

  it('makes a value once, and again when it was forgotten: the one not used for longest', () => {
    const { get, made, size } = cache({ entries: 2, weight: 100 });
    for (const text of ['a', 'b', 'a', 'c', 'a', 'b']) get(text);
    expect(made).toEqual(['a', 'b', 'c', 'b']);
    expect(size()).toBe(2);
  });

  it('is bounded by the weight of its values too', () => {
    const { get, size } = cache({ entries: 10, weight: 10 });
    for (const text of ['aaaa', 'bbbb', 'cc']) get(text);
    expect(size()).toBe(3);
    get('d');
    expect(size()).toBe(3);
    get('x'.repeat(11));
    expect(size()).toBe(0);
  });

  it('keeps nothing of what could not be made', () => {
    const used = new RecentlyUsed<string>({ entries: 1, weight: 10 }, () => 1);
    const fail = (): string => {
      throw new Error('no');
    };
    expect(() => used.get('a', fail)).toThrow('no');
    expect(used.size).toBe(0);
  });
});
