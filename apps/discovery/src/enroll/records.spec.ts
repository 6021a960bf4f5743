import { describe, expect, it } from '@jest/globals';
import { instanceKeyText } from '@tagplane/identity';
import { HOUR } from '@tagplane/runtime';
import { MAX_RECORDS, RecordBook } from './records.ts';
import { keyOf } from './testing/samples.ts';
import type { EnrolmentView } from './view.ts';

const NOW = 1_700_000_000_000;

function viewOf(number: number, more: Partial<EnrolmentView> = {}): EnrolmentView {
  const view = {
    state: 'WAITING',
    reason: 'r',
    attempts: 0,
    commandId: '',
    nextAttemptAt: undefined,
  } as const;
  return { key: keyOf(number), ...view, ...more };
}

describe('RecordBook', () => {
  it('tells what is new, what has changed, and the rest when half of its life is over', () => {
    const book = new RecordBook();
    const first = book.plan([viewOf(1), viewOf(2)], true, NOW);
    expect(first.records).toHaveLength(2);
    expect(book.plan([viewOf(1), viewOf(2)], true, NOW).records).toHaveLength(2);
    book.written(first, NOW);
    expect(book.plan([viewOf(1), viewOf(2)], true, NOW)).toEqual({ records: [], removed: [] });
    const changes: Partial<EnrolmentView>[] = [
      { state: 'FAILED' },
      { reason: 's' },
      { attempts: 1 },
      { commandId: 'c' },
      { nextAttemptAt: NOW },
    ];
    for (const change of changes) {
      expect(book.plan([viewOf(1), viewOf(2, change)], true, NOW).records).toEqual([viewOf(2, change)]);
    }
    expect(book.plan([viewOf(1), viewOf(2)], true, NOW + 12 * HOUR).records).toHaveLength(2);
  });

  it('removes what there is nothing to say of any more, once there is word of everything', () => {
    const book = new RecordBook();
    book.recall(viewOf(1), NOW);
    expect(book.plan([], false, NOW).removed).toEqual([]);
    const plan = book.plan([], true, NOW);
    expect(plan.removed).toEqual([instanceKeyText(keyOf(1))]);
    book.written(plan, NOW);
    expect(book.plan([], true, NOW).removed).toEqual([]);
  });

  it('tells once that an agent has come', () => {
    const book = new RecordBook();
    book.recall(viewOf(1, { state: 'PENDING' }), NOW);
    const plan = book.plan([viewOf(1, { state: 'ENROLLED' })], true, NOW);
    expect(plan.records).toHaveLength(1);
    book.written(plan, NOW);
    expect(book.plan([], true, NOW)).toEqual({ records: [], removed: [] });
  });

  it('never plans more than one request may carry', () => {
    const book = new RecordBook();
    const views = Array.from({ length: MAX_RECORDS + 5 }, (_, number) => viewOf(number));
    const first = book.plan(views, true, NOW);
    expect(first.records).toHaveLength(MAX_RECORDS);
    book.written(first, NOW);
    expect(book.plan(views, true, NOW).records).toHaveLength(5);
  });
});
