import { describe, expect, it } from '@jest/globals';
import { instanceKeyText } from '@tagplane/identity';
import { MINUTE } from '@tagplane/runtime';
import { EnrolmentBook } from './book.ts';
import type { EnrolmentCandidate, EnrolmentFacts } from './facts.ts';
import { planEnrolments } from './plan.ts';
import { candidateOf, factsOf, keyOf, ssmOf } from './testing/samples.ts';
import { REASONS } from './view.ts';

const NOW = 1_700_000_000_000;
const ID = instanceKeyText(keyOf(1));

/** One attempt at the first instance that has come to nothing. */
function failedBook(reason = 'exit code 1: no space left'): EnrolmentBook {
  const book = new EnrolmentBook(() => 0);
  book.begin([candidateOf(1)], NOW - MINUTE);
  book.commanded(ID, 'command-1', NOW - MINUTE);
  book.failed(ID, reason, NOW - 1_000);
  return book;
}

describe('planEnrolments: how an instance stands', () => {
  it.each<[string, Partial<EnrolmentCandidate>, Partial<EnrolmentFacts>, string, string, boolean]>([
    ['reachable', {}, {}, 'WAITING', REASONS.waiting, true],
    ['stopped', { state: 'stopped' }, {}, 'NOT_RUNNING', 'the instance is stopped', false],
    ['starting', { state: 'pending' }, {}, 'NOT_RUNNING', 'the instance is pending', false],
    ['Windows', { platform: 'windows' }, {}, 'UNSUPPORTED', REASONS.windows, false],
    ['stopped Windows', { platform: 'windows', state: 'stopped' }, {}, 'UNSUPPORTED', REASONS.windows, false],
    ['unknown to SSM', {}, { ssm: () => ssmOf([]) }, 'NO_SSM_AGENT', 'AmazonSSMManagedInstanceCore', false],
    ['offline', {}, { ssm: () => ssmOf([[1, false]]) }, 'NO_SSM_AGENT', 'SSM has lost', false],
    ['SSM not asked', {}, { ssm: () => ({ kind: 'unknown' }) }, 'WAITING', REASONS.notAsked, false],
    [
      'SSM failing',
      {},
      { ssm: () => ({ kind: 'failing', reason: 'AccessDenied' }) },
      'WAITING',
      'AccessDenied',
      false,
    ],
  ])('%s', (_name, candidate, facts, state, reason, begins) => {
    const plan = planEnrolments(new EnrolmentBook(), factsOf([candidateOf(1, candidate)], facts), NOW);
    expect(plan.views).toEqual([
      expect.objectContaining({ key: keyOf(1), state, reason: expect.stringContaining(reason), attempts: 0 }),
    ]);
    expect(plan.begin).toHaveLength(begins ? 1 : 0);
  });

  it('says nothing of an instance that has its agent and was never tried', () => {
    const plan = planEnrolments(
      new EnrolmentBook(),
      factsOf([candidateOf(1)], { agents: new Set([ID]) }),
      NOW,
    );
    expect(plan).toMatchObject({ views: [], begin: [] });
  });

  it('says ENROLLED when the agent of an attempt has come', () => {
    const plan = planEnrolments(failedBook(), factsOf([candidateOf(1)], { agents: new Set([ID]) }), NOW);
    expect(plan.views).toMatchObject([{ state: 'ENROLLED', attempts: 1, commandId: 'command-1' }]);
  });

  it('begins nothing and says nothing while nobody told who has an agent', () => {
    const facts = factsOf([candidateOf(1)], { agents: undefined });
    expect(planEnrolments(failedBook(), facts, NOW)).toMatchObject({ views: [], begin: [], gone: [] });
  });

  it('shows a failure with its reason until the next attempt begins', () => {
    const book = failedBook();
    const facts = factsOf([candidateOf(1)]);
    const [view] = planEnrolments(book, facts, NOW).views;
    expect(view).toMatchObject({ state: 'FAILED', reason: 'exit code 1: no space left', attempts: 1 });
    const due = view?.nextAttemptAt ?? 0;
    expect(due).toBe(NOW - 1_000 + MINUTE);
    expect(planEnrolments(book, facts, due - 1).begin).toEqual([]);
    expect(planEnrolments(book, facts, due).begin).toEqual([candidateOf(1)]);
  });

  it('shows what is in the way of the next attempt before what became of the last one', () => {
    const [view] = planEnrolments(
      failedBook(),
      factsOf([candidateOf(1)], { ssm: () => ssmOf([]) }),
      NOW,
    ).views;
    expect(view?.state).toBe('NO_SSM_AGENT');
    expect(view?.reason).toContain('the attempt before failed: exit code 1');
  });

  it('is PENDING from its turn to the arrival of the agent, whatever SSM and EC2 say meanwhile', () => {
    const book = new EnrolmentBook(() => 0);
    const facts = factsOf([candidateOf(1, { state: 'stopping' })], { ssm: () => ssmOf([]) });
    const state = () => planEnrolments(book, facts, NOW).views[0];
    book.begin([candidateOf(1)], NOW);
    expect(state()).toMatchObject({ state: 'PENDING', reason: REASONS.claimed, commandId: '' });
    book.commanded(ID, 'command-1', NOW);
    expect(state()).toMatchObject({ state: 'PENDING', reason: REASONS.commanded, commandId: 'command-1' });
    book.carriedOut({ id: ID, commandId: 'command-1' }, NOW);
    expect(state()).toMatchObject({ state: 'PENDING', reason: REASONS.carriedOut });
  });

  it('names the places that SSM is to be asked about, and no others', () => {
    const elsewhere = { key: keyOf(2, 'us-east-1') };
    const facts = factsOf([candidateOf(1), candidateOf(2, { ...elsewhere, state: 'stopped' })]);
    expect([...planEnrolments(new EnrolmentBook(), facts, NOW).places.keys()]).toEqual([
      '123456789012/eu-central-1',
    ]);
  });
});

describe('planEnrolments: what is gone', () => {
  it('is forgotten only once every scope was scanned', () => {
    expect(planEnrolments(failedBook(), factsOf([], { complete: false }), NOW).gone).toEqual([]);
    expect(planEnrolments(failedBook(), factsOf([]), NOW).gone).toEqual([ID]);
  });

  it('counts as under way until its attempt ends', () => {
    const book = new EnrolmentBook();
    book.begin([candidateOf(1)], NOW);
    expect(planEnrolments(book, factsOf([]), NOW).gone).toEqual([]);
  });
});
