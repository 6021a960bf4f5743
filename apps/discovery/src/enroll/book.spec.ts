import { describe, expect, it } from '@jest/globals';
import { instanceKeyText } from '@tagplane/identity';
import { HOUR, MINUTE } from '@tagplane/runtime';
import { ARRIVAL_MS, CLAIM_MS, COMMAND_MS, EnrolmentBook } from './book.ts';
import { candidateOf, keyOf } from './testing/samples.ts';
import { enrolmentBackoff } from './tries.ts';
import { REASONS } from './view.ts';

const NOW = 1_700_000_000_000;
const ID = instanceKeyText(keyOf(1));

function begun(): EnrolmentBook {
  const book = new EnrolmentBook(() => 0);
  book.begin([candidateOf(1)], NOW);
  return book;
}

describe('EnrolmentBook', () => {
  it('makes a claim good for a whole attempt, within the hour that a claim may have', () => {
    expect(CLAIM_MS).toBe(20 * MINUTE);
    expect(COMMAND_MS + ARRIVAL_MS).toBe(CLAIM_MS);
  });

  it('counts attempts, and not those that came to nothing for another reason', () => {
    const book = begun();
    book.postpone(ID, 'SSM throttles', NOW + MINUTE);
    expect(book.tries.get(ID)).toMatchObject({
      attempts: 0,
      standing: { phase: 'due', since: NOW + MINUTE },
    });
    book.begin([candidateOf(1)], NOW);
    book.failed(ID, 'InvalidInstanceId', NOW);
    book.begin([candidateOf(1)], NOW);
    expect(book.tries.get(ID)?.attempts).toBe(2);
  });

  it.each([
    ['the command says nothing', false, COMMAND_MS, REASONS.noAnswer],
    ['no agent comes', true, ARRIVAL_MS, REASONS.neverCame],
  ])('fails an attempt when %s', (_what, carriedOut, afterMs, reason) => {
    const book = begun();
    book.commanded(ID, 'c', NOW);
    if (carriedOut) book.carriedOut({ id: ID, commandId: 'c' }, NOW);
    expect(book.expire(NOW + afterMs - 1)).toEqual([]);
    expect(book.inFlight).toBe(1);
    expect(book.expire(NOW + afterMs)).toEqual([ID]);
    expect(book.tries.get(ID)?.standing).toMatchObject({ phase: 'failed', reason, commandId: 'c' });
    expect(book.inFlight).toBe(0);
  });

  it('ignores what is told of an attempt that has ended', () => {
    const book = begun();
    book.failed(ID, 'first', NOW);
    const before = book.tries.get(ID);
    book.commanded(ID, 'late', NOW);
    book.carriedOut({ id: ID, commandId: 'late' }, NOW);
    book.failed(ID, 'second', NOW);
    book.postpone(ID, 'third', NOW);
    expect(book.tries.get(ID)).toBe(before);
    book.failed('no such instance', 'reason', NOW);
    expect(book.tries.size).toBe(1);
  });

  it('tells the commands under way, and the instances they went to', () => {
    const book = new EnrolmentBook();
    book.begin(
      [1, 2, 3, 4].map((number) => candidateOf(number)),
      NOW,
    );
    const [one, two, three] = [1, 2, 3].map((number) => instanceKeyText(keyOf(number)));
    book.commanded(one ?? '', 'a', NOW);
    book.commanded(two ?? '', 'a', NOW);
    book.commanded(three ?? '', 'b', NOW);
    expect(book.commands()).toEqual(
      new Map([
        ['a', [one, two]],
        ['b', [three]],
      ]),
    );
    book.carriedOut({ id: three ?? '', commandId: 'b' }, NOW);
    expect([...book.commands().keys()]).toEqual(['a']);
    expect([book.inFlight, book.awaited]).toEqual([4, 1]);
  });
});

describe('enrolmentBackoff', () => {
  it.each([
    [1, 1, 2 * MINUTE],
    [1, 0, MINUTE],
    [2, 1, 4 * MINUTE],
    [5, 0.5, 24 * MINUTE],
    [8, 1, 256 * MINUTE],
    [9, 1, 6 * HOUR],
    [1_000, 0, 3 * HOUR],
    [0, 0, MINUTE],
  ])('after %d attempts, with %d drawn, is %d ms', (attempts, drawn, ms) => {
    expect(enrolmentBackoff(attempts, () => drawn)).toBe(ms);
  });
});
