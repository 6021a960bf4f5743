import { describe, expect, it } from '@jest/globals';
import { ChangeBook } from './change-book.ts';

describe('ChangeBook', () => {
  it('tells changes that arrived, that a newer one took the place of, and that were lost', () => {
    const book = new ChangeBook();
    book.wrote(0, 1, 1_000);
    book.held(0, 1, 1_010);
    book.wrote(0, 2, 2_000);
    book.wrote(0, 3, 2_500);
    book.held(0, 3, 2_530);
    book.wrote(1, 4, 3_000);
    expect(book.figures()).toEqual({
      changes: 4,
      arrived: 2,
      superseded: 1,
      lost: 1,
      backwards: 0,
      medianMs: 30,
      longestMs: 530,
    });
    expect(book.figures(2_000, 3_000)).toMatchObject({ changes: 2, arrived: 1, superseded: 1, lost: 0 });
  });

  it('is settled when every node holds what was written last', () => {
    const book = new ChangeBook();
    book.wrote(0, 1, 1);
    book.wrote(1, 2, 2);
    book.held(0, 1, 3);
    expect(book.settled).toBe(false);
    book.held(1, 2, 4);
    expect(book.settled).toBe(true);
    book.wrote(0, 3, 5);
    expect(book.settled).toBe(false);
  });

  it('counts values that come after newer ones', () => {
    const book = new ChangeBook();
    for (const turn of [1, 3, 2, 2, 4]) book.held(0, turn, 0);
    expect(book.figures().backwards).toBe(1);
    book.wrote(0, 4, 0);
    expect(book.settled).toBe(true);
  });
});
